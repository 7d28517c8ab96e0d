"""Random changes of training images."""

import pytest
import torch

from spinplane.training.augment import AUGMENTATION, augment
from spinplane.training.data import dataset_names

pytestmark = pytest.mark.training


def changed(pixels: torch.Tensor, kind: str, seed: int = 0) -> torch.Tensor:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return augment(pixels, kind)


def dots() -> torch.Tensor:
    """Images with one bright square of 4×4 left of the middle."""
    pixels = torch.zeros(200, 1, 28, 28)
    pixels[:, :, 12:16, 6:10] = 200
    return pixels


def centres(pixels: torch.Tensor) -> torch.Tensor:
    """Row and column of the centre of brightness of each image."""
    at = torch.arange(28.0)
    total = pixels.sum((1, 2, 3))
    return torch.stack(
        [(pixels.sum((1, 3)) * at).sum(1) / total, (pixels.sum((1, 2)) * at).sum(1) / total], 1
    )


def test_every_data_set_has_an_augmentation() -> None:
    assert sorted(AUGMENTATION) == dataset_names()


@pytest.mark.parametrize("kind", sorted(set(AUGMENTATION.values())))
def test_shape_and_range_stay_and_the_seed_decides(kind: str) -> None:
    pixels = torch.rand(8, 3, 28, 28, generator=torch.Generator().manual_seed(1)) * 255
    first = changed(pixels, kind)
    assert first.shape == pixels.shape
    assert 0 <= first.min() <= first.max() <= 255.001
    assert torch.equal(first, changed(pixels, kind))
    assert not torch.equal(first, changed(pixels, kind, seed=1))


def test_affine_moves_by_little() -> None:
    moved = centres(changed(dots(), "affine")) - centres(dots())
    assert moved.abs().max() < 2 + 6 * 0.3
    assert moved.abs().mean() > 0.5


def test_flip_mirrors_half_of_the_images() -> None:
    columns = centres(changed(dots(), "flip"))[:, 1]
    right = columns > 13.5
    assert 70 < right.sum() < 130
    assert (columns[~right] - 7.5).abs().max() < 2.1
    assert (columns[right] - 19.5).abs().max() < 2.1


def test_light_changes_brightness_and_contrast_of_whole_images() -> None:
    pixels = torch.full((100, 3, 8, 8), 100.0)
    pixels[:, :, 0] = 140
    bright = changed(pixels, "light")
    contrast = (bright[:, 0, 0, 0] - bright[:, 0, 1, 0]) / 40
    assert 0.5 <= contrast.min() < 0.6
    assert 1.4 < contrast.max() <= 1.5001
    mean = bright.mean((1, 2, 3)) - 105
    assert mean.abs().max() <= 30.01
    assert mean.std() > 10
