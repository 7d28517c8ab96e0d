"""Where the axes of a tensor are in a map."""

import pytest

from spinplane.compiler.frontend.building.layout import Layout


@pytest.mark.parametrize(
    ("shape", "channels", "sides", "axes"),
    [
        ((5,), 0, (5, 1, 1), ((1,),)),
        ((5, 7), 0, (5, 1, 7), ((1,), (3,))),
        ((3, 4, 5), 0, (3, 4, 5), ((1,), (2,), (3,))),
        ((4, 5, 3), 2, (3, 4, 5), ((2,), (3,), (1,))),
        ((3, 1, 5), 0, (3, 1, 5), ((1,), (), (3,))),
    ],
)
@pytest.mark.parametrize("batched", [False, True])
def test_axes_of_a_tensor(
    shape: tuple[int, ...],
    channels: int,
    sides: tuple[int, ...],
    axes: tuple[tuple[int, ...], ...],
    batched: bool,
) -> None:
    layout = Layout.of_tensor((1, *shape) if batched else shape, channels + batched, batched=batched)
    assert layout.sides == sides
    assert layout.axes == (((), *axes) if batched else axes)


@pytest.mark.parametrize("shape", [(3, 4, 5, 6), (2, 3, 1, 5, 2), (3, 1, 1, 5)])
def test_more_axes_are_those_of_one_image(shape: tuple[int, ...]) -> None:
    one, bare = Layout.of_tensor((1, *shape)), Layout.of_tensor(shape, 0, batched=False)
    assert one.sides == bare.sides == (shape[0], one.sides[1], 1)
    assert (one.axes[1:], one.axes[0]) == (bare.axes, ())
    assert (one.loose and one.loose[1:]) == bare.loose
