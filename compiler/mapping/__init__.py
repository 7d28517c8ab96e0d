"""How each layer is computed, and where its kernels and maps are placed."""
