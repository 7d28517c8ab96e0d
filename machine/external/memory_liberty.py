"""Liberty of memories: cells whose inputs are taken and whose outputs change at a clock's edge."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..names import Name
from .text import Text, fill, joined, number

_LIBRARY = """\
/* Memories of an accelerator, for static timing: times alone, no area, power or function. Not for sign-off. */
library (@name@) {
  delay_model : table_lookup;
  time_unit : "1ns";
  voltage_unit : "1V";
  current_unit : "1uA";
  pulling_resistance_unit : "1kohm";
  capacitive_load_unit (1, ff);
  slew_lower_threshold_pct_rise : 20;
  slew_upper_threshold_pct_rise : 80;
  slew_lower_threshold_pct_fall : 20;
  slew_upper_threshold_pct_fall : 80;
  input_threshold_pct_rise : 50;
  input_threshold_pct_fall : 50;
  output_threshold_pct_rise : 50;
  output_threshold_pct_fall : 50;
@types@@cells@}
"""
_TYPE = """\
  type (bits_@bits@) {
    base_type : array; data_type : bit; bit_width : @bits@; bit_from : @last@; bit_to : 0; downto : true;
  }
"""
_CELL = """\
  cell (@name@) {
    area : 0;
    interface_timing : true;
    pin (clk) { direction : input; clock : true; capacitance : @capacitance@; }
@ports@  }
"""
_PIN = "    pin (@name@) {\n"
_BUS = "    bus (@name@) {\n      bus_type : bits_@bits@;\n"
_INPUT = """\
@head@      direction : input;
      capacitance : @capacitance@;
      timing () {
        related_pin : "clk";
        timing_type : setup_rising;
        rise_constraint (scalar) { values ("@ns@"); }
        fall_constraint (scalar) { values ("@ns@"); }
      }
      timing () {
        related_pin : "clk";
        timing_type : hold_rising;
        rise_constraint (scalar) { values ("0"); }
        fall_constraint (scalar) { values ("0"); }
      }
    }
"""
_OUTPUT = """\
@head@      direction : output;
      timing () {
        related_pin : "clk";
        timing_type : rising_edge;
        cell_rise (scalar) { values ("@ns@"); }
        cell_fall (scalar) { values ("@ns@"); }
        rise_transition (scalar) { values ("@slew@"); }
        fall_transition (scalar) { values ("@slew@"); }
      }
    }
"""


@dataclass(frozen=True, kw_only=True)
class MacroPort:
    """A port of a memory.

    Parameters
    ----------
    name : Name
    bits : int
    is_input : bool
    seconds : float
        Before the edge that takes an input; from the edge to an output.
    """

    name: Name
    bits: int
    is_input: bool
    seconds: float


def memory_liberty(
    name: Name, cells: Mapping[Name, Sequence[MacroPort]], *, capacitance_f: float, slew_s: float
) -> Text:
    """Liberty text of memories with a clock ``clk`` each.

    Parameters
    ----------
    name : Name
        Of the library.
    cells : mapping of Name to sequence of MacroPort
        Ports of each memory, without its clock.
    capacitance_f : float
        Of an input, in F.
    slew_s : float
        Of an output, in s.
    """
    capacitance, slew = number(capacitance_f * 1e15, 6), number(slew_s * 1e9, 6)
    widths = sorted({port.bits for ports in cells.values() for port in ports} - {1})
    return fill(
        _LIBRARY,
        name=name,
        types=joined(fill(_TYPE, bits=bits, last=bits - 1) for bits in widths),
        cells=joined(
            fill(_CELL, name=cell, capacitance=capacitance, ports=_ports(ports, capacitance, slew))
            for cell, ports in cells.items()
        ),
    )


def _ports(ports: Iterable[MacroPort], capacitance: Text, slew: Text) -> Text:
    texts = []
    for port in ports:
        head = fill(_PIN, name=port.name) if port.bits == 1 else fill(_BUS, name=port.name, bits=port.bits)
        ns = number(port.seconds * 1e9, 6)
        if port.is_input:
            texts.append(fill(_INPUT, head=head, capacitance=capacitance, ns=ns))
        else:
            texts.append(fill(_OUTPUT, head=head, ns=ns, slew=slew))
    return joined(texts)
