"""Cocotb benches of the accelerator and, in its rooms, of each unit."""
