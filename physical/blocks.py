"""From the cells of modules to the figures of blocks: multiplicities of the instance tree."""

from collections import Counter
from collections.abc import Mapping

from .area import AreaReport, Block, Part, SubArrays
from .asic import AsicTarget
from .clock import ClockLimits
from .fpga import FpgaTarget
from .paths import Timing

Target = AsicTarget | FpgaTarget

BLOCK_OF = {
    "row_decoder": "decoder",
    "multi_line_row_decoder": "decoder",
    "reference_select": "reference select",
    "sub_array_controller": "controller",
    "write_controller": "controller",
    "bit_counter": "bit-counter",
    "shifter": "shifter",
    "half_shifter": "shifter",
    "quarter_shifter": "shifter",
    "eighth_shifter": "shifter",
    "sum": "sum",
    "sub_array": "sub-array, rest",
    "counters": "counters",
    "engine": "engine, rest",
    "input_streamer": "input streamer",
    "window_sum": "window sum",
    "sequencer": "sequencer",
    "layer_controller": "layer controller",
    "window_correction": "lanes: correction",
    "batch_norm": "lanes: batch-norm",
    "quantizer": "lanes: quantizer",
    "pooling": "lanes: pooling",
    "activation": "lanes: activation",
    "dpu": "lanes, rest",
    "output_stage": "output stage",
    "image_bank": "image bank, turning words",
    "clock_gate": "clock gates",
    "axi_bank": "AXI4",
    "axi_registers": "AXI4-Lite, registers",
    "accelerator": "top, rest",
}
"""Block of each module. A module that is not here belongs to the block in which it is placed."""

PLAIN_DECODER = "row_decoder"
"""Module of the decoder that a plain memory has."""


def area_report(
    cells: Mapping[str, Counter[str]],
    target: Target,
    *,
    top: str,
    machine: str,
    library: str,
    library_source: str,
    yosys: str,
    black_boxes: tuple[str, ...] = (),
    unit: str = "sub_array",
    timings: Mapping[str, Timing] | None = None,
    sta: str | None = None,
    clock_limits: ClockLimits | None = None,
    clock_gating: str = "none",
) -> AreaReport:
    """Add up the cells of modules, block by block, for one `unit` and for all that `top` places.

    Parameters
    ----------
    cells : mapping of str to Counter
        As `map_modules` returns it.
    unit : str
        The module whose share of each block is given beside the whole.
    timings : mapping of str to Timing, optional
        Worst paths of each module, found by `sta`.
    clock_limits : ClockLimits, optional
    clock_gating : str

    Raises
    ------
    RuntimeError
        If the blocks do not add up to the whole design.
    """
    whole = _Walk(cells, black_boxes)
    whole.visit(top, "rest", 1)
    one = _Walk(cells, black_boxes)
    one.visit(unit, "rest", 1)
    placed = whole.placed[unit]
    total = sum(whole.cells.values(), Counter())
    _check(total, cells, whole, black_boxes)
    in_all, sub_array_cells = target.figures(total), sum(one.cells.values(), Counter())
    sub_array = target.figures(sub_array_cells)
    order = list(dict.fromkeys([*BLOCK_OF.values(), *whole.cells]))
    blocks = [
        Block(
            name=name,
            modules=tuple(whole.modules[name]),
            count=whole.count[name],
            sub_array=Part.of(sub_array, target.figures(one.cells[name])) if name in one.cells else None,
            timing=Timing.worst([timings[module] for module in whole.modules[name]]) if timings else None,
            **vars(Part.of(in_all, target.figures(whole.cells[name]))),
        )
        for name in order
        if name in whole.cells
    ]
    all_sub_arrays = target.figures(Counter({name: placed * n for name, n in sub_array_cells.items()}))
    return AreaReport(
        machine=machine,
        library=library,
        library_source=library_source,
        yosys=yosys,
        black_boxes=black_boxes,
        blocks=tuple(blocks),
        sub_array=sub_array,
        sub_arrays=SubArrays(**vars(all_sub_arrays), count=placed),
        total=in_all,
        adders=target.adders,
        period_ns=target.period_ns,
        sta=sta,
        clock_limits=clock_limits,
        clock_gating=clock_gating,
        plain_decoder=target.figures(cells[PLAIN_DECODER]) if PLAIN_DECODER in cells else None,
    )


class _Walk:
    """Goes down the tree of instances and adds up the cells of each block."""

    def __init__(self, cells: Mapping[str, Counter[str]], black_boxes: tuple[str, ...]) -> None:
        self.of_module = cells
        self.black_boxes = black_boxes
        self.cells: dict[str, Counter[str]] = {}
        self.modules: dict[str, dict[str, None]] = {}
        self.count: Counter[str] = Counter()
        self.placed: Counter[str] = Counter()

    def visit(self, module: str, parent: str, times: int) -> None:
        block = BLOCK_OF.get(module, parent)
        self.placed[module] += times
        self.modules.setdefault(block, {})[module] = None
        if block != parent or block == "rest":
            self.count[block] += times
        own = self.cells.setdefault(block, Counter())
        for name, number in self.of_module[module].items():
            if name in self.of_module:
                self.visit(name, block, times * number)
            elif name not in self.black_boxes:
                own[name] += times * number


def _check(
    total: Counter[str], cells: Mapping[str, Counter[str]], walk: _Walk, black_boxes: tuple[str, ...]
) -> None:
    """Compare the sum over the blocks with the sum over the modules, each as often as it is placed."""
    expected: Counter[str] = Counter()
    for module, types in cells.items():
        for name, number in types.items():
            if name not in cells and name not in black_boxes:
                expected[name] += walk.placed[module] * number
    if total != expected:
        raise RuntimeError("the blocks of the area report do not add up to the design")
