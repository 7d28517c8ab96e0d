"""From a model or a name to a graph of whole numbers."""
