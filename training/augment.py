"""Random changes of training images, a whole batch at once, drawn from PyTorch's default generator."""

import math

import torch
from torch import Tensor
from torch.nn import functional

#: What `augment` does to the images of a data set.
AUGMENTATION = {
    "mnist": "affine",
    "fashion-mnist": "flip",
    "svhn": "light",
    "svhn-train": "light",
    "cifar10": "flip",
    "imagenet": "flip",
}


def augment(pixels: Tensor, kind: str) -> Tensor:
    """Changed images.

    Parameters
    ----------
    pixels : Tensor of shape (images, channels, side, side)
        0 to 255.
    kind : str
        ``"affine"``: turned by up to 10°, scaled by up to 10 %, shifted by up to 2 pixels. ``"flip"``:
        mirrored left to right or not, shifted by up to 2 pixels. ``"light"``: brightness ±30, contrast 0.5 to
        1.5, as tensorpack's DoReFa example does for SVHN.

    Returns
    -------
    Tensor of shape (images, channels, side, side)
        0 to 255, not rounded.
    """
    images, side = len(pixels), pixels.shape[-1]

    def uniform(low: float, high: float) -> Tensor:
        return torch.empty(images, device=pixels.device).uniform_(low, high)

    if kind == "light":
        brighter = pixels + uniform(-30, 30)[:, None, None, None]
        mean = brighter.mean(dim=(2, 3), keepdim=True)
        return ((brighter - mean) * uniform(0.5, 1.5)[:, None, None, None] + mean).clamp(0, 255)
    shift = 2 * 2 / side
    if kind == "affine":
        angle, scale = uniform(-math.pi / 18, math.pi / 18), uniform(0.9, 1.1)
        cosine, sine = angle.cos() * scale, angle.sin() * scale
    else:
        cosine, sine = torch.sign(uniform(-1, 1)), torch.zeros(images, device=pixels.device)
    upright = cosine if kind == "affine" else torch.ones_like(cosine)
    rows = torch.stack(
        [cosine, -sine, uniform(-shift, shift), sine, upright, uniform(-shift, shift)], dim=1
    ).view(images, 2, 3)
    grid = functional.affine_grid(rows, list(pixels.shape), align_corners=False)
    return functional.grid_sample(pixels, grid, mode="bilinear", align_corners=False)
