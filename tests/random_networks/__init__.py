"""Random quantized networks: described free of any file format, drawn by seed, written in each form that files have."""
