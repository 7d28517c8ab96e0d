"""From what a layer means to the parameters of the output stage, proven."""
