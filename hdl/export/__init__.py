"""Export of a machine's Verilog, with files for tools, drivers and readers."""
