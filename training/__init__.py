"""Training of low bit-width networks: quantizers, data sets, training, the paper's study, export.

Needs the extra ``train``; nothing else of spinplane imports PyTorch.
"""
