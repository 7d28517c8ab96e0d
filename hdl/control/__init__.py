"""Control: the next pass, window and pair of rows."""
