"""The commands, one module per group, and the options that they share."""
