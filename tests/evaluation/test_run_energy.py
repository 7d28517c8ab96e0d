"""Energy of a run: each event in one category, nothing without its source, the same of all counters that agree."""

import numpy as np
import pytest
from int8_networks import residual_network
from small_networks import small_graph

from spinplane.behavioral.accelerator import Accelerator
from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.compiled_program import CompiledProgram
from spinplane.compiler.graph import Graph
from spinplane.compiler.predict import predict
from spinplane.device import load_technology, machine_clock
from spinplane.evaluation.clock_ticks import STOPPED, TICKS
from spinplane.evaluation.event_counts import (
    HOST_WORDS,
    LOADED_WORDS,
    bank_bits,
    event_counts,
    host_counts,
    map_bits,
)
from spinplane.evaluation.events import machine_events
from spinplane.evaluation.run_energy import CATEGORIES, CORE, LOAD, RunEnergy
from spinplane.machine import AcceleratorCounters, Machine, load_machine
from spinplane.models import open_network

TINY, SOT = load_machine("tiny"), load_technology("sot-mram")
SMALL = compile_graph(small_graph(), TINY)


def energies(machine: Machine = TINY, without: tuple[str, ...] = (), flip_flops: int = 9000) -> RunEnergy:
    clock = machine_clock(machine, SOT).clock_hz
    return RunEnergy(machine, SOT, clock_hz=clock, flip_flops=flip_flops, without=without)


def numbers(program: CompiledProgram, counters: AcceleratorCounters) -> dict[str, int]:
    host = host_counts(program)
    return event_counts(program.machine, counters, program.passes, len(program.descriptors), host)


STEADY = numbers(SMALL, predict(SMALL, resident=True).total)
ENERGIES = energies()


def test_each_event_with_a_counter_is_in_one_category() -> None:
    counted = {event.name for event in machine_events(TINY, SOT, ENERGIES.sources) if event.counter}
    of_machine = set(ENERGIES.events) - {
        "clock",
        *(f"leakage of {what}" for what in ("banks", "arrays", "logic")),
    }
    # The clock is counted for all flip-flops at once; what a host moves takes what the machine's own words take.
    assert counted - of_machine == {"flip-flop, clock on", "flip-flop, clock off"}
    assert of_machine - counted == {f"{event} by the host" for event in (*HOST_WORDS, *LOADED_WORDS)}
    assert {category for _, category in ENERGIES.events.values()} == {*CATEGORIES, LOAD}
    assert set(CORE) < set(CATEGORIES)


def test_categories_add_up_and_bounds_lie_around() -> None:
    total, parts = ENERGIES.total(STEADY), ENERGIES.by_category(STEADY)
    assert list(parts) == list(CATEGORIES)
    values = [part.value for part in parts.values()]
    assert sum(value for value in values if value) == pytest.approx(total.value)
    for part in (*parts.values(), total, ENERGIES.held(STEADY)):
        assert None not in (part.low, part.value, part.high)
        assert 0 < part.low < part.value < part.high  # type: ignore[operator]
    assert ENERGIES.held(STEADY).value > total.value  # type: ignore[operator]


def test_twice_as_many_events_take_twice_as_much() -> None:
    twice = ENERGIES.total({name: 2 * number for name, number in STEADY.items()}).value
    once = ENERGIES.total(STEADY).value
    assert once is not None
    assert twice == pytest.approx(2 * once)


@pytest.mark.parametrize(
    ("key", "gone"),
    [
        ("write.pulse", {"row write and read"}),
        ("count.settled", {"bit-count"}),
        ("shift.settled_wires", {"add"}),
        ("quantizer.glitches", {"output stage"}),
        ("bus.settled", {"control"}),
        ("sram.read_swing", {"banks", "host"}),
        ("logic.area_per_flip_flop", {"leakage"}),
        ("logic.leakage_per_width", {"leakage"}),
        ("layout.fill", {"banks", "host"}),
        ("sram.leakage", {"leakage"}),
        ("clock.period", {"leakage"}),
        ("machine.flip_flops", {"clock", "leakage"}),
        ("logic.wire", {"bit-count", "add", "output stage", "control"}),
    ],
)
def test_without_a_source_its_categories_and_the_total_are_null(key: str, gone: set[str]) -> None:
    lacking, whole = energies(without=(key,)), ENERGIES.by_category(STEADY)
    for category, energy in lacking.by_category(STEADY).items():
        if category in gone:
            assert (energy.value, energy.low, energy.high, energy.missing) == (None, None, None, key)
        else:
            assert energy == whole[category]
    assert lacking.total(STEADY).missing == key


def test_the_clock_follows_flip_flops_and_leakage_time() -> None:
    more, slow = energies(flip_flops=18000), RunEnergy(TINY, SOT, clock_hz=1e6, flip_flops=9000)

    def value(of: RunEnergy, category: str) -> float:
        found = of.total(STEADY, (category,)).value
        assert found is not None
        return found

    assert value(more, "clock") == pytest.approx(2 * value(ENERGIES, "clock"))
    assert value(slow, "leakage") == pytest.approx(
        value(ENERGIES, "leakage") * machine_clock(TINY, SOT).clock_hz / 1e6
    )
    assert value(slow, "clock") == value(ENERGIES, "clock")


def test_words_of_banks_are_those_of_the_counter() -> None:
    words = ("parameter_words", "scale_words", "threshold_words")
    assert sum(STEADY[name] for name in words) == STEADY["parameter_reads"]
    assert all(STEADY[name] >= 0 for name in words)
    assert STEADY["program_words"] % len(SMALL.descriptors) == 0
    assert STEADY["row_operations"] == STEADY["ands"] + STEADY["row_writes"]
    one_more = {**STEADY, "image_reads": STEADY["image_reads"] + 1}
    assert bank_bits(TINY, one_more) == bank_bits(TINY, STEADY) + TINY.columns


def test_a_host_writes_an_image_and_reads_the_results() -> None:
    # Whole words of the image bank.
    assert STEADY["host_image_writes"] == -(-map_bits(SMALL.input) // TINY.columns)
    assert STEADY["host_image_reads"] == sum(
        -(-map_bits(SMALL.layers[number].output) // TINY.columns) for number in SMALL.output_layers
    )
    read, written = (ENERGIES.events[f"image bank, {verb} by the host"] for verb in ("read", "write"))
    assert (read, written) == (("host_image_reads", "host"), ("host_image_writes", "host"))
    twice = {**STEADY, **{name: 2 * STEADY[name] for name in ("host_image_reads", "host_image_writes")}}
    assert ENERGIES.total(twice, ("host",)).value == pytest.approx(2 * value_of(STEADY, "host"))
    assert value_of(twice, "banks") == value_of(STEADY, "banks")


def test_a_program_is_loaded_once_and_in_no_image() -> None:
    assert STEADY["host_kernel_writes"] == len(SMALL.kernel_rows)
    assert value_of(STEADY, LOAD) > 0
    assert LOAD not in CATEGORIES
    unloaded = {**STEADY, **dict.fromkeys(LOADED_WORDS.values(), 0)}
    assert ENERGIES.total(unloaded) == ENERGIES.total(STEADY)


def test_pooling_joins_what_it_has_stored() -> None:
    # 36 windows pooled to 9: a pool's first one is not joined, in each beat of the 4 kernels.
    beats = 4 // TINY.results_per_cycle
    assert (STEADY["pool_reads"], STEADY["pool_writes"]) == (27 * beats, 36 * beats)
    assert STEADY["descriptors"] == len(SMALL.descriptors)


def value_of(numbers: dict[str, int], category: str) -> float:
    found = ENERGIES.total(numbers, (category,)).value
    assert found is not None
    return found


def test_results_and_values_are_those_of_the_shapes() -> None:
    # 4 kernels at 36 windows, pooled to 4×3×3; 3 classes, in beats of as many lanes as the machine has.
    lanes = TINY.results_per_cycle
    beats = -(-3 // lanes) * lanes
    assert STEADY["results"] >= 4 * 36 + beats
    assert STEADY["values"] == 4 * 9 + beats


def check_agreement(program: CompiledProgram) -> None:
    """The functional machine's counters, of a cold and of a steady run, take what the predicted ones take."""
    accelerator, energy = Accelerator(program.machine), energies(program.machine)
    accelerator.load(program)
    shape = (program.input.channels, program.input.height, program.input.width)
    for resident in (False, True):
        accelerator.write_map(program.input, np.zeros(shape, dtype=np.int64))
        run, predicted = accelerator.run(), predict(program, resident=resident)
        found = numbers(program, run.counters)
        assert found == numbers(program, predicted.total)
        assert run.layers == predicted.passes
        assert energy.total(found) == energy.total(numbers(program, predicted.total))


@pytest.mark.parametrize("model", ["digits-1-1", "digits-1-4", "lenet:1:1"])
def test_counters_of_the_functional_machine_agree(model: str) -> None:
    check_agreement(compile_graph(open_network(model, check=False).graph, load_machine("paper8")))


def test_counters_of_an_int8_residual_network_agree() -> None:
    graph = residual_network(0, (3, 8, 8), width=8, tflite=True)
    program = compile_graph(graph, load_machine("paper8"))
    check_agreement(program)
    found = numbers(program, predict(program, resident=True).total)
    own = [program.layers[number].output for number in residual_layers(graph)]
    assert own
    assert found["residuals"] == sum(one.channels * one.height * one.width for one in own)
    # What is added to a value is a product of its own.
    assert found["products"] >= found["values"] + found["residuals"]


def residual_layers(graph: Graph) -> list[int]:
    """Numbers of layers to whose values another map's are added."""
    return [number for number, layer in enumerate(graph.layers) if layer.residual or layer.addition]


def test_residuals_take_their_event_and_no_other_network_does() -> None:
    assert STEADY["residuals"] == 0
    one = {**STEADY, "residuals": 1}
    more = ENERGIES.total(one, ("output stage",)).value
    assert more is not None
    assert more > value_of(STEADY, "output stage")
    for category in set(CATEGORIES) - {"output stage"}:
        assert ENERGIES.total(one, (category,)) == ENERGIES.total(STEADY, (category,))


@pytest.mark.thorough
@pytest.mark.parametrize(
    "model", ["svhn:1:1", "svhn:1:2", "svhn:1:3", "svhn:1:4", "svhn:2:2", "alexnet-dorefa:1:1"]
)
def test_counters_of_the_papers_networks_agree(model: str) -> None:
    check_agreement(compile_graph(open_network(model, check=False).graph, load_machine("paper")))


def test_a_gated_clock_takes_less_and_other_categories_the_same() -> None:
    machine = SMALL.machine
    cycles, flip_flops = STEADY["cycles"], 9000
    gated = RunEnergy(
        machine, SOT, clock_hz=machine_clock(machine, SOT).clock_hz, flip_flops=flip_flops, gated=True
    )
    always = gated.by_category(STEADY | {TICKS: flip_flops * cycles, STOPPED: 0})
    half = gated.by_category(STEADY | {TICKS: flip_flops * cycles // 2, STOPPED: flip_flops * cycles // 2})
    plain = ENERGIES.by_category(STEADY)
    for category in CATEGORIES:
        assert always[category].value == pytest.approx(plain[category].value)
        if category != "clock":
            assert half[category] == always[category]
    of_half, of_plain = half["clock"].value, plain["clock"].value
    assert of_half is not None
    assert of_plain is not None
    assert of_plain / 2 < of_half < 0.6 * of_plain
