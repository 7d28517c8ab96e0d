"""Files of transistor models: what describes devices is taken, what commands is not."""

import re
from pathlib import Path

import pytest

from spinplane.machine import SpinplaneError
from spinplane.machine.external.spice_models import check_models

MODELS = """\
* a library
.lib typical
.param toxn = 1.2e-9  dvt='0.1*toxn'
.model nch nmos (level = 1
+ vto=0.4 kp=300u)
.subckt cell d g s b w=1u
Xin d g s b inner
M1 d g s b nch W='w' L=45n ; the transistor
R1 d s {1e9}
.ends cell
.if (dvt > 0)
.option scale=1
.endif
.endl typical
"""


def test_models_are_taken(tmp_path: Path) -> None:
    (tmp_path / "corner.lib").write_text(f".include 'deep/inner.sp'\n.lib \"models.sp\" typical\n{MODELS}")
    (tmp_path / "models.sp").write_text(MODELS)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "inner.sp").write_text(".inc ../corner.lib\n.subckt inner d g s b\n.ends\n")
    check_models(tmp_path / "corner.lib")


@pytest.mark.parametrize(
    "line",
    [
        ".control",
        "  .CONTROL",
        ".controls",
        "!touch canary",
        "*ng_script",
        "A1 1 2 process",
        "N1 1 2 code",
        ".exec touch canary",
        ".csparam a=1",
        "(.control",
        '".control"',
        ".end",
        ".pre_osdi code.osdi",
        "\xa0.control",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\f", "\0"])
def test_another_line_is_refused_wherever_it_stands(line: str, end: str, tmp_path: Path) -> None:
    (tmp_path / "inner.sp").write_bytes((MODELS + "R9 1 0 1" + end + line + end).encode("latin-1"))
    (tmp_path / "models.sp").write_text(f"{MODELS}.include inner.sp\n")
    with pytest.raises(SpinplaneError, match=r"inner\.sp: line \d+: .* is no model, element or parameter"):
        check_models(tmp_path / "models.sp")


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "models.sp").write_text(".include none.sp\n")
    with pytest.raises(
        SpinplaneError, match=re.escape(f"transistor models {tmp_path}/none.sp: cannot be read: ")
    ):
        check_models(tmp_path / "models.sp")


def test_files_without_end_are_refused(tmp_path: Path) -> None:
    for number in range(1001):
        (tmp_path / f"{number}.sp").write_text(f".include {number + 1}.sp\n")
    with pytest.raises(SpinplaneError, match="includes more than 1000 files"):
        check_models(tmp_path / "0.sp")
