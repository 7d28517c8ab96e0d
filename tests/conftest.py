"""With SPINPLANE_NO_SKIP=1 a skipped test is a failure: in CI nothing is missing that could excuse it."""

import os
from collections.abc import Generator
from importlib.util import find_spec
from typing import Any

import pytest

NO_SKIP = os.environ.get("SPINPLANE_NO_SKIP") == "1"

# Modules that cannot even be imported without PyTorch; all their tests are marked `training`.
if not NO_SKIP and find_spec("torch") is None:
    parts = ["augment", "export", "model", "quantizers", "shipped", "study", "train"]
    collect_ignore = [f"training/test_{part}.py" for part in parts]
else:
    collect_ignore = []
# What `make mutants` needs beside the tests themselves.
if not NO_SKIP and find_spec("cosmic_ray") is None:
    collect_ignore.append("tools/test_mutants.py")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, pytest.TestReport]:
    """Report a skipped test as failed."""
    return _without_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, pytest.CollectReport]:
    """Report a skipped module as failed."""
    return _without_skip((yield))


def _without_skip(report: Any) -> Any:
    if NO_SKIP and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped tests are failures here: {reason}"
    return report
