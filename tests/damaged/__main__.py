"""``python -m tests.damaged KIND COUNT FIRST``: read so many damaged files; how far they came is told in JSON."""

import json
import sys
from importlib import import_module

from .harness import count_depths
from .kinds import KINDS

if __name__ == "__main__":
    kind, count, first = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    module, name = KINDS[kind]
    depths = count_depths(
        getattr(import_module(f"tests.damaged.{module}"), name), range(first, first + count)
    )
    print(json.dumps(depths))
