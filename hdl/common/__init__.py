"""What units of every room are made of: layouts, banks, a serial multiplier, how Verilog is written."""
