"""Named networks: counts of the literature, shapes, bit-widths."""

import subprocess
import sys
from dataclasses import replace

import pytest

from spinplane.compiler.frontend.networks import (
    PAPER_CONFIGURATIONS,
    BitWidths,
    Network,
    NetworkLayer,
    Pool,
    load_network,
    network_names,
)
from spinplane.machine import SpinplaneError


def test_svhn_has_the_macs_of_dorefa_model_a() -> None:
    for name in ("svhn", "svhn-dorefa"):
        network = load_network(name)
        macs = [shape.macs for shape in network.shapes()]
        assert macs == [4665600, 8957952, 11943936, 3612672, 7225344, 3686400, 1638400, 5120]
        assert sum(macs[1:6]) == 35_426_304
        assert round(network.macs / 1e6, 1) == 41.7
        assert round(network.weights / 1e6, 3) == 2.080


def test_svhn_pools_by_average_and_clips_where_its_source_takes_maximum_and_magnitude() -> None:
    average, maximum = load_network("svhn"), load_network("svhn-dorefa")
    assert {layer.pool.kind for layer in average.layers if layer.pool} == {"average"}
    assert {layer.pool.kind for layer in maximum.layers if layer.pool} == {"max"}
    assert (average.activation, maximum.activation) == ("clip", "abs")
    assert average.shapes()[-1].inputs == maximum.shapes()[-1].inputs == (512, 1)


def test_alexnet_xnor_has_the_literature_s_weights_and_macs() -> None:
    network = load_network("alexnet-xnor")
    assert network.weights == 62_367_776
    assert round(network.macs / 1e6) == 1135


def test_alexnet_dorefa_has_its_source_s_maps() -> None:
    shapes = load_network("alexnet-dorefa").shapes()
    assert [shape.outputs for shape in shapes] == [
        (96, 54),
        (256, 27),
        (384, 14),
        (384, 14),
        (256, 6),
        (4096, 1),
        (4096, 1),
        (1000, 1),
    ]
    assert [shape.layer.groups for shape in shapes] == [1, 2, 1, 2, 2, 1, 1, 1]


def test_small_networks_count_as_expected() -> None:
    assert load_network("lenet").weights == 430_500
    assert load_network("digits").weights == 29_200
    assert load_network("digits").macs == 1_563_264


@pytest.mark.parametrize("name", network_names())
def test_a_network_ends_in_one_value_a_class_and_keeps_its_edges_precise(name: str) -> None:
    network = load_network(name)
    assert network.shapes()[-1].outputs == (network.classes, 1)
    assert [layer.edge for layer in network.layers] == [
        index in (0, len(network.layers) - 1) for index in range(len(network.layers))
    ]
    assert load_network(network) is network


def test_unknown_network_is_named() -> None:
    text = "network 'vgg' is not one of alexnet-dorefa, alexnet-xnor, digits, lenet, svhn, svhn-dorefa"
    with pytest.raises(SpinplaneError, match=f"^{text}$"):
        load_network("vgg")


def test_a_layer_that_does_not_fit_is_named() -> None:
    with pytest.raises(
        SpinplaneError, match=r"^network n, layer b: an input of 4 channels, 2×2 does not fit$"
    ):
        Network(
            name="n",
            source="test",
            channels=1,
            side=4,
            layers=(
                NetworkLayer(name="a", channels=4, kernel=3),
                NetworkLayer(name="b", channels=2, kernel=3),
            ),
        )
    with pytest.raises(
        SpinplaneError, match=r"^network n, layer a: an input of 3 channels, 4×4 does not fit$"
    ):
        Network(
            name="n",
            source="test",
            channels=3,
            side=4,
            layers=(NetworkLayer(name="a", channels=4, kernel=3, groups=2),),
        )


def test_edge_bits_are_8_or_32() -> None:
    with pytest.raises(SpinplaneError, match=r"^edge_bits = 4: must be 8, or 32 for unquantized$"):
        replace(load_network("digits"), edge_bits=4)


def test_pool_sizes_count_padding() -> None:
    assert Pool(kind="max", size=3, padding=(0, 1)).output(54) == 27
    assert Pool(kind="average").output(9) == 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1:4", (1, 4, 8)), ("2:2:6", (2, 2, 6)), ("32:32", (32, 32, 32)), ("1:32", (1, 32, 8))],
)
def test_bit_widths_are_read(text: str, expected: tuple[int, int, int]) -> None:
    bits = BitWidths.parse(text)
    assert (bits.weight, bits.activation, bits.gradient) == expected


@pytest.mark.parametrize("text", ["", "1", "1:2:3:4", "a:b", "-1:2", "1:²"])
def test_bit_widths_of_another_form_are_refused(text: str) -> None:
    with pytest.raises(SpinplaneError, match=f"^bits '{text}': expected W:I or W:I:G, such as 1:4 or 2:2:8$"):
        BitWidths.parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("9:1", "weight bits = 9: must be from 1 to 8, or 32 for unquantized"),
        ("1:0", "activation bits = 0: must be from 1 to 8, or 32 for unquantized"),
        ("1:1:17", "gradient bits = 17: must be from 1 to 16, or 32 for unquantized"),
    ],
)
def test_bit_widths_out_of_range_are_refused(text: str, message: str) -> None:
    with pytest.raises(SpinplaneError, match=f"^{message}$"):
        BitWidths.parse(text)


def test_complexities_are_those_of_fig_7() -> None:
    assert [str(bits) for bits in PAPER_CONFIGURATIONS] == ["32:32", "1:1", "1:2", "1:3", "1:4", "2:2"]
    assert [bits.inference_complexity for bits in PAPER_CONFIGURATIONS] == [1024, 1, 2, 3, 4, 4]
    assert [bits.training_complexity for bits in PAPER_CONFIGURATIONS] == [2048, 9, 10, 11, 12, 20]


def test_networks_do_not_import_torch() -> None:
    code = "import sys, spinplane.compiler.frontend.networks; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
