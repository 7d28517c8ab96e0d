"""Random hostile programs, and what the golden model of the controller's checks says of them."""

from collections.abc import Callable
from random import Random

import numpy as np
from numpy.typing import NDArray

from spinplane.behavioral.control.layer_controller import DescriptorError, read_descriptor, read_header
from spinplane.behavioral.control.memory_operation import memory_error
from spinplane.machine import Machine
from spinplane.machine.codec import End, Header, encode, raw_words
from spinplane.machine.descriptor import (
    DESCRIPTOR_FIELDS,
    DESCRIPTOR_WORDS,
    FIELD_INDEX,
    FORMAT_VERSION,
    MEMORY_WORDS,
    Field,
    Kind,
)
from spinplane.machine.memory_operation import MemoryOperation
from spinplane.machine.passes import Pass
from spinplane.machine.program import Program
from spinplane.machine.registers import Error, machine_digest
from spinplane.sim.benches.host.hostile_cases import Disturbance, HostileProgram, Judgement

Words = NDArray[np.uint32]
#: Descriptors of the program memory that the good program has, at most.
OWN = 20
#: Fields that a layer is refused for, and what is right for them on any machine.
RIGHT = {
    **dict.fromkeys(("plane_groups", "log_slots", "log_planes", "spread", "length", "last_length"), 0),
    **dict.fromkeys(("first_lines", "first_columns"), 1),
    **dict.fromkeys(
        ("log_clusters", "log_clusters_x", "sub_arrays", "last_sub_arrays", "load_sub_arrays"), 0
    ),
    **dict.fromkeys(("load", "pool", "float_scale", "rounding", "search_reads", "residual", "own_code"), 0),
    **dict.fromkeys(("own_rounding", "multiplies_total", "total_low", "raw"), 0),
    "interval": 127,
    "total_high": 255,
}
#: Numbers of loops, which are mostly small, so that a program comes to its end.
LOOPS = ("region_rows", "region_columns", "region_height", "region_width", "taps_y", "bursts", "burst_rows")
LOOPS += ("kernel_planes", "kernel_tiles", "load_rows", "pieces", "next_columns", "next_lines", "beats")
LOOPS += ("last_beats", "inner_cycles", "last_inner_cycles", "outer_cycles", "last_outer_cycles")


def hostile_program(machine: Machine, good: Program, seed: int) -> HostileProgram:
    """A program of some kind, in a place of the program memory behind the good one."""
    rng = Random(seed)
    draw = rng.choice(KINDS)
    words = np.array(draw(rng, machine, good), dtype=np.uint32)
    room = machine.descriptors - len(words)
    first = room if rng.random() < 0.1 else rng.randint(OWN, room)
    memory = np.zeros((machine.descriptors, DESCRIPTOR_WORDS), dtype=np.uint32)
    memory[first : first + len(words)] = words
    judgement, layers = judge(memory, first, machine)
    disturbances = list(Disturbance)
    return HostileProgram(
        first=first,
        words=memory[first:] if first == room else memory[first : first + len(words) + 1],
        disturbance=Disturbance(rng.choices(disturbances, weights=(10, 4, 2, 2, 1))[0]),
        after=int(rng.triangular(0, 900, 60)),
        judgement=judgement,
        layers=layers,
    )


def judge(memory: Words, first: int, machine: Machine) -> tuple[Judgement, tuple[int, ...]]:
    """How a program ends if each descriptor that is taken runs to its end, and the numbers of its layers."""
    layers, number, error, word = list[int](), first, Error.NO_END, 0
    try:
        read_header(memory[first], machine)
        for number in range(first + 1, machine.descriptors):
            match read_descriptor(memory[number], machine):
                case Pass():
                    layers.append(number)
                case MemoryOperation() as operation:
                    error = memory_error(operation)
                    if error is not Error.NONE:
                        break
                    error = Error.NO_END
                case End():
                    error = Error.NONE
                    break
        else:
            number = machine.descriptors
    except DescriptorError as refused:
        error, word = refused.error, refused.word
    return Judgement(error=int(error), descriptor=number, word=word), tuple(layers)


def header(machine: Machine, rng: Random) -> Words:
    return encode(Header(machine=machine_digest(machine), tag=rng.getrandbits(32)))


def any_value(rng: Random, field: Field) -> int:
    """A value of a field: often an end of its range."""
    ends = (field.smallest, field.largest, 0, 1, field.largest - 1)
    return rng.choice(ends) if rng.random() < 0.4 else rng.randint(field.smallest, field.largest)


def any_words(rng: Random, machine: Machine, good: Program) -> list[Words]:
    """Words of 32 bits, of all fields or of a few."""
    programs = [header(machine, rng)]
    for _ in range(rng.randint(1, 2)):
        words = np.zeros(DESCRIPTOR_WORDS, dtype=np.uint32)
        for field in DESCRIPTOR_FIELDS:
            if rng.random() < 0.5:
                words[FIELD_INDEX[field.name]] = rng.getrandbits(32)
            elif rng.random() < 0.5:
                words[FIELD_INDEX[field.name]] = any_value(rng, field) & 0xFFFFFFFF
        if rng.random() < 0.7:
            words[0] = rng.randrange(4)
        programs.append(words)
    return [*programs, encode(End())]


def any_layer(rng: Random, machine: Machine, good: Program) -> list[Words]:
    """Layers that are taken, mostly, whatever their addresses, strides and loops are."""
    programs = [header(machine, rng)]
    for _ in range(rng.randint(1, 3)):
        held = {field.name: any_value(rng, field) for field in DESCRIPTOR_FIELDS}
        held |= RIGHT | {"kind": Kind.LAYER.value, "load": rng.randrange(3), "pool": rng.randrange(3)}
        for name in LOOPS:
            if rng.random() < 0.9:
                held[name] = rng.randrange(4)
        for name in ("kernel_row", "input_row", "load_base", "line_rows", "group_rows", "parameter_base"):
            if rng.random() < 0.5:
                held[name] = rng.randrange(16)
        for name in ("in_base", "out_base", "start_x", "in_line_bits", "out_line_bits", "residual_base"):
            if rng.random() < 0.5:
                held[name] = rng.randrange(4096)
        held |= {"log_slots": rng.randrange(2), "length": rng.randrange(16), "last_length": rng.randrange(16)}
        held["log_planes"] = rng.randrange(2)
        if rng.random() < 0.5:
            held |= {"multiplies": 1, "float_scale": rng.randrange(2), "residual": rng.randrange(2)}
            held |= {"search_reads": rng.randrange(5), "table": rng.randrange(2)}
        for name in rng.sample(sorted(RIGHT), rng.choice((0, 0, 1, 3))):
            held[name] = any_value(rng, DESCRIPTOR_FIELDS[FIELD_INDEX[name]])
        programs.append(raw_words(**held))
    return [*programs, encode(End())]


def any_operation(rng: Random, machine: Machine, good: Program) -> list[Words]:
    """Memory operations on rows and words that exist, mostly."""
    programs = [header(machine, rng)]
    for _ in range(rng.randint(1, 5)):
        held = {"kind": Kind.MEMORY.value, "operation": rng.randrange(32), "burst_rows": rng.randrange(8)}
        held |= {word: rng.randrange(machine.rows) for word in MEMORY_WORDS.values()}
        held |= dict.fromkeys(("load_sub_arrays", "last_sub_arrays"), rng.randrange(machine.sub_arrays))
        if rng.random() < 0.2:
            held |= {"out_base": machine.image_words - rng.randrange(16)}
            held |= {"load_base": machine.kernel_words - rng.randrange(16)}
        if rng.random() < 0.3:
            name = rng.choice(("operation", "burst_rows", *MEMORY_WORDS.values()))
            held[name] = any_value(rng, DESCRIPTOR_FIELDS[FIELD_INDEX[name]])
        programs.append(raw_words(**held))
    return [*programs, encode(End())]


def mutated(rng: Random, machine: Machine, good: Program) -> list[Words]:
    """The good program with some other numbers."""
    words = good.descriptors.copy()
    for _ in range(rng.choice((1, 1, 2, 4, 8))):
        descriptor, field = rng.randrange(len(words)), rng.choice(DESCRIPTOR_FIELDS)
        old = int(words[descriptor, FIELD_INDEX[field.name]])
        near = (old + 1, old - 1, old * 2, old // 2, old ^ 1 << rng.randrange(32))
        value = rng.choice(near) if rng.random() < 0.5 else any_value(rng, field)
        words[descriptor, FIELD_INDEX[field.name]] = value & 0xFFFFFFFF
    return list(words)


def reordered(rng: Random, machine: Machine, good: Program) -> list[Words]:
    """Descriptors of the good program, lost, repeated and in another order; headers for something else."""
    others = list(good.descriptors[1:])
    chosen = rng.choices(others, k=rng.randint(1, len(others) + 2))
    wrong = {"machine": machine_digest(machine), "tag": rng.getrandbits(32), "version": FORMAT_VERSION}
    if rng.random() < 0.4:
        name = rng.choice(("machine", "version"))
        wrong[name] ^= 1 << rng.randrange(16)
    first = raw_words(kind=Kind.HEADER.value, **wrong)
    if rng.random() < 0.2:
        chosen.insert(rng.randrange(len(chosen) + 1), first)
    return [first if rng.random() < 0.9 else rng.choice(others), *chosen]


KINDS: tuple[Callable[[Random, Machine, Program], list[Words]], ...] = (
    any_words,
    any_layer,
    any_layer,
    any_operation,
    mutated,
    mutated,
    mutated,
    reordered,
)
