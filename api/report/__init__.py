"""Tables, pictures and files."""
