"""A network as a program for the accelerator: everything that a host writes into its banks."""

from collections.abc import Sequence
from itertools import product
from zlib import crc32

import numpy as np

from spinplane.machine import Machine, SpinplaneError
from spinplane.machine.codec import End, Header, encode
from spinplane.machine.program import ProgramLayer, ProgramOutput
from spinplane.machine.registers import machine_digest

from ..compiled_program import CompiledProgram
from ..graph import Graph
from ..mapping.kernel_allocation import choose_allocations
from ..mapping.stages import NetworkStages, Stage
from ..predict import predict_descriptors
from .plan import Plan, plan_program


def compile_graph(
    graph: Graph,
    machine: Machine,
    *,
    batch: int = 1,
    fold_pools: bool = False,
    split_pools: bool = True,
    widen_groups: bool = True,
) -> CompiledProgram:
    """Compile a network for a machine.

    Parameters
    ----------
    graph : Graph
    machine : Machine
    batch : int
        Images that a run takes. Each layer runs for all of them before the next one begins, and loads its kernels once.
    fold_pools : bool
        Whether an average pooling may be folded into the kernels of its layer, see
        `spinplane.compiler.mapping.folding`.
    split_pools : bool
        Whether maxima over overlapping regions may be taken in passes of their own, see
        `spinplane.compiler.mapping.layer_splitting`.
    widen_groups : bool
        Whether groups may be widened to powers of two by passes of their own, see
        `spinplane.compiler.mapping.group_splitting`. All three are done where a steady run takes fewer cycles and the
        banks hold it; what a layer gives stays the same.

    Returns
    -------
    CompiledProgram
        Its maps `inputs` take codes (value − offset) / scale of what `Graph.encode_input` gives.

    Raises
    ------
    SpinplaneError
        If a layer does not fit, with its name, the numbers and the parameter of the machine, or its steps are none
        that the output stage can compute. Of a batch that does not fit it names the largest that does.
    """
    if batch < 1:
        raise SpinplaneError(f"batch = {batch}: must be at least 1")
    network = NetworkStages(graph, machine)
    folds = sorted({False, fold_pools and network.foldable})
    splits = sorted({False, split_pools and network.splittable})
    widths = sorted({False, widen_groups and network.groupable})
    ways = list[Sequence[Stage] | SpinplaneError]()
    # The network as it is comes first: it is taken if nothing is better, and told of if nothing fits.
    for fold, split, widen in product(folds, splits, widths):
        try:
            ways.append(network.choose(fold_pools=fold, split_pools=split, widen_groups=widen))
        except SpinplaneError as refusal:
            ways.append(refusal)
    try:
        plans = _plans(machine, network, ways, batch)
    except SpinplaneError as refusal:
        if batch == 1:
            raise
        largest = _largest_batch(machine, network, ways, batch)
        raise SpinplaneError(
            f"batch = {batch}: {refusal}; the largest batch that fits is {largest}"
        ) from None
    best = min(plans, key=lambda plan: predict_descriptors(machine, plan.passes, resident=True).total.cycles)
    return _program(graph, machine, best, batch)


def _plans(
    machine: Machine, network: NetworkStages, ways: Sequence[Sequence[Stage] | SpinplaneError], batch: int
) -> list[Plan]:
    """Plans for a batch, of ways to compute the network that are not refused already.

    Raises
    ------
    SpinplaneError
        If none fits; the message is that of the first way.
    """
    plans, refusals = list[Plan](), list[SpinplaneError]()
    for stages in ways:
        if isinstance(stages, SpinplaneError):
            refusals.append(stages)
            continue
        # Kernels that lie where they lie for one image make no image take longer than alone.
        for images in sorted({1, batch}, reverse=True):
            try:
                allocations = choose_allocations(machine, [stage.candidates for stage in stages], images)
                plans.append(plan_program(machine, network, stages, allocations, batch))
            except SpinplaneError as refusal:
                refusals.append(refusal)
    if not plans:
        raise refusals[0]
    return plans


def _largest_batch(
    machine: Machine, network: NetworkStages, ways: Sequence[Sequence[Stage] | SpinplaneError], too_many: int
) -> int:
    """Images that fit, found by halving.

    Raises
    ------
    SpinplaneError
        If not even one fits.
    """
    _plans(machine, network, ways, 1)
    # Each image takes a descriptor of its own.
    fits, too_many = 1, min(too_many, machine.descriptors)
    while too_many - fits > 1:
        batch = (fits + too_many) // 2
        try:
            _plans(machine, network, ways, batch)
            fits = batch
        except SpinplaneError:
            too_many = batch
    return fits


def _program(graph: Graph, machine: Machine, plan: Plan, batch: int) -> CompiledProgram:
    """The words of all banks, and a header for them."""
    rows = np.concatenate([load.kernel_rows() for load in plan.loads])
    digest = machine_digest(machine)
    # 0 says that nothing is resident, so no program has it as its tag.
    tag = crc32(rows.data, crc32(np.array(plan.descriptors).data, digest)) or 1
    header = Header(machine=digest, tag=tag)
    # Number of the first stage of each layer, and of the one after the last.
    layers = [placed.stage.number for placed in plan.stages]
    bounds = np.searchsorted(layers, np.arange(len(graph.layers) + 1))
    return CompiledProgram(
        machine=machine,
        name=graph.name,
        descriptors=np.array([encode(header), *plan.descriptors, encode(End())]),
        kernel_rows=rows,
        parameters=np.concatenate([load.parameters for load in plan.loads]),
        scales=np.concatenate([load.scales for load in plan.loads]),
        thresholds=np.concatenate(plan.lookups),
        input=plan.maps[0],
        layers=tuple(
            ProgramLayer(
                name=layer.name,
                descriptors=tuple(n for placed in plan.stages[begin:end] for n in placed.numbers),
                output=plan.maps[end],
                kept=plan.kept[end],
            )
            for layer, begin, end in zip(graph.layers, bounds, bounds[1:], strict=False)
        ),
        outputs=tuple(ProgramOutput(name=output.name, layers=output.layers) for output in graph.outputs),
        batch=batch,
        graph=graph,
        stages=tuple(plan.stages),
    )
