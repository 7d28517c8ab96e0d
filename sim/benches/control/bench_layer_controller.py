# amaranth: UnusedElaboratable=no
"""Bench of `LayerController`: random programs before units that take their time, every refusal, aborts."""

import json
import os
from dataclasses import dataclass, field
from itertools import product
from random import Random

import cocotb
import numpy as np
from cocotb.handle import HierarchyObject
from cocotb.triggers import FallingEdge, RisingEdge
from numpy.typing import NDArray

from spinplane.behavioral.control.layer_controller import DescriptorError, read_descriptor, read_header
from spinplane.hdl.common.descriptor import DESCRIPTOR
from spinplane.hdl.control.layer_controller import program_width, program_words
from spinplane.machine import Machine
from spinplane.machine.codec import End, Header, encode, raw_words
from spinplane.machine.descriptor import DESCRIPTOR_FIELDS, FIELD_INDEX, FORMAT_VERSION, Kind, Load
from spinplane.machine.registers import Error, machine_digest
from spinplane.machine.timing import fetch_cycles

from ...packing import unpack
from ...streams import reset

MACHINE = Machine(**json.loads(os.environ["BENCH_MACHINE"]))
DESCRIPTOR_CYCLES = fetch_cycles(MACHINE)

#: What the fields of a layer's descriptor hold, by name.
Held = dict[str, int]
Words = NDArray[np.uint32]

#: Largest number to try of fields that are refused beyond some number.
CHECKED = {
    "plane_groups": 7,
    "log_slots": 3,
    "log_planes": 3,
    "spread": 1,
    "length": MACHINE.columns,
    "last_length": MACHINE.columns,
    "first_lines": 1,
    "first_columns": 1,
    "log_clusters": 3,
    "log_clusters_x": 3,
    "sub_arrays": MACHINE.sub_arrays,
    "last_sub_arrays": MACHINE.sub_arrays,
    "load": 3,
    "load_sub_arrays": MACHINE.sub_arrays,
    "interval": 127,
    "pool": 3,
    "float_scale": 1,
    "rounding": 15,
    "search_reads": 7,
    "residual": 1,
    "own_code": 1,
    "own_rounding": 15,
    "multiplies_total": 1,
    "total_high": 255,
    "raw": 1,
}
#: What else holds where a field is refused, and nothing before it is.
REFUSED_BESIDE: dict[str, Held] = {
    "plane_groups": {"log_planes": 1},
    "log_planes": {"log_slots": 1},
    "spread": {"in_bytes": 1},
    "float_scale": {"multiplies": 0},
    "residual": {"multiplies": 0},
    "own_code": {"multiplies": 0},
    "multiplies_total": {"own_code": 0},
    "total_high": {"total_low": 17},
    "raw": {"table": 1},
}

#: On what the least interval hangs, beside planes; which of it asks for other.
PACED_BY = ("multiplies", "residual", "own_code", "multiplies_total", "search_reads", "table")
ASKS_FOR = {"residual": "multiplies", "own_code": "multiplies", "multiplies_total": "own_code"}


def header(tag: int, *, version: int = FORMAT_VERSION, machine: int = machine_digest(MACHINE)) -> Words:
    return encode(Header(machine=machine, tag=tag, version=version))


def random_layer(rng: Random, wrong: float = 0, **choices: int) -> Held:
    """Any values but `choices`; those that are checked are right, but with the chance `wrong` anything up to their
    largest.
    """
    values = {f.name: rng.choice((f.smallest, f.largest, 0)) for f in DESCRIPTOR_FIELDS}
    right = dict.fromkeys(CHECKED, 0) | {
        "first_lines": 1,
        "first_columns": 1,
        "interval": CHECKED["interval"],
        "load": rng.randrange(3),
        **random_output_stage(rng, choices),
    }
    layer = values | right | choices | {"kind": Kind.LAYER.value}
    for name, largest in CHECKED.items():
        if rng.random() < wrong:
            layer[name] = rng.randint(0, largest)
    return layer


def random_output_stage(rng: Random, choices: Held) -> Held:
    """Fields of which one asks for another: what the output stage does to a sum."""

    def flag(name: str, allowed: int = 1) -> int:
        return choices.get(name, allowed and rng.randrange(2))

    multiplies, search_reads, table = (
        flag("multiplies"),
        choices.get("search_reads", rng.randrange(5)),
        flag("table"),
    )
    own_code = flag("own_code", multiplies)
    low, high = sorted(rng.choices((-256, -1, 0, 255), k=2))
    return {
        "multiplies": multiplies,
        "float_scale": flag("float_scale", multiplies),
        "residual": flag("residual", multiplies),
        "own_code": own_code,
        "multiplies_total": flag("multiplies_total", own_code),
        "search_reads": search_reads,
        "table": table,
        "raw": flag("raw", int(not search_reads and not table)),
        "pool": rng.randrange(3),
        "rounding": rng.randrange(9),
        "own_rounding": rng.randrange(9),
        "total_low": low,
        "total_high": high,
    }


def end() -> Words:
    return encode(End())


def refusal(words: Words, *, is_first: bool) -> tuple[Error, int]:
    """What the golden model refuses a descriptor for, and the number of the word that it is about, else 0."""
    try:
        (read_header if is_first else read_descriptor)(words, MACHINE)
    except DescriptorError as refused:
        return refused.error, refused.word
    return Error.NONE, 0


@dataclass
class Outcome:
    """What a program did: passes with their loads, descriptors that were logged, and how it ended."""

    starts: list[tuple[int, Held, int]] = field(default_factory=list)
    logged: list[tuple[int, int]] = field(default_factory=list)
    done: int = 0
    halts: list[int] = field(default_factory=list)
    failed: int = 0
    error: int = 0
    error_word: int = 0
    descriptor: int = 0
    resident: int = 0


class Surroundings:
    """Program memory and units, which are busy for some cycles after each start."""

    def __init__(self, dut: HierarchyObject) -> None:
        self._dut = dut
        self._memory = [0] * program_words(MACHINE)

    def load(self, descriptors: list[Words], at: int = 0) -> None:
        """Write descriptors, ndarrays of shape (DESCRIPTOR_WORDS,), into the memory from number `at` on."""
        lanes = program_width(MACHINE) // 32
        bits = np.concatenate(descriptors).reshape(-1, lanes)
        first = at * bits.shape[0] // len(descriptors)
        for number, word in enumerate(bits):
            self._memory[first + number] = sum(int(part) << 32 * lane for lane, part in enumerate(word))

    async def run(
        self,
        busy: list[int],
        program: int = 0,
        abort: int = 0,
        unit_error: tuple[int, Error] = (0, Error.NONE),
        pulse: int = 0,
    ) -> Outcome:
        """Start a program and watch it to its end, with the start in cycle 0.

        Units are busy for `busy` cycles in each pass in turn. ``abort`` comes in that cycle if it is not 0, an error
        of a unit that many cycles after the start of the first pass; after either, ``pulse`` stays for some cycles.
        """
        dut, found = self._dut, Outcome()
        left, data, cycle = 0, None, 0
        pulses = -1
        dut.program.value = program
        while True:
            dut.start.value = int(cycle == 0)
            dut.abort.value = int(bool(abort) and cycle == abort)
            if data is not None:
                dut.memory__data.value = data
            dut.units_busy.value = int(left > 0)
            fails_now = (
                bool(found.starts) and bool(unit_error[0]) and cycle >= found.starts[0][0] + unit_error[0]
            )
            dut.unit_error.value = int(unit_error[1]) if fails_now else 0
            if fails_now or (abort and cycle == abort):
                pulses = pulses if pulses >= 0 else pulse + 1
            dut.pulse.value = int(pulses > 0)
            await FallingEdge(dut.clk)
            assert bool(dut.busy.value) == (cycle > 0)
            pulses -= pulses > 0
            left -= left > 0
            if dut.memory__enable.value:
                data = self._memory[dut.memory__address.value.to_unsigned()]
            if dut.unit_start.value:
                layer = unpack(DESCRIPTOR, dut.layer.value.to_unsigned())
                found.starts.append((cycle, layer, int(dut.load.value)))
                left = busy[(len(found.starts) - 1) % len(busy)]
            if dut.log.value:
                found.logged.append((cycle, dut.descriptor.value.to_unsigned()))
            if dut.halt.value:
                assert not dut.pulse.value
                found.halts.append(cycle)
            is_done = bool(dut.done.value)
            if is_done:
                found.done = cycle
                for name in ("failed", "error", "error_word", "descriptor", "resident"):
                    setattr(found, name, int(getattr(dut, name).value))
            await RisingEdge(dut.clk)
            cycle += 1
            if is_done:
                dut.units_busy.value = dut.unit_error.value = dut.pulse.value = dut.abort.value = 0
                return found


def expect_success(found: Outcome, layers: list[Held], busy: list[int], first: int, loads: list[int]) -> None:
    """The layers were run with these loads, in the cycles that the controller promises."""
    due = 2 * DESCRIPTOR_CYCLES + 1
    for number, (layer, (cycle, seen, load)) in enumerate(zip(layers, found.starts, strict=True)):
        assert (cycle, seen, load) == (due, layer, loads[number]), f"layer {number}"
        due += busy[number % len(busy)] + 1 + DESCRIPTOR_CYCLES + 1
    assert [number for _, number in found.logged] == list(range(first, first + len(layers) + 2))
    assert (found.done, found.failed, found.error, found.error_word) == (due, 0, 0, 0)
    assert found.descriptor == first + len(layers) + 1
    assert not found.halts


def expect_refusal(found: Outcome, error: Error, word: int, descriptor: int) -> None:
    assert (found.failed, Error(found.error), found.error_word) == (1, error, word)
    assert (found.descriptor, found.resident) == (descriptor, 0)
    assert [number for _, number in found.logged] == list(range(len(found.logged)))
    assert found.halts == [found.done - 1]


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def programs_with_their_kernels_resident_or_not(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    around = Surroundings(dut)
    resident = 0
    for tag in (7, 7, 0, 0, 7, 0xFFFFFFFF, 0xFFFFFFFF):
        layers = [random_layer(rng) for _ in range(rng.randint(0, 3))]
        first = rng.randint(0, MACHINE.descriptors - len(layers) - 2)
        around.load([header(tag), *(raw_words(**layer) for layer in layers), end()], first)
        loads = [
            int(
                layer["load"] == Load.ALWAYS.value
                or (layer["load"] == Load.UNLESS_RESIDENT.value and not (tag and resident == tag))
            )
            for layer in layers
        ]
        busy = [rng.choice((0, 1, 9)) for _ in range(3)]
        found = await around.run(busy, first)
        expect_success(found, layers, busy, first, loads)
        resident = tag
        assert found.resident == resident


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def every_refusal_of_a_layer(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    around = Surroundings(dut)
    for name, largest in CHECKED.items():
        layers = [random_layer(rng, **REFUSED_BESIDE.get(name, {})) for _ in range(2)]
        allowed: list[int] = []
        refused: list[int] = []
        for value in range(largest + 1):
            for layer, values in zip(layers, (allowed, refused), strict=True):
                layer[name] = value
                error, _ = refusal(raw_words(**layer), is_first=False)
                if bool(error) == (values is refused):
                    values.append(value)
        for layer, values in zip(layers, (allowed, refused), strict=True):
            layer[name] = rng.choice((values[0], values[-1]))
        around.load([header(1), *(raw_words(**layer) for layer in layers), end()])
        found = await around.run([1])
        expect_refusal(found, Error.FIELD, FIELD_INDEX[name], 2)
        assert len(found.starts) == 1


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def intervals_that_are_too_short(dut: HierarchyObject) -> None:
    """The least one is taken, and one less is not, whatever a beat does."""
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    around, met = Surroundings(dut), set()
    for what in product((0, 1), repeat=len(PACED_BY)):
        paced = dict(zip(PACED_BY, what, strict=True))
        if any(paced[name] > paced[other] for name, other in ASKS_FOR.items()):
            continue
        paced["search_reads"] *= rng.randrange(1, 5)
        paced |= {name: rng.randrange(8) for name in ("residual_planes", "out_planes")}
        layer = random_layer(rng, **paced)
        least = next(
            interval
            for interval in range(CHECKED["interval"] + 1)
            if refusal(raw_words(**layer | {"interval": interval}), is_first=False)[0] is Error.NONE
        )
        met.add(least)
        around.load([header(1), raw_words(**layer | {"interval": least}), end()])
        assert not (await around.run([1])).failed
        around.load([header(1), raw_words(**layer | {"interval": least - 1}), end()])
        expect_refusal(await around.run([1]), Error.FIELD, FIELD_INDEX["interval"], 1)
    assert len(met) > 10
    for planes in range(1, 8):
        # The reads of a residual, which is refused only afterwards, for want of products.
        layer = random_layer(
            rng, residual=1, multiplies=0, own_code=0, float_scale=0, search_reads=0, table=0
        )
        layer |= {"multiplies_total": 0, "raw": 0, "out_planes": 0, "residual_planes": planes}
        for interval, refused in ((planes, "interval"), (planes + 1, "residual")):
            around.load([header(1), raw_words(**layer | {"interval": interval}), end()])
            expect_refusal(await around.run([1]), Error.FIELD, FIELD_INDEX[refused], 1)


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def the_first_of_several_refusals(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    around = Surroundings(dut)
    for _ in range(15):
        words = raw_words(**random_layer(rng, 0.1))
        around.load([header(1), words, end()])
        error, word = refusal(words, is_first=False)
        found = await around.run([1])
        if error is Error.NONE:
            assert not found.failed
        else:
            expect_refusal(found, error, word, 1)


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def words_that_do_not_fit_their_fields(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    around = Surroundings(dut)
    for number, checked in enumerate(DESCRIPTOR_FIELDS):
        if checked.bits == 32:
            continue
        words = [header(1), raw_words(**random_layer(rng)), end()]
        at = int(rng.random() < 0.1)
        words[at][number] = rng.choice((checked.largest + 1, (checked.smallest - 1) & 0xFFFFFFFF))
        around.load(words)
        assert refusal(words[at], is_first=at == 0) == (Error.FIELD, number)
        expect_refusal(await around.run([1]), Error.FIELD, number, at)


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def headers_kinds_and_the_end_of_the_memory(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    around = Surroundings(dut)
    cases = [
        ([header(1, version=FORMAT_VERSION + 1)], Error.VERSION, 0),
        ([header(1, machine=machine_digest(MACHINE) ^ 1)], Error.MACHINE, 0),
        ([raw_words(**random_layer(rng))], Error.NO_HEADER, 0),
        ([end()], Error.NO_HEADER, 0),
        ([raw_words(kind=Kind.MEMORY.value)], Error.NO_HEADER, 0),
        ([header(1), header(1)], Error.KIND, 1),
        ([header(1), raw_words(**random_layer(rng)), header(1)], Error.KIND, 2),
    ]
    if not MACHINE.memory_operations:
        cases.append(([header(1), raw_words(kind=Kind.MEMORY.value)], Error.KIND, 1))
    for descriptors, error, at in cases:
        around.load(descriptors)
        assert refusal(descriptors[at], is_first=at == 0) == (error, 0)
        expect_refusal(await around.run([2]), error, 0, at)
    last = MACHINE.descriptors - 1
    around.load([header(1)], last)
    found = await around.run([1], last)
    assert (found.error, found.descriptor) == (Error.NO_END, last + 1)
    found = await around.run([1], 0xFFFF)
    assert (found.error, found.descriptor) == (Error.NO_END, 0xFFFF)


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def errors_of_units_and_aborts(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    around = Surroundings(dut)
    words = raw_words(**random_layer(rng) | {"load": Load.UNLESS_RESIDENT.value})
    around.load([header(5), words, words, end()])
    first_pass = 2 * DESCRIPTOR_CYCLES + 1
    for pulse in (0, 1, 7):
        await around.run([3])
        error = rng.choice((Error.ROW, Error.IMAGE_BANK, Error.KERNEL_BANK, Error.PARAMETER_BANK))
        after = rng.randint(1, 20)
        found = await around.run([50], unit_error=(after, error), pulse=pulse)
        expect_refusal(found, error, 0, 1)
        assert found.starts[0][2] == 0
        assert found.halts == [first_pass + after + pulse + 1]
        await around.run([3])
        abort = rng.choice((1, 2, DESCRIPTOR_CYCLES, first_pass - 1, first_pass, first_pass + 9))
        found = await around.run([50], abort=abort, pulse=pulse)
        expect_refusal(found, Error.ABORTED, 0, int(abort > DESCRIPTOR_CYCLES))
        assert found.halts == [abort + pulse + 1]
        found = await around.run([3])
        assert [load for _, _, load in found.starts] == [1, 1]
    for _ in range(3):
        dut.abort.value = 1
        await RisingEdge(dut.clk)
    dut.abort.value = 0
    found = await around.run([3])
    assert [load for _, _, load in found.starts] == [0, 0]
    assert not found.failed
