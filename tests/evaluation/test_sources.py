"""Figures know what they are made of, and how far bounds move them."""

import pytest

from spinplane.device import electrical, load_technology
from spinplane.evaluation import Sources, Values
from spinplane.machine import Parameter


def parameter(value: float, bounds: tuple[float, float] | None = None) -> Parameter:
    return Parameter(value=value, unit="fF", mark="assumed", source="test", bounds=bounds)


SOURCES = Sources(
    load_technology("sot-mram"),
    {"wire.one": parameter(2, (1, 4)), "wire.two": parameter(8, (5, 10)), "wire.three": parameter(1)},
)


def ratio(values: Values) -> float:
    return values["wire.two"] / values["wire.one"] * values["wire.three"]


def test_a_figure_has_its_parameters_and_their_bounds() -> None:
    figure = SOURCES.figure(ratio, unit="F", source="a ratio")
    assert figure.parameters == ("wire.one", "wire.three", "wire.two")
    assert (figure.value, figure.low, figure.high) == pytest.approx((4e-15, 1.25e-15, 10e-15))
    assert not figure.missing


@pytest.mark.parametrize("key", ["wire.one", "wire.two", "wire.three"])
def test_without_a_source_there_is_no_figure(key: str) -> None:
    figure = SOURCES.without([key]).figure(ratio, unit="F", source="a ratio")
    assert (figure.value, figure.low, figure.high, figure.missing) == (None, None, None, key)
    assert SOURCES.without([key]).figure(lambda _: 1.0, unit="F", source="").value == 1.0


def test_a_figure_may_be_of_a_whole_technology() -> None:
    figure = SOURCES.figure(lambda values: electrical(values.technology).write_energy_j, unit="J", source="")
    assert figure.value == electrical(load_technology("sot-mram")).write_energy_j
    assert "write.pulse" in figure.parameters
    assert "wire.one" not in figure.parameters
    gone = SOURCES.without(["write.pulse"]).figure(
        lambda values: electrical(values.technology).write_energy_j, unit="J", source=""
    )
    assert (gone.value, gone.missing) == (None, "write.pulse")


def test_other_parameters_move_a_figure() -> None:
    moved = SOURCES.with_parameters({"wire.two": parameter(16)})
    assert moved.figure(ratio, unit="F", source="").value == pytest.approx(8e-15)


def test_no_parameter_is_there_twice() -> None:
    with pytest.raises(ValueError, match=r"there twice: write\.pulse$"):
        Sources(load_technology("sot-mram"), {"write.pulse": parameter(1)})
