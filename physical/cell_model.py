"""Verilog of a library's cells, for simulators: what each does by its functions, without delays."""

from collections.abc import Iterable, Mapping

from spinplane.machine import Name, PinName, SpinplaneError
from spinplane.machine.external import verilog
from spinplane.machine.external.text import Text, fill

from .boolean import verilog_expression
from .library import Cell, Library, Storage

#: Power-ups that a netlist can be simulated from; ``+power_up=N`` takes number N.
POWER_UPS = 32


def cell_model(library: Library, names: Iterable[str]) -> dict[Name, Text]:
    """Verilog modules of cells.

    A flip-flop or latch powers up with a random bit, see `POWER_UPS`.

    Parameters
    ----------
    library : Library
    names : iterable of str
        The cells that are placed, each once.

    Returns
    -------
    dict of Name to Text
        Each module by the name of its cell.

    Raises
    ------
    SpinplaneError
        If the library has no such cell, or one that cannot be modelled: an output without a function, a three-state
        output, storage that is no single flip-flop or latch. The message names the cell.
    """
    models: dict[Name, Text] = {}
    for name in names:
        cell = library.cells.get(name)
        if cell is None:
            raise SpinplaneError(f"library {library.source}: has no cell {name}")
        try:
            models[Name(name, "cell")] = _module(cell)
        except ValueError as error:
            raise SpinplaneError(f"library {library.source}: cell {name} has no model: {error}") from None
    return models


def _module(cell: Cell) -> Text:
    if cell.three_state:
        raise ValueError(f"output {cell.three_state[0]} is a three-state one")
    if cell.is_flip_flop and cell.storage is None:
        raise ValueError("it is not one flip-flop")
    missing = [pin for pin in cell.outputs if pin not in cell.functions]
    if missing or not cell.outputs:
        raise ValueError(f"output {missing[0]} has no function" if missing else "it has no output")
    words: dict[PinName, Text] = {pin: verilog.word(pin) for pin in cell.inputs}
    inside = fill("")
    if cell.storage is not None:
        inside = _inside(cell.storage, words)
        words |= {name: verilog.word(name) for name in (cell.storage.state, cell.storage.inverse)}
    outputs = {pin: verilog_expression(cell.functions[pin], words) for pin in cell.outputs}
    return verilog.cell(cell.name, cell.inputs, outputs, inside)


def _inside(storage: Storage, pins: Mapping[PinName, Text]) -> Text:
    if not set(storage.both) <= set("LHNTX"):
        raise ValueError(f"clear_preset_var1 and 2 are {' and '.join(storage.both)}")
    functions = {
        "clock": storage.clock,
        "data": storage.data,
        "clear": storage.clear,
        "preset": storage.preset,
    }
    return verilog.storage(
        storage.state,
        storage.inverse,
        both=storage.both,
        is_latch=storage.is_latch,
        **{name: verilog_expression(function, pins) for name, function in functions.items()},
    )
