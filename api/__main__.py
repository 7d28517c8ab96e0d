"""The entry of the command, also as ``python -m spinplane``: it answers an interrupt while modules are imported."""

import sys
import warnings


def main() -> None:
    """Run the command, see `spinplane.cli.main`."""
    # Amaranth says this of every unit that an interrupt leaves half-built.
    warnings.filterwarnings("ignore", message=".* created but never used")
    try:
        from .cli import main as run

        run()
    except KeyboardInterrupt:
        print("spinplane: interrupted", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
