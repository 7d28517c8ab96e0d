"""Rows of storage: weights and inputs of all layers, at the widths that the paper could mean."""

from collections.abc import Iterator
from dataclasses import replace

from spinplane.compiler.frontend.networks import BitWidths, Network
from spinplane.evaluation import Interval, network_storage

from .definitions import network_works
from .evidence import BINARY, CONFIGURATIONS, Evidence
from .printed import printed
from .row import Row

_MIB, _MB = 8 * 2**20, 8 * 10**6
#: Widths of the first and the last layer, which the paper leaves unquantized without saying how wide that is.
_ENDS = (64, 32)


def storage_rows(evidence: Evidence) -> Iterator[Row]:
    """Rows of AlexNet's storage, what it saves, and that of SVHN's network."""
    alexnet = evidence.network("imagenet")
    for ends in _ENDS:
        for bits in CONFIGURATIONS:
            yield printed("fig8a.alexnet").row(
                Interval.exact(stored_bits(alexnet, bits, ends) / _MIB),
                _how(alexnet, bits, ends),
                of=f"{_id(bits)}.ends-{ends}",
                what=f"{bits}, ends of {ends} bits",
                why="MB as 2^20 bytes",
            )
        for bits in CONFIGURATIONS:
            svhn = evidence.network("svhn")
            yield printed("fig8b").row(
                Interval.exact(stored_bits(svhn, bits, ends) / _MIB),
                _how(svhn, bits, ends),
                of=f"{_id(bits)}.ends-{ends}",
                what=f"{bits}, ends of {ends} bits",
                why="MB as 2^20 bytes",
            )
    for network in dict.fromkeys((alexnet, of_side_227(alexnet))):
        yield from _printed(network)


def stored_bits(network: Network, bits: BitWidths, ends: int, inner: int | None = None) -> int:
    """Bits of all weights and of all layers' inputs.

    Parameters
    ----------
    network : Network
    bits : BitWidths
        Of all but the first and the last layer.
    ends : int
        Bits of weights and inputs of these.
    inner : int, optional
        In place of `bits`.
    """
    return network_storage(network_works(network, bits), ends=ends, inner=inner).bits


def of_side_227(network: Network) -> Network:
    """An AlexNet with the image of 227×227 without padding, which has the same maps as one of 224×224 padded by 2."""
    first, *others = network.layers
    if (network.side, first.kernel, first.stride, first.padding) != (224, 11, 4, 2):
        return network
    return replace(network, side=227, layers=(replace(first, padding=0), *others))


def _printed(network: Network) -> Iterator[Row]:
    side = f"{network.side}×{network.side}"
    for ends in _ENDS:
        own, of = stored_bits(network, BINARY, ends), f"{network.side}.ends-{ends}"
        what = f"image of {side}, ends of {ends} bits"
        item = printed("storage.alexnet")
        how = _how(network, BINARY, ends)
        yield item.row(Interval.exact(own / _MIB), how, of=of, what=what, why="MB as 2^20 bytes")
        yield item.row(
            Interval.exact(own / _MB),
            how,
            of=f"{of}.decimal",
            what=f"{what}, decimal",
            why="MB as 10^6 bytes",
        )
        for width in (64, 32):
            yield printed(f"storage.less-than-{width}").row(
                Interval.exact(stored_bits(network, BINARY, width, width) / own),
                f"all weights and inputs at {width} bits ÷ {how}",
                of=of,
                what=what,
            )


def _how(network: Network, bits: BitWidths, ends: int) -> str:
    return f"{network.name}, weights and inputs of all layers at {bits}, of the first and the last one at {ends}:{ends}"


def _id(bits: BitWidths) -> str:
    return str(bits).replace(":", "-")
