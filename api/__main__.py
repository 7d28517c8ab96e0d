"""``python -m spinplane``: the command where no ``spinplane`` is on the path."""

from .cli import main

if __name__ == "__main__":
    main()
