"""Verilog of a machine as files, with what tools, drivers and readers need."""
