"""Technologies as data: those that come with the package, a user's own, and what is refused."""

import re
from importlib.resources import files
from pathlib import Path

import pytest

from spinplane import report_device
from spinplane.device import Sensing, electrical, load_technology, monte_carlo, technology_names, write_pulse
from spinplane.device.mtj import junction, junction_area, resistance
from spinplane.machine import SpinplaneError

SOT = (files("spinplane.device") / "sot-mram.toml").read_text(encoding="utf-8")


def test_technologies_that_come_with_the_package() -> None:
    assert technology_names() == ["sot-mram", "stt-aggressive", "stt-mram"]
    for name in technology_names():
        technology = load_technology(name)
        assert technology.name == name
        assert technology.description
        assert all(parameter.source for parameter in technology.parameters.values())
    assert load_technology("sot-mram").structure == "2T1R"
    assert load_technology("stt-mram").structure == "1T1R"


def test_what_the_paper_gives_is_marked_published() -> None:
    sot = load_technology("sot-mram")
    given = {
        "oxide.thickness": 1.2e-9,
        "write.current_0": 120e-6,
        "write.current_1": 120e-6,
        "variation.resistance_area": 0.05,
        "variation.tmr": 0.1,
    }
    for key, value in given.items():
        assert sot[key] == pytest.approx(value)
        assert sot.parameters[key].mark == "published"


def test_a_users_own_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(SOT.replace('name = "sot-mram"', 'name = "own"'), encoding="utf-8")
    own = load_technology(path)
    assert own.name == "own"
    assert own.parameters == load_technology("sot-mram").parameters
    assert load_technology(own) is own


def test_a_file_may_say_how_it_differs_from_another_technology(tmp_path: Path) -> None:
    path, sot = tmp_path / "own.toml", load_technology("sot-mram")
    path.write_text(
        'base = "sot-mram"\nname = "two-amplifiers"\n[sensing]\namplifiers = 2\n[mtj]\n'
        'width = { value = 50, unit = "nm", mark = "measured", source = "own wafer" }\n',
        encoding="utf-8",
    )
    own = load_technology(path)
    assert (own.name, own.sensing) == ("two-amplifiers", Sensing(quantity="voltage", amplifiers=2))
    changed = {key for key in sot.parameters if own.parameters[key] != sot.parameters[key]}
    assert changed == {"mtj.width"}
    assert (own.elements, own.operations, own.lines) == (sot.elements, sot.operations, sot.lines)


def test_parameters_of_a_base_that_another_model_lacks_are_left_out() -> None:
    stt, aggressive = load_technology("stt-mram"), load_technology("stt-aggressive")
    assert set(stt.parameters) - set(aggressive.parameters) == {
        "oxide.thickness",
        "oxide.parallel_fit",
        "oxide.antiparallel_fit",
    }
    states = [float(resistance(junction(aggressive), state)) for state in (False, True)]
    assert states == pytest.approx([6000, 12000], rel=1e-3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('base = "dram"', "base = 'dram': must be one of sot-mram, stt-mram"),
        ('base = "stt-aggressive"', "base = 'stt-aggressive': must be one of sot-mram, stt-mram"),
        ("base = [1]", "base = [1]: must be one of sot-mram, stt-mram"),
        ('base = "sot-mram"\nmtj = 3', "mtj = 3: must be a table"),
        ('base = "sot-mram"\nsensing = 3', "sensing = 3: must be a table"),
        ('base = "sot-mram"\n[mtj]\nheight = 3', "unknown key 'mtj.height': must be one of "),
        ('base = "sot-mram"\nresistance = "direct"', "missing key 'mtj.resistance_area'"),
        ('base = "stt-mram"\ntorque = "spin_hall"', "missing key 'access.write_resistance'"),
    ],
)
def test_refuses_a_file_on_a_base(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SpinplaneError, match=f"^{re.escape(f'technology file {path}: {message}')}"):
        load_technology(path)


def test_a_users_own_junction_works_wherever_the_others_do(tmp_path: Path) -> None:
    """Product and TMR instead of the fit, by file alone."""
    head, rest = SOT.split("[oxide]")
    text = (
        head.replace('resistance = "negf"', 'resistance = "direct"')
        + "[free_layer]"
        + rest.split("[free_layer]")[1]
    )
    given = {"resistance_area": (12, "Ω·µm²"), "tmr": (120, "%"), "tmr_half_voltage": (0.5, "V")}
    lines = [
        f'{key} = {{ value = {value}, unit = "{unit}", mark = "measured", source = "own wafer" }}\n'
        for key, (value, unit) in given.items()
    ]
    path = tmp_path / "own.toml"
    path.write_text(text.replace("[mtj]\n", "[mtj]\n" + "".join(lines)), encoding="utf-8")
    own = load_technology(path)
    assert float(resistance(junction(own), True)) == pytest.approx(12 * 2.2 / (junction_area(own) * 1e12))
    assert electrical(own).write_overlap == "same_array"
    assert monte_carlo(own, trials=1000).errors["and"].worst.rate < 0.05
    assert write_pulse(own, 1).switched
    assert own.parameters["mtj.tmr"].mark == "measured"


def test_other_values_are_marked_as_assumed() -> None:
    thick = load_technology("sot-mram").with_values({"oxide.thickness": 1.3})
    assert thick["oxide.thickness"] == pytest.approx(1.3e-9)
    assert thick.parameters["oxide.thickness"].mark == "assumed"
    assert load_technology("sot-mram")["oxide.thickness"] == pytest.approx(1.2e-9)
    with pytest.raises(SpinplaneError, match=r"^unknown parameter 'oxide.colour': must be one of process\."):
        thick.with_values({"oxide.colour": 1})
    with pytest.raises(SpinplaneError, match=r"^oxide.thickness: value = 9: must be from 0.5 to 3 nm$"):
        thick.with_values({"oxide.thickness": 9})


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        (
            'torque = "spin_hall"',
            'torque = "field"',
            "torque = 'field': must be one of spin_hall, spin_transfer",
        ),
        ('easy_axis = "x"', "easy_axis = 1", "easy_axis = 1: must be text"),
        ("amplifiers = 1", "amplifiers = 3", "sensing.amplifiers = 3: must be one of 1, 2"),
        ("amplifiers = 1", "amplifiers = true", "sensing.amplifiers = True: must be one of 1, 2"),
        (
            'quantity = "voltage"',
            'quantity = "power"',
            "sensing.quantity = 'power': must be one of voltage, current",
        ),
        ('quantity = "voltage"\n', "", "missing key 'sensing.quantity'"),
        (
            "amplifiers = 1",
            "amplifier = 1",
            "unknown key 'sensing.amplifier': did you mean 'sensing.amplifiers'?",
        ),
        ('structure = "2T1R"\n', "", "missing key 'structure'"),
        ("[oxide]", "[oxid]", "unknown key 'oxid': did you mean 'oxide'?"),
        (
            "damping = ",
            "dampng = ",
            "unknown key 'free_layer.dampng': did you mean 'free_layer.damping'?",
        ),
        ('WWL = "row"', 'WWL = "plane"', "lines.WWL = 'plane': must be one of row, column, mesh"),
        ('SL = "mesh"', 'SL = "row"', "mesh.resistance_per_cell: no line is a mesh"),
        ("via_resistance = {", "via_resistence = {", "unknown key 'mesh.via_resistence': did you mean"),
        (
            'WBL = "0", RBL = "read", SL = "0" }',
            'WBL = "0", RBL = "read", SL = "float" }',
            "operations.read.selected.SL = 'float': must be one of 0",
        ),
        ('kind = "mtj"', 'kind = "diode"', "element 'junction': kind = 'diode': must be one of transistor, "),
        (
            'gate = "RWL"',
            'gate = "X"',
            "element 'read transistor': gate = 'X': must be one of WWL, RWL, WBL, RBL",
        ),
        (
            'resistance = "access.read_resistance"',
            'resistance = "access.x"',
            "element 'read transistor': resistance = 'access.x' is not a parameter",
        ),
        (
            'between = ["top", "middle"]',
            'between = ["top"]',
            "element 'junction': must have name, kind, between = [one end, other end], and for a transistor",
        ),
        (
            "[operations.write_0]",
            "[operations.erase]",
            "operations: write_1, erase, read: must be exactly write_0, write_1, read",
        ),
        (
            'WBL = "-write", RBL = "0", SL = "0" }',
            'WBL = "minus", RBL = "0", SL = "0" }',
            "operations.write_0.selected.WBL = 'minus': must be one of 0, vdd, +write, -write, read, float",
        ),
        (
            'conducts = ["read transistor", "junction"',
            'conducts = ["read transistor", "diode"',
            "operations.read.conducts: 'diode' is not one of ",
        ),
    ],
)
def test_refuses_a_file_by_its_name(old: str, new: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    assert old in SOT
    path.write_text(SOT.replace(old, new), encoding="utf-8")
    with pytest.raises(SpinplaneError, match=f"^{re.escape(f'technology file {path}: {text}')}"):
        load_technology(path)


@pytest.mark.parametrize(
    ("old", "found"),
    [
        ('name = "sot-mram', "name = "),
        ('description = "SOT', "description = "),
        ('structure = "2T1R', "structure = "),
        ('torque = "spin_hall', "torque = "),
        ('unit = "nm', "process.feature_size: unit = "),
        ('mark = "assumed', "process.feature_size: mark = "),
        ('source = "the node', "process.feature_size: source = "),
        ('WWL = "row', "lines.WWL = "),
        ('WWL"= "row', "lines: name = "),
        ('name = "junction', "element "),
        ('kind = "mtj', "element 'junction': kind = "),
        ('gate = "RWL', "element 'read transistor': gate = "),
        ('resistance = "access.read_resistance', "element 'read transistor': resistance = "),
        ('between = ["RBL', "element 'read transistor': end = "),
        ('between = ["top', "element 'junction': end = "),
        ('RBL = "read', "operations.read.selected.RBL = "),
        ('conducts = ["read transistor', "operations.read.conducts: "),
    ],
)
def test_no_text_of_a_file_runs_a_command(old: str, found: str, tmp_path: Path) -> None:
    """What stands between .control and .endc ngspice would do, were it to reach the deck."""
    canary, path = tmp_path / "canary", tmp_path / "hostile.toml"
    commands = f"\\n.control\\nshell touch {canary}\\n.endc\\n*"
    text = SOT.replace('WWL = "row"', '"WWL"= "row"') if '"=' in old else SOT
    assert old in text
    head, quote, rest = old.partition('"=')
    path.write_text(text.replace(old, head + commands + quote + rest, 1), encoding="utf-8")
    with pytest.raises(SpinplaneError) as error:
        report_device(path, trials=100, writes=1)
    assert str(error.value).startswith(f"technology file {path}: {found}")
    assert "\n" not in str(error.value)
    assert not canary.exists()


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ('gate = "RWL"', "gate = [3]", "element 'read transistor': gate = [3]: must be text on one line"),
        ('between = ["top"', "between = [3",
         "element 'junction': end = 3: must consist of letters, digits, '-' and '_'"),
        ("idle_columns = { WBL = \"0\", RBL = \"0\" }", "idle_columns = 3", "idle_columns = 3: must be a table"),
        ("conducts = [\"read transistor\", ", "conducts = 3 # ", "operations.read.conducts = 3: must be a list"),
        ("[operations.read]", "[operations]\nread = 3\n[rest]", "unknown key 'rest': must be one of "),
    ],
)  # fmt: skip
def test_refuses_values_of_other_types(old: str, new: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    assert old in SOT
    path.write_text(SOT.replace(old, new), encoding="utf-8")
    with pytest.raises(SpinplaneError, match=f"^{re.escape(f'technology file {path}: {text}')}"):
        load_technology(path)


def test_refuses_what_is_no_file_and_no_toml(tmp_path: Path) -> None:
    with pytest.raises(
        SpinplaneError,
        match=r"^technology 'sot' is neither a file nor one of sot-mram, stt-aggressive, stt-mram$",
    ):
        load_technology("sot")
    path = tmp_path / "own.toml"
    path.write_text("name = ")
    with pytest.raises(SpinplaneError, match=f"^technology file {path}: not TOML: "):
        load_technology(path)
    path.write_bytes(b"\xff")
    with pytest.raises(SpinplaneError, match=f"^technology file {path}: cannot be read: "):
        load_technology(path)
