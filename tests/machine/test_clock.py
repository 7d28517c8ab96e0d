"""Clocks as text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinplane.machine import MachineClock, SpinplaneError, clock_hz, clock_text


@pytest.mark.parametrize(
    ("text", "hertz"),
    [
        ("500MHz", 5e8),
        ("500 MHz", 5e8),
        ("1.2GHz", 1.2e9),
        ("2ns", 5e8),
        ("3.25 ns", 1e9 / 3.25),
        ("800ps", 1.25e9),
        ("1µs", 1e6),
        ("1us", 1e6),
        ("32768Hz", 32768.0),
        ("12.5kHz", 12500.0),
        ("1000s", 1e-3),
    ],
)
def test_a_frequency_or_a_period(text: str, hertz: float) -> None:
    assert clock_hz(text) == hertz


@pytest.mark.parametrize(
    "text",
    ["", "500", "MHz", "500mhz", "-2ns", "0MHz", "0.0ns", "1e9Hz", "2 ns ", "2  ns", "nan ns", "5m", "2ns\n"],
)
def test_refuses_what_is_neither(text: str) -> None:
    told = f"clock {text!r}: must be a frequency or a period with its unit, such as 500MHz, 1.2GHz or 2ns"
    with pytest.raises(SpinplaneError, match=f"^{re.escape(told)}$"):
        clock_hz(text)


@pytest.mark.parametrize("text", ["1001s", "0.0009Hz", "1000001GHz", "0.0009ps"])
def test_refuses_what_no_machine_has(text: str) -> None:
    with pytest.raises(SpinplaneError, match=f"^clock {text!r}: must be from 1000 s to 1 fs$"):
        clock_hz(text)


@pytest.mark.parametrize(
    ("hertz", "text"),
    [
        (308_924_785.8, "308.9 MHz"),
        (1 / 2e-9, "500 MHz"),
        (1 / 3e-9, "333.3 MHz"),
        (999_999.9, "999.9 kHz"),
        (1.2e9, "1.2 GHz"),
        (12345.6, "12.34 kHz"),
        (1.0, "1 Hz"),
        (1e-3, "0.001 Hz"),
        (4.9e14, "490000 GHz"),
    ],
)
def test_four_digits_and_never_faster(hertz: float, text: str) -> None:
    assert clock_text(hertz) == text


@given(st.floats(1e-3, 1e15))
def test_what_is_told_is_read_again(hertz: float) -> None:
    again = clock_hz(clock_text(hertz))
    assert hertz * 0.99899 <= again <= hertz * (1 + 1e-11)
    assert clock_text(again) == clock_text(hertz)


def test_a_clock_and_how_long_cycles_last() -> None:
    clock = MachineClock(technology="own", clock_hz=2.5e8, fastest_hz=3e8)
    assert str(clock) == "250 MHz, up to 300 MHz with own"
    assert (
        str(MachineClock(technology="own", clock_hz=3e8, fastest_hz=3e8)) == "300 MHz, the fastest with own"
    )
    assert clock.time_us(1000) == pytest.approx(4.0)
