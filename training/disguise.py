"""What hides that a face was drawn: other tones, textures, shadows, noise, blur, compression, things before it."""

import math
from functools import cache

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, pad

from faceforge_training.clutter import clouds


def grey_of(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Pictures (B, 3, h, w) uint8 as one channel 0..1 that weighs red, green and blue at random."""
    weights = torch.rand(len(pictures), 3, generator=generator) + 0.02
    weights = weights / weights.sum(1, keepdim=True)
    red, green, blue = (weights[:, each, None, None] / 255 for each in range(3))
    return (pictures[:, 0] * red + pictures[:, 1] * green + pictures[:, 2] * blue)[:, None]


def textured(grey: Tensor, there: Tensor, generator: torch.Generator) -> Tensor:
    """Skin and clothes get a texture (there: 1 where a person is), everything soft shadows."""
    batch, size = len(grey), grey.shape[-1]
    skin = _some(batch, 0.6, generator) * torch.rand(batch, 1, 1, 1, generator=generator) * 0.3
    shade = _some(batch, 0.5, generator) * torch.rand(batch, 1, 1, 1, generator=generator) * 0.5
    fine = clouds(batch, size, generator) * skin * there
    wide = torch.randn(batch, 1, 3, 3, generator=generator)
    wide = interpolate(interpolate(wide, size=(12, 12), mode="bicubic"), size=(size, size), mode="bilinear")
    return grey * torch.exp(fine + wide * shade)


def framed(grey: Tensor, generator: torch.Generator) -> Tensor:
    """Around some faces falls hair, or a hood: streaks between two ellipses over cheeks and jaw, down to any height."""
    batch, size = len(grey), grey.shape[-1]
    draw = torch.rand(batch, 10, 1, 1, 1, generator=generator)
    place = (torch.arange(size) + 0.5) / size - 0.5
    x, y = place[None, None, None] - 0.1 * (draw[:, 0] - 0.5), place[None, None, :, None] - 0.1 * (draw[:, 1] - 0.5)
    uneven = 0.25 * draw[:, 2] * clouds(batch, size, generator)
    across, high = 0.22 + 0.14 * draw[:, 3], 0.36 + 0.16 * draw[:, 4]
    far = torch.sqrt((x / across).square() + (y / high).square()) + uneven
    thick = 1.15 + 0.5 * draw[:, 5]
    ends = (0.55 - 0.5 * draw[:, 6]) + 0.1 * uneven
    sides = torch.where(draw[:, 7] < 0.6, 1.0, torch.where(draw[:, 7] < 0.8, (x > 0).float(), (x < 0).float()))
    cover = torch.sigmoid((far - 1) * 25) * torch.sigmoid((thick - far) * 25) * torch.sigmoid((ends - y) * 40) * sides
    streaks = torch.randn(batch, 1, 4, size // 2, generator=generator)
    streaks = interpolate(streaks, size=(size, size), mode="bilinear", align_corners=False)
    hair = (draw[:, 8].square() * (1 + 0.35 * streaks)).clamp(0, 1) * grey.mean((1, 2, 3), keepdim=True) * 2
    cover = cover * (draw[:, 9] < 0.4)
    return grey * (1 - cover) + hair * cover


def hidden(grey: Tensor, things: Tensor, generator: torch.Generator) -> Tensor:
    """Up to two ellipses or bars of other pictures lie over some crops."""
    batch, size = len(grey), grey.shape[-1]
    place = (torch.arange(size) + 0.5) / size
    for chance in (0.35, 0.2):
        where = torch.rand(batch, 4, generator=generator)
        reach = 0.04 + 0.22 * where[:, 2:]
        x = (place[None, None] - where[:, :1, None]) / reach[:, :1, None]
        y = (place[None, :, None] - where[:, 1:2, None]) / reach[:, 1:, None]
        power = torch.where(torch.rand(batch, 1, 1, generator=generator) < 0.5, 2.0, 12.0)
        inside = ((x.abs() ** power + y.abs() ** power) < 1)[:, None] & (_some(batch, chance, generator) > 0)
        grey = torch.where(inside, things, grey)
    return grey


def photographed(grey: Tensor, generator: torch.Generator) -> Tensor:
    """Tone curve, blur or sharpening, noise, and blocks of a strong compression."""
    batch = len(grey)
    draw = torch.rand(batch, 8, 1, 1, 1, generator=generator)
    grey = grey * ((0.3 + 0.35 * draw[:, 2]) / grey.mean((1, 2, 3), keepdim=True).clamp(min=0.02))
    grey = grey.clamp(1e-3, 1) ** torch.exp((draw[:, 0] - 0.5) * 1.2)
    grey = ((grey - 0.5) * torch.exp((draw[:, 1] - 0.6) * 1.2) + 0.5).clamp(0, 1)
    grey = torch.where(draw[:, 3] < 0.03, 1 - grey, grey)
    amount = (draw[:, 4] * 2.2 - 0.7) * _some(batch, 0.7, generator)
    grey = grey + amount * (_blurred(_blurred(grey)) - grey)
    grain = torch.randn(grey.shape, generator=generator)
    grain = torch.where(draw[:, 5] < 0.4, 2 * _blurred(grain), grain)
    grey = grey + grain * (0.07 * draw[:, 6].square())
    grey = grey.clamp(0, 1)
    harsh = torch.rand(batch, generator=generator) < 0.4
    grey[harsh] = compressed(grey[harsh], 0.1 * draw[harsh, 7]).clamp(0, 1)
    return grey


def retaken(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Pictures (B, C, h, w) of 0..1 once more: brighter or darker, sharper or softer, with noise or compressed."""
    batch = len(pictures)
    draw = torch.rand(batch, 5, 1, 1, 1, generator=generator)
    pictures = (pictures * torch.exp(0.4 * (draw[:, 0] - 0.5))).clamp(1e-3, 1) ** torch.exp(0.4 * (draw[:, 1] - 0.5))
    amount = (draw[:, 2] * 1.3 - 0.5) * _some(batch, 0.5, generator)
    pictures = pictures + amount * (_blurred(pictures) - pictures)
    pictures = pictures + torch.randn(pictures.shape, generator=generator) * (0.03 * draw[:, 3].square())
    harsh = torch.rand(batch, generator=generator) < 0.4
    pictures[harsh] = compressed(pictures[harsh], 0.05 * draw[harsh, 4])
    return pictures.clamp(0, 1)


def compressed(pictures: Tensor, step: Tensor) -> Tensor:
    """What is left when the cosine transforms of blocks of 8 are rounded to multiples of a step (B, 1, 1, 1)."""
    side = pictures.shape[-1] // 8
    matrix = _cosines().to(pictures)
    blocks = pictures.unflatten(3, (side, 8)).unflatten(2, (side, 8)).transpose(3, 4)
    waves = matrix @ blocks @ matrix.T
    finest = step[..., None, None] * _coarseness().to(pictures) + 1e-3
    blocks = matrix.T @ (torch.round(waves / finest) * finest) @ matrix
    return blocks.transpose(3, 4).flatten(4, 5).flatten(2, 3)


@cache
def _cosines() -> Tensor:
    rate, place = torch.arange(8.0)[:, None], torch.arange(8.0)[None] + 0.5
    matrix = torch.cos(math.pi / 8 * rate * place) / 2
    matrix[0] /= math.sqrt(2)
    return matrix


@cache
def _coarseness() -> Tensor:
    rate = torch.arange(8.0)
    return 1 + 0.8 * (rate[:, None] + rate[None])


def _blurred(grey: Tensor) -> Tensor:
    return avg_pool2d(pad(grey, (1, 1, 1, 1), mode="replicate"), 3, 1)


def _some(batch: int, chance: float, generator: torch.Generator) -> Tensor:
    """1 for a share of the batch and 0 for the others, (B, 1, 1, 1)."""
    return (torch.rand(batch, 1, 1, 1, generator=generator) < chance).float()
