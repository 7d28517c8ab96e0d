from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from small_networks import small_graph

from spinplane.commands.compile import compile_model


def layers_seen(picture: Path, half: int) -> int:
    """Colours that fill an area of the left or the right half of a picture and are no gray."""
    pixels = (imread(picture)[..., :3] * 255).round().astype(int)
    pixels = np.array_split(pixels, 2, axis=1)[half].reshape(-1, 3)
    found, counts = np.unique(pixels, axis=0, return_counts=True)
    return int(((np.ptp(found, axis=1) > 60) & (counts > 0.003 * len(pixels))).sum())


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "new" / "rows.png"
    assert compile_model(small_graph(), machine="tiny", picture=path).picture == path
    return path


def test_every_layer_has_a_colour_of_its_own(picture: Path) -> None:
    assert [layers_seen(picture, half) for half in (0, 1)] == [2, 2]


def test_the_same_program_gives_the_same_bytes(picture: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.png"
    compile_model(small_graph(), machine="tiny", picture=again)
    assert again.read_bytes() == picture.read_bytes()


def test_kernels_that_are_loaded_at_each_run_have_no_rows_of_their_own(tmp_path: Path) -> None:
    few_rows = tmp_path / "few.toml"
    few_rows.write_text('name = "few"\nsub_arrays = 2\nrows = 24\ncolumns = 64\nsegments = 2\n')
    path = tmp_path / "few.png"
    compiled = compile_model(small_graph(), machine=few_rows, picture=path)
    staying = sum(layer.resident for layer in compiled.layers)
    assert staying < 2
    assert [layers_seen(path, half) for half in (0, 1)] == [2, staying]
