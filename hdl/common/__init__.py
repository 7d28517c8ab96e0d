"""Parts shared by the units of all rooms: layouts, banks, a serial multiplier, writing Verilog."""
