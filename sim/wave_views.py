"""Views of a waveform for GTKWave and for Surfer: the signals that a reader looks for first, in groups."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from spinplane.machine.files import write_whole

_ARRAY = "engine.sub_array_0"
#: Signals by group and by unit, under the accelerator; `None` is the accelerator itself. One sub-array stands for all.
GROUPS: Mapping[str, Mapping[str | None, tuple[str, ...]]] = {
    "host bus": {
        None: (
            *("clk", "rst", "axil__awvalid", "axil__awaddr", "axil__wvalid", "axil__wdata"),
            *("axil__arvalid", "axil__araddr", "axil__rvalid", "axil__rdata"),
            *("axi__awvalid", "axi__awaddr", "axi__wvalid", "axi__wready", "axi__wdata"),
            *("axi__arvalid", "axi__araddr", "axi__rvalid", "axi__rdata", "interrupt"),
        ),
    },
    "controller": {
        "layer_controller": ("start", "busy", "descriptor", "unit_start", "done", "error"),
        "input_streamer": ("rows__valid", "rows__ready"),
        "sequencer": ("busy", "command__valid", "command__ready"),
        f"{_ARRAY}.sub_array_controller": ("command__valid", "command__ready", "busy", "pulse", "stalled"),
    },
    "row decoder": {
        f"{_ARRAY}.row_decoder": ("enable", "address", "word_lines"),
        f"{_ARRAY}.multi_line_row_decoder": ("enable_a", "address_a", "enable_b", "address_b", "word_lines"),
    },
    "sense and references": {
        f"{_ARRAY}.sot_mram_array": ("wwl", "wbl", "rwl", "en_m", "en_and", "en_or", "sense"),
    },
    "counts": {
        f"{_ARRAY}.bit_counter": ("row__valid", "row__payload", "count__valid", "count__payload"),
        f"{_ARRAY}.shifter": ("value", "amount", "shifted"),
    },
    "sums": {
        f"{_ARRAY}.sum": (
            "addends__valid",
            "addends__payload",
            "accumulators",
            "results__valid",
            "results__payload",
        ),
        "engine": ("result__valid", "result__payload"),
        "window_sum": ("sums__valid", "sums__payload"),
    },
    "output": {
        "output_stage": ("results__valid", "busy", "codes"),
        None: ("image_write__enable", "image_write__address", "image_write__data"),
    },
}
#: Unit in which the accelerator's scope is known.
_CHILD = "layer_controller"
# Marks of lines in GTKWave's files: bits in binary, words in hexadecimal, a group's begin and end.
_BIT, _WORD, _BEGIN, _END = "@28", "@22", "@800200", "@1000200"


@dataclass(frozen=True, kw_only=True)
class _Signal:
    """A signal's full name, with dots between scopes, and its bits as a VCD writes them: ``[7:0]``, or nothing."""

    name: str
    bits: str


def write_views(waves: Path) -> tuple[Path, Path]:
    """Write a view for each viewer beside a waveform, with those signals of `GROUPS` that it holds.

    They name the waveform without its folder, which can be moved.

    Parameters
    ----------
    waves : Path
        A VCD of an accelerator.

    Returns
    -------
    (Path, Path)
        For GTKWave, ``gtkwave waves.vcd waves.gtkw``, and for Surfer, ``surfer waves.vcd --command-file waves.sucl``.
    """
    groups = _groups(signals_of(waves))
    for_gtkwave, for_surfer = waves.with_suffix(".gtkw"), waves.with_suffix(".sucl")
    write_whole(for_gtkwave, _gtkwave(waves.name, for_gtkwave.name, groups).encode())
    write_whole(for_surfer, _surfer(groups).encode())
    return for_gtkwave, for_surfer


def signals_of(waves: Path) -> dict[tuple[str, ...], str]:
    """Signals in the header of a VCD: bits by path.

    Parameters
    ----------
    waves : Path

    Returns
    -------
    dict of tuple of str to str
        Scopes and name of each signal; and its range as written, empty for a single bit.
    """
    found, scopes = {}, []
    with waves.open(encoding="utf-8") as lines:
        for line in lines:
            match line.split():
                case ["$scope", _, name, *_]:
                    scopes.append(name)
                case ["$upscope", *_]:
                    scopes.pop()
                case ["$var", _, _, _, name, *bits, "$end"]:
                    found[*scopes, name] = "".join(bits)
                case ["$enddefinitions", *_]:
                    break
    return found


def _groups(found: Mapping[tuple[str, ...], str]) -> dict[str, list[_Signal]]:
    """The signals of each group that are there."""
    tops = [path[: path.index(_CHILD)] for path in found if _CHILD in path]
    if not tops:
        return {}
    return {
        group: [
            _Signal(name=".".join(path), bits=found[path])
            for unit, names in units.items()
            for name in names
            if (path := (*tops[0], *(unit.split(".") if unit else ()), name)) in found
        ]
        for group, units in GROUPS.items()
    }


def _gtkwave(waves: str, view: str, groups: Mapping[str, Iterable[_Signal]]) -> str:
    lines = [f'[dumpfile] "{waves}"', f'[savefile] "{view}"', "[timestart] 0"]
    for group, signals in groups.items():
        lines += [_BEGIN, f"-{group}"]
        for signal in signals:
            lines += [_WORD if signal.bits else _BIT, f"{signal.name}{signal.bits}"]
        lines += [_END, f"-{group}"]
    return "\n".join(lines) + "\n"


def _surfer(groups: Mapping[str, Iterable[_Signal]]) -> str:
    lines = []
    for group, signals in groups.items():
        lines += [
            f"divider_add {group.replace(' ', '_')}",
            *(f"variable_add {signal.name}" for signal in signals),
        ]
    return "\n".join((*lines, "zoom_fit")) + "\n"
