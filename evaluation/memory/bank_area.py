"""Area of a bank: mats of static cells, or arrays of an MRAM technology."""

from dataclasses import dataclass

from ..sources import Figure, Sources, Values
from .array_area import rectangle
from .layout import Circuit, driver, gates


@dataclass(frozen=True, kw_only=True)
class BankShape:
    """A bank as a machine places it.

    Parameters
    ----------
    words, width : int
    reads : int
        Read ports beside the write port; 0 where one port reads and writes in turns.
    """

    words: int
    width: int
    reads: int

    @property
    def bits(self) -> int:
        """Bits that it holds."""
        return self.words * self.width


def sram_bank(sources: Sources, shape: BankShape) -> Figure:
    """Area in m² of a bank of static cells, see `area_sources`."""
    return sources.figure(
        lambda values: sram_area(values, shape),
        unit="m²",
        source="cells that grow with ports, circuits of each row, and of each column of a mat and port",
    )


def mram_bank(sources: Sources, shape: BankShape) -> Figure:
    """Area in m² of a bank of arrays of the technology of `sources`, sensed by voltage.

    A bank that writes and reads at once, or reads at two places, would need arrays for each; here one port does all in
    turns.
    """
    return sources.figure(
        lambda values: mram_area(values, shape),
        unit="m²",
        source="arrays as wide as a word, without their decoders, and control",
    )


def sram_area(values: Values, shape: BankShape) -> float:
    """Area in m² of a bank of static cells."""
    mat_rows = min(values["sram.rows"], shape.words)
    edges = 1 + values["array.edge"] / mat_rows
    taps = 1 + 1 / values["array.tap_columns"]
    cell = values["sram.cell_area"] * (1 + values["sram_mat.port_growth"] * shape.reads)
    cells = shape.bits * cell * edges * taps
    ports = 1 + shape.reads
    load = shape.width * values["sram.word_line_capacitance"]
    row = driver(values, load, values["sram_mat.row_transistors"]).times(ports)
    columns = shape.width * shape.words / mat_rows
    circuits = row.times(shape.words) + _sram_column(values, max(1, shape.reads)).times(columns)
    return (cells + circuits.area(values) / values["layout.fill"]) * (1 + values["sram_mat.control"])


def _sram_column(values: Values, reads: int) -> Circuit:
    """A column's write port, and a latch with its output for each read."""
    latch = Circuit(width=values["sense.latch_width"], transistors=values["sense.latch_transistors"])
    sense = latch + gates(values, values["sense.output_transistors"])
    return gates(values, values["sram_mat.column_transistors"]) + sense.times(reads)


def mram_area(values: Values, shape: BankShape) -> float:
    """Area in m² of a bank of arrays of a technology."""
    rows = min(values["bit_line.cells"], shape.words)
    arrays = shape.words / rows
    return arrays * rectangle(values, round(rows), shape.width, "voltage") * (1 + values["sram_mat.control"])
