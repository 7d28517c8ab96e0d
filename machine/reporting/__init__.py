"""Results as one line, as an HTML fragment and as comma-separated values."""
