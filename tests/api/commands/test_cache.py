"""What is told of the cache, and how it is emptied and bounded."""

from pathlib import Path

import pytest
from result_files import written

import spinplane
from spinplane.cli import main
from spinplane.machine import Name
from spinplane.machine.external.cache import MODELS, VERILOG, Cache


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cache:
    monkeypatch.setenv("SPINPLANE_BUILD", str(tmp_path / "kept"))
    cache = Cache()
    for kind, name in ((MODELS, "a"), (VERILOG, "a"), (VERILOG, "b")):
        cache.text(kind, Name(name), lambda: "x" * 500_000)
    return cache


def test_what_it_holds_is_told(cache: Cache, capsys: pytest.CaptureFixture[str]) -> None:
    report = spinplane.tidy_cache()
    assert (report.folder, report.kinds) == (cache.root, {"models": 1, "verilog": 2})
    assert (report.megabytes, report.limit_mb, report.removed) == (1.5, 4096, 0)
    written(report)
    main(["cache"])
    assert capsys.readouterr().out == (
        f"cache    {cache.root}\nholds    1 models, 2 verilog: 1.5 MB of 4096 MB\n"
    )


def test_it_is_bounded_and_emptied(cache: Cache, capsys: pytest.CaptureFixture[str]) -> None:
    main(["cache", "--limit", "1"])
    assert capsys.readouterr().out.splitlines()[1:] == [
        "holds    2 verilog: 1.0 MB of 1 MB",
        "removed  1",
    ]
    main(["cache", "--clear"])
    assert capsys.readouterr().out.splitlines()[1:] == ["holds    nothing: 0.0 MB of 1 MB", "removed  2"]
    with pytest.raises(SystemExit) as ended:
        main(["cache", "--limit", "-1"])
    assert ended.value.code == 2
