"""What a processor would move that fetches its operands, beside the bits that pass the machine's banks."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..event_totals import Interval
from ..parameters import Known, shipped_parameters
from ..sources import Sources
from .layer_work import LayerWork

KNOWN: dict[str, Known] = {"access.cache": ("pJ", 0.0, 1e-8), "access.dram": ("pJ", 0.0, 1e-8)}


@dataclass(frozen=True, kw_only=True)
class VonNeumann:
    """Bits and energies of operands of an image.

    Parameters
    ----------
    fetched_bits : int
        Where each multiply-accumulate fetches its weight and its input, and each output is written.
    reused_bits : int
        Where each weight and each value is moved once for a layer.
    port_bits : int
        Through the ports of all banks of the machine.
    reduction, reduction_reused : float
        `fetched_bits` and `reused_bits` ÷ `port_bits`.
    energy_fetched, energy_reused : Interval
        In J, from a cache.
    energy_fetched_dram, energy_reused_dram : Interval
        In J, from DRAM.
    energy_ports : Interval
        In J, of the machine's banks.
    """

    fetched_bits: int
    reused_bits: int
    port_bits: int
    reduction: float
    reduction_reused: float
    energy_fetched: Interval
    energy_reused: Interval
    energy_fetched_dram: Interval
    energy_reused_dram: Interval
    energy_ports: Interval


def von_neumann_sources() -> Sources:
    """Parameters of ``memory_access.toml``."""
    return Sources(None, shipped_parameters("baselines/memory_access.toml", KNOWN))


def von_neumann(
    works: Sequence[LayerWork], port_bits: int, energy_ports: Interval, *, sources: Sources | None = None
) -> VonNeumann:
    """Operands of an image that are fetched from a memory.

    Parameters
    ----------
    works : sequence of LayerWork
    port_bits : int
        Of the machine, above 0.
    energy_ports : Interval
        Of the machine's banks, in J.
    sources : Sources, optional
        In place of `von_neumann_sources`.
    """
    own = sources or von_neumann_sources()
    written = sum(work.outputs * work.out_bits for work in works)
    fetched = written + sum(work.macs * (work.w_bits + work.i_bits) for work in works)
    reused = written + sum(work.weights * work.w_bits + work.inputs * work.i_bits for work in works)

    def energy(bits: int, key: str) -> Interval:
        return Interval.of(
            own.figure(
                lambda values: bits * values[f"access.{key}"], unit="J", source="bits times a bit's energy"
            )
        )

    return VonNeumann(
        fetched_bits=fetched,
        reused_bits=reused,
        port_bits=port_bits,
        reduction=fetched / port_bits,
        reduction_reused=reused / port_bits,
        energy_fetched=energy(fetched, "cache"),
        energy_reused=energy(reused, "cache"),
        energy_fetched_dram=energy(fetched, "dram"),
        energy_reused_dram=energy(reused, "dram"),
        energy_ports=energy_ports,
    )
