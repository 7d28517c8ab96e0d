from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from spinplane.report.drawing import draw_feature_maps


def draw(path: Path, outputs: list[np.ndarray]) -> Path:
    image = np.eye(4, dtype=np.int64)
    draw_feature_maps(
        path,
        digit=1,
        inputs=[image] * len(outputs),
        outputs=outputs,
        rows=["W:I = 1:1"],
        columns=["edge", "blur"],
    )
    return path


def test_positive_is_red_negative_is_blue_and_zero_is_white(tmp_path: Path) -> None:
    zero = np.zeros((4, 4), dtype=np.int64)
    pictures = {
        name: imread(draw(tmp_path / "new" / f"{name}.png", [np.stack([zero, zero + value])]))
        for name, value in (("zero", 0), ("red", 5), ("blue", -5))
    }
    assert all(picture.shape == pictures["zero"].shape for picture in pictures.values())
    height, width, _ = pictures["zero"].shape
    assert width > height > 150
    dark = {}
    for name, picture in pictures.items():
        red, blue = picture[..., 0], picture[..., 2]
        dark[name] = (int((red > blue + 0.2).sum()), int((blue > red + 0.2).sum()))
    assert dark["zero"] == (0, 0)
    assert dark["red"][0] > 5000
    assert dark["red"][1] == 0
    assert dark["blue"][1] > 5000
    assert dark["blue"][0] == 0


def test_the_same_figures_give_the_same_bytes(tmp_path: Path) -> None:
    maps = [np.arange(32).reshape(2, 4, 4) - 9]
    assert draw(tmp_path / "a.png", maps).read_bytes() == draw(tmp_path / "b.png", maps).read_bytes()


def test_maps_without_a_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="zip"):
        draw(tmp_path / "a.png", [np.zeros((3, 4, 4), dtype=np.int64)])
    assert list(tmp_path.iterdir()) == []
