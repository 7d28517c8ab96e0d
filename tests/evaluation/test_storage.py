"""Storage of a network: widths of ends that nothing quantizes, and of everything."""

from hand_counted_layers import layer, network

from spinplane.evaluation import Storage, network_storage, storages


def test_bits_by_hand() -> None:
    works = network()
    ends, inner = (3200 + 1000) * 2, 3200 + 1000 + 1600 + 1000
    assert network_storage(works) == Storage(ends_bits=None, inner_bits=None, bits=8 * ends + inner)
    assert network_storage(works, ends=64).bits == 64 * ends + inner
    assert network_storage(works, ends=64, inner=64).bits == 64 * (ends + inner)
    assert network_storage([layer(w=2, i=3)], inner=None).bits == 3200 * 2 + 1000 * 3
    found = storages(works)
    assert [(one.ends_bits, one.inner_bits) for one in found] == [
        (None, None), (32, None), (64, None), (32, 32), (64, 64),
    ]  # fmt: skip
    assert found[4].bits == 2 * found[3].bits
