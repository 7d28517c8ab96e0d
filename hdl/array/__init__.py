"""The engine: sub-arrays with their decoders, counters and sums."""
