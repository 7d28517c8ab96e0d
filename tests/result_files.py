"""Results through files: what a command's ``--json`` writes, and whether it is read back as it was."""

import json
from dataclasses import fields, is_dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import spinplane
from spinplane.machine.names import CheckedName


def written(result: Any) -> dict[str, Any]:
    """What the file of a result holds, which is read back equal to it on the way."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "result.json"
        spinplane.write_result(result, path)
        assert_equal(spinplane.read_result(path), result)
        return json.loads(path.read_text(encoding="utf-8"))


def assert_equal(read: Any, result: Any) -> None:
    """Types and values, down to the last field that is written."""
    assert type(read) is type(result) or (type(read) is str and isinstance(result, CheckedName))
    if is_dataclass(result):
        for field in fields(result):
            if field.metadata.get("written", True):
                assert_equal(getattr(read, field.name), getattr(result, field.name))
            else:
                assert getattr(read, field.name) in (None, ())
    elif isinstance(result, tuple):
        assert len(read) == len(result)
        for one, other in zip(read, result, strict=True):
            assert_equal(one, other)
    elif isinstance(result, np.ndarray):
        assert (read.dtype, read.shape) == (result.dtype, result.shape)
        assert np.array_equal(read, result)
    else:
        assert read == result
