"""Zero points of inputs and weights cost no plane, and padding has any value."""

import numpy as np
import pytest
from checked_networks import check, check_loops

from spinplane.compiler.codes import encode_weights, input_code
from spinplane.compiler.frontend.model_zoo import layer_graph
from spinplane.compiler.graph import Layer
from spinplane.machine import Coding, Machine, Operand, SpinplaneError

SMALL = Machine(name="small", sub_arrays=8, rows=384, columns=128, segments=4, results_per_cycle=4)
TWOS = Coding.TWOS_COMPLEMENT
OPERANDS = [
    *(Operand(bits=8, zero_point=zero_point) for zero_point in (3, 128, 255)),
    *(Operand(bits=8, coding=TWOS, zero_point=zero_point) for zero_point in (-128, 5, 127)),
]


def told(operand: Operand) -> str:
    return f"{operand.coding.value}-{operand.zero_point}"


@pytest.mark.parametrize("i", OPERANDS, ids=told)
@pytest.mark.parametrize("w", [OPERANDS[0], OPERANDS[2], OPERANDS[3], OPERANDS[5]], ids=told)
@pytest.mark.parametrize("pad", ["zero", "least", "greatest"])
def test_zero_points_of_eight_bits_take_eight_planes(i: Operand, w: Operand, pad: str) -> None:
    rng = np.random.default_rng(0)
    weights = rng.integers(w.smallest, w.largest + 1, (4, 3, 3, 3))
    weights.flat[:2] = w.smallest, w.largest
    layer = Layer(
        name="conv",
        weights=weights,
        w=w,
        i=i,
        bias=rng.integers(-999, 1000, 4),
        padding=(1, 1, 1, 0),
        pad_value={"zero": 0, "least": i.smallest, "greatest": i.largest}[pad],
    )
    inputs = rng.integers(i.smallest, i.largest + 1, (1, 3, 4, 4))
    program = check(layer_graph(layer, (3, 4, 4)), SMALL, inputs)
    assert (program.passes[0].in_planes, program.passes[0].kernel_planes) == (8, 8)
    check_loops(layer_graph(layer, (3, 4, 4)), SMALL, inputs)


def test_a_value_of_padding_without_a_code_widens_the_codes() -> None:
    seven = Operand(bits=7, zero_point=10)
    assert input_code("conv", seven, [0, 117]) == input_code("conv", seven)
    wider = input_code("conv", seven, [-20, 0])
    assert (wider.bits, wider.scale, wider.offset, wider.code(-20), wider.code(117)) == (8, 1, -20, 0, 137)
    odd = Operand(bits=3, coding=Coding.DOREFA)
    assert input_code("conv", odd, [-3]) == input_code("conv", odd)
    assert input_code("conv", odd, [9]).scale == 2
    assert input_code("conv", odd, [0]).bits == 4
    text = "layer conv: inputs of 8 bits without the value -1 need 9 bits with padding, a feature map has at most 8"
    with pytest.raises(SpinplaneError, match=f"^{text}$"):
        input_code("conv", Operand(bits=8), [-1, 0])


def test_zeros_beside_weights_without_the_value_0_have_codes_too() -> None:
    far = Operand(bits=3, zero_point=-5)
    code = encode_weights("conv", np.array([[5, 12]]), far, 1)
    # An offset above 0 would subtract from the window sum.
    assert (code.bits, code.offset, code.codes.tolist()) == (4, 0, [[5, 12]])
    below = encode_weights("conv", np.array([[-12, -5, 0]]), Operand(bits=3, zero_point=12), 1)
    assert (below.bits, below.offset, below.codes.tolist()) == (4, -12, [[0, 7, 12]])
