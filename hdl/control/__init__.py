"""Which pass, which window, which pair of rows comes next."""
