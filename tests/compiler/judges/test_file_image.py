"""Images in the axes, types and batches of files."""

import numpy as np
import pytest

from spinplane.compiler.judges.file_image import from_file, to_file

IMAGE = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
FLOAT = np.dtype(np.float32)


@pytest.mark.parametrize(
    ("shape", "order", "expected"),
    [
        ((1, 2, 3, 4), None, IMAGE),
        ((1, 3, 4, 2), None, IMAGE.transpose(1, 2, 0)),
        ((1, 3, 4, 2), (0, 2, 3, 1), IMAGE.transpose(1, 2, 0)),
        ((1, 24), None, IMAGE.reshape(24)),
        ((0, 2, 3, 4), None, IMAGE),
        ((0, 2, 0, 0), None, IMAGE),
        ((1, 6, 4), None, IMAGE.reshape(6, 4)),
    ],
)
def test_an_image_gets_the_axes_of_the_file(shape, order, expected):
    given = to_file(IMAGE, shape, FLOAT, order)
    assert given.shape == (1, *expected.shape)
    assert (given[0] == expected).all()
    assert (from_file(given, IMAGE.shape, order) == IMAGE).all()


@pytest.mark.parametrize(("shape", "axes"), [((1, 5, 2), (1, 2, 0)), ((1, 2, 5), (0, 1, 2))])
def test_an_image_of_one_line_is_told_by_its_sides(shape, axes):
    line = np.arange(10, dtype=np.float32).reshape(2, 1, 5)
    given = to_file(line, shape, FLOAT, None)
    assert (given[0] == line.transpose(axes).reshape(shape[1:])).all()
    assert (from_file(given, line.shape, None) == line).all()


def test_a_cube_has_the_order_that_is_told():
    cube = np.arange(27, dtype=np.float32).reshape(3, 3, 3)
    assert (to_file(cube, (1, 3, 3, 3), FLOAT, None)[0] == cube).all()
    assert (to_file(cube, (1, 3, 3, 3), FLOAT, (0, 2, 3, 1))[0] == cube.transpose(1, 2, 0)).all()


def test_an_image_fills_the_batch_of_the_file():
    given = to_file(IMAGE, (4, 2, 3, 4), FLOAT, None)
    assert given.shape == (4, 2, 3, 4)
    assert (given == IMAGE).all()


def test_whole_numbers_are_rounded_and_bounded():
    image = np.array([-200.0, -1.5, -0.5, 0.5, 1.5, 200.0], dtype=np.float32).reshape(1, 1, 6)
    given = to_file(image, (1, 6), np.dtype(np.int8), None)
    assert given.dtype == np.int8
    assert given.tolist() == [[-128, -2, 0, 0, 2, 127]]
    assert from_file(given, (1, 1, 6), None).ravel().tolist() == [-128, -2, 0, 0, 2, 127]


def test_an_image_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"its input has the shape \(1, 2, 3, 5\), an image \(2, 3, 4\)"):
        to_file(IMAGE, (1, 2, 3, 5), FLOAT, None)
