"""Other programs: what is written for them to read, how they are started, what is kept of their work."""
