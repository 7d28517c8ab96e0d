"""Where the cache lies, and whether it can be trusted."""

import atexit
import logging
import os
import shutil
import stat
import tempfile
from functools import cache
from pathlib import Path

import platformdirs

from ..errors import SpinplaneError

_log = logging.getLogger("spinplane")


def default_build_root() -> Path:
    """``$SPINPLANE_BUILD``, else ``spinplane`` in the user's cache folder (``~/.cache`` on Linux).

    Raises
    ------
    SpinplaneError
        If the variable names a file, or a place in one.
    """
    chosen = os.environ.get("SPINPLANE_BUILD")
    if not chosen:
        return platformdirs.user_cache_path("spinplane", appauthor=False).resolve()
    root = Path(chosen).resolve()
    if not next(place for place in (root, *root.parents) if place.exists()).is_dir():
        raise SpinplaneError(f"SPINPLANE_BUILD = {chosen!r:.200}: not a folder")
    return root


def not_ours(found: os.stat_result) -> str:
    """Why what has this status could be another user's work; empty if it cannot."""
    if found.st_uid != os.geteuid():
        return "belongs to another user"
    if found.st_mode & 0o022 and not stat.S_ISLNK(found.st_mode):
        return "may be written by other users (chmod go-w)"
    return ""


def usable_folder(root: Path) -> Path:
    """The folder, made if it is missing, or a temporary one where nothing can be kept in it safely."""
    fault = cache_fault(root)
    return _temporary(root, fault) if fault else root


def cache_fault(root: Path) -> str:
    """Why nothing can be kept in the folder, which is made if it is missing; empty if it can."""
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=root):
            return not_ours(root.stat())
    except OSError as error:
        return error.strerror or str(error)


@cache
def _temporary(root: Path, fault: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="spinplane-cache-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _log.warning(
        "cache folder %s: %s; what is built is kept in a temporary folder until the end", root, fault
    )
    return folder
