"""Golden accumulators."""

import pytest

from spinplane.behavioral import Sum


def test_adds_clears_and_emits() -> None:
    adder = Sum(2, 8)
    assert adder.add([1, 2]) is None
    emitted = adder.add([3, -4], emit=True)
    assert emitted is not None
    assert emitted.tolist() == [4, -2]
    adder.add([127, -128], clear=True)
    assert adder.accumulators.tolist() == [127, -128]
    assert emitted.tolist() == [4, -2]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([9, 9, 9], "accumulator 1: 120 + 9 does not fit in 8 bits"),
        ([-9, -9, -9], "accumulator 2: -120 + -9 does not fit in 8 bits"),
    ],
)
def test_refuses_to_wrap(values: list[int], message: str) -> None:
    adder = Sum(3, 8)
    adder.add([0, 120, -120])
    with pytest.raises(OverflowError) as error:
        adder.add(values)
    assert str(error.value) == message
    assert adder.accumulators.tolist() == [0, 120, -120]
