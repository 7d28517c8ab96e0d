"""Descriptors and the words of the banks."""
