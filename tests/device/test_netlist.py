"""The circuit deck: ngspice agrees with the analytic levels, and takes the user's transistors."""

from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from spinplane.device import load_technology
from spinplane.device.netlist import TransistorModel, margins_of, run_deck, sense_deck
from spinplane.device.sensing import level
from spinplane.device.technology import Technology
from spinplane.machine import Parameter, SpinplaneError


def direct() -> Technology:
    """sot-mram with a junction given by product and TMR."""
    sot = load_technology("sot-mram")
    given = {
        "mtj.resistance_area": (10.0, "Ω·µm²"),
        "mtj.tmr": (150.0, "%"),
        "mtj.tmr_half_voltage": (0.5, "V"),
    }
    parameters = {
        key: Parameter(value=value, unit=unit, mark="assumed", source="test")
        for key, (value, unit) in given.items()
    }
    return replace(sot, resistance="direct", parameters={**sot.parameters, **parameters})


@pytest.mark.parametrize(
    "technology",
    [load_technology("sot-mram"), load_technology("stt-mram"), direct()],
    ids=["sot", "stt", "direct"],
)
@pytest.mark.parametrize("fan_in", [2, 3])
def test_ngspice_finds_the_analytic_levels(technology: Technology, fan_in: int) -> None:
    levels = run_deck(sense_deck(technology, fan_in=fan_in))
    assert len(levels) == 3 + fan_in
    for (cells, ones), voltage in levels.items():
        assert voltage == pytest.approx(level(technology, cells, ones), rel=1e-8)
    margins = margins_of(levels)
    expected = (level(technology, fan_in, fan_in) - level(technology, fan_in, fan_in - 1)) / 2
    assert margins["and"] == pytest.approx(expected, rel=1e-7)


def model(folder: Path, *, text: str, **fields: object) -> TransistorModel:
    path = folder / "models.sp"
    path.write_text(text)
    return TransistorModel(path=path, width_m=1e-6, length_m=45e-9, **{"name": "nch"} | fields)  # type: ignore[arg-type]


LEVEL_1 = ".model nch nmos (level=1 vto=0.4 kp=300u)\n"


def test_the_users_transistors_take_the_place_of_the_resistance(tmp_path: Path) -> None:
    sot = load_technology("sot-mram")
    levels = run_deck(sense_deck(sot, model=model(tmp_path, text=LEVEL_1)))
    # In the linear region with 1.1 V on the gate: about 1/(kp·W/L·(V_gs − V_t)), the source a few mV above 0.
    ohms = 1 / (300e-6 * 1e-6 / 45e-9 * (1.1 - 0.4))
    close = sot.with_values({"access.read_resistance": ohms})
    for (cells, ones), voltage in levels.items():
        assert voltage == pytest.approx(level(close, cells, ones), rel=0.02)
    # A weak transistor costs both states the same voltage, and saturates a little more for the parallel one.
    weak = model(tmp_path, text=LEVEL_1.replace("300u", "30u"))
    assert run_deck(sense_deck(sot, model=weak))[1, 0] > levels[1, 0] + 5e-3


def test_transistors_may_be_subcircuits(tmp_path: Path) -> None:
    text = LEVEL_1 + ".subckt fet d g s b W=1u L=45n\nM1 d g s b nch W={W} L={L}\n.ends\n"
    wrapped = model(tmp_path, text=text, name="fet", subcircuit=True)
    stt = load_technology("stt-mram")
    plain = run_deck(sense_deck(stt, model=replace(wrapped, name="nch", subcircuit=False)))
    assert run_deck(sense_deck(stt, model=wrapped)) == pytest.approx(plain, rel=1e-9)


def test_a_deck_that_fails_ends_in_one_line(tmp_path: Path) -> None:
    sot = load_technology("sot-mram")
    missing = model(tmp_path, text="* nothing here\n")
    with pytest.raises(SpinplaneError, match=r"^ngspice gave no operating point: [^\n]+$"):
        run_deck(sense_deck(sot, model=missing))


def test_names_of_a_file_are_no_text_of_the_deck() -> None:
    sot = load_technology("sot-mram")
    commands = "a\n.control\nshell id\n.endc\n*"
    elements = tuple(
        replace(element, name=element.name + commands, between=(first, second))
        for element, (first, second) in (
            (e, [end if end in sot.lines else end + commands for end in e.between]) for e in sot.elements
        )
    )
    conducting = tuple(name + commands for name in sot.operations["read"].conducts)
    operations = {**sot.operations, "read": replace(sot.operations["read"], conducts=conducting)}
    assert sense_deck(replace(sot, elements=elements, operations=operations)) == sense_deck(sot)


def test_nodes_that_differ_in_case_are_two(tmp_path: Path) -> None:
    text = (
        (files("spinplane.device") / "sot-mram.toml").read_text(encoding="utf-8").replace('"top"', '"MIDDLE"')
    )
    path = tmp_path / "own.toml"
    path.write_text(text, encoding="utf-8")
    assert run_deck(sense_deck(load_technology(path))) == run_deck(sense_deck(load_technology("sot-mram")))


def test_ngspice_reads_no_start_up_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    canary = tmp_path / "canary"
    (tmp_path / ".spiceinit").write_text(f"shell touch {canary}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert run_deck(sense_deck(load_technology("sot-mram")))
    assert not canary.exists()


@pytest.mark.parametrize("name", ["", "nch W=1", "nch\n.control", "nch;id", "$nch"])
def test_refuses_names_of_transistors_that_are_more_than_a_word(name: str, tmp_path: Path) -> None:
    with pytest.raises(
        SpinplaneError, match=r"^transistor = .*: must consist of letters, digits, '\.', '-' and '_'$"
    ):
        model(tmp_path, text=LEVEL_1, name=name)


@pytest.mark.parametrize("folder", ['a"b', "a\n.control\nshell id\n.endc\n*", "a\tb"])
def test_refuses_paths_that_no_deck_can_say(folder: str, tmp_path: Path) -> None:
    (tmp_path / folder).mkdir()
    with pytest.raises(
        SpinplaneError, match=r"^transistor models '[^\n]*': must be a path without quotes and line"
    ):
        model(tmp_path / folder, text=LEVEL_1)


def test_takes_paths_with_spaces(tmp_path: Path) -> None:
    (tmp_path / "my models").mkdir()
    taken = model(tmp_path / "my models", text=LEVEL_1)
    assert len(run_deck(sense_deck(load_technology("sot-mram"), model=taken))) == 5


def test_names_the_program_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(
        SpinplaneError, match=r"^ngspice is not installed: run 'sudo apt-get install ngspice'$"
    ):
        run_deck(sense_deck(load_technology("sot-mram")))


def test_refuses_models_that_do_not_exist(tmp_path: Path) -> None:
    with pytest.raises(SpinplaneError, match=rf"^transistor models {tmp_path}/none: no such file$"):
        TransistorModel(path=tmp_path / "none", name="nch", width_m=1e-6, length_m=45e-9)
    with pytest.raises(SpinplaneError, match=r"^transistor nch: 0.0 m by 4.5e-08 m: both must be above 0$"):
        replace(model(tmp_path, text=LEVEL_1), width_m=0.0)
