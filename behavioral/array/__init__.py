"""Golden models of the engine: cells, decoders, counts, sums."""
