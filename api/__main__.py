"""``python -m spinplane``: the command, where ``spinplane`` is not on the path."""

from .cli import main

if __name__ == "__main__":
    main()
