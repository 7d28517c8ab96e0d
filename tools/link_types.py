"""Links that show a type checker the packages under their import names: ``build/types/spinplane/…``.

Type checkers do not follow setuptools' ``package-dir`` in an editable install.
"""

import shutil
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TYPES = ROOT / "build" / "types"


def main() -> None:
    """Make the links anew."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    shutil.rmtree(TYPES, ignore_errors=True)
    # A package before what lies in it: its own folder of links has to be there first.
    for package, folder in sorted(table["package-dir"].items()):
        place = TYPES / package.replace(".", "/")
        place.mkdir(parents=True)
        for path in (ROOT / folder).iterdir():
            if path.is_file() or (path / "__init__.py").is_file():
                (place / path.name).symlink_to(path)


if __name__ == "__main__":
    main()
