"""The functions behind the commands, and their results."""
