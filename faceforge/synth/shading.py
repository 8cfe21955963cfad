"""What light does on skin, eyes and hair; all in linear light, for lists of pixels."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from faceforge.synth.pixels import Pixels

_DEEP = (0.62, 0.25, 0.12)  # how far red, green and blue travel under the skin, as a share of softening


@dataclass(frozen=True)
class Lamps:
    """The lights of B pictures: directions towards L lamps, their colours, and the sky's six sides."""

    directions: Tensor  # (B, L, 3)
    colours: Tensor  # (B, L, 3)
    sky: Tensor  # (B, 6, 3) right, left, up, down, front, back


def sky(lamps: Lamps, pixels: Pixels, normals: Tensor) -> Tensor:
    """Ambient light (N, 3): each side of the sky by how much a normal faces it."""
    squared = normals.square()
    positive = normals > 0
    light = torch.zeros_like(normals)
    for axis in range(3):
        share = squared[:, axis : axis + 1]
        towards = pixels.of_picture(lamps.sky[:, 2 * axis])
        away = pixels.of_picture(lamps.sky[:, 2 * axis + 1])
        light = light + share * torch.where(positive[:, axis : axis + 1], towards, away)
    return light


def skin(
    lamps: Lamps, pixels: Pixels, albedo: Tensor, normals: Tensor, smooth: Tensor, reach: Tensor, gloss: Tensor
) -> Tensor:
    """Scattered light, reddened where it fades, and what gloss mirrors, (N, 3).

    Normals carry the fine relief, smooth ones do not; reach (N, L + 1) is how much of each lamp and of the sky arrives.
    Gloss above 2 is the wet surface of an eye.
    """
    ambient = sky(lamps, pixels, normals) * reach[:, -1:]
    soft = albedo.new_tensor(_DEEP)
    shine = gloss[:, None]
    wet = (shine > 2.2).to(albedo.dtype)
    scattered, mirrored = ambient, 0.03 * shine * ambient
    for lamp in range(lamps.directions.shape[1]):
        direction, colour = pixels.of_picture(lamps.directions[:, lamp]), pixels.of_picture(lamps.colours[:, lamp])
        seen = reach[:, lamp : lamp + 1]
        sharp, wide = _along(normals, direction).clamp(min=0), (0.2 + 0.8 * _along(smooth, direction)).clamp(min=0)
        through = sharp + (wide - sharp) * soft
        scattered = scattered + colour * through * (seen + (seen.sqrt() - seen) * soft)
        facing = _along(normals, _half(direction)).clamp(0, 1)
        dry = 0.055 * facing**12 + 0.09 * facing**44
        mirrored = mirrored + colour * seen * shine * (dry + (2.2 * facing**420 - dry) * wet)
    edge = (1 - normals[:, 2:].clamp(0, 1)) ** 4
    return albedo * scattered + mirrored + 0.10 * edge * ambient * (shine < 1.0)


def hair(lamps: Lamps, pixels: Pixels, body: Tensor, normals: Tensor, along: Tensor, tone: Tensor) -> Tensor:
    """Strands of a colour (N, 3) running along (N, 3): soft light around them, two gleams across them, (N, 3)."""
    light = 0.85 * body * sky(lamps, pixels, normals)
    bright = (0.04 + 1.2 * body).clamp(max=0.5)
    for lamp in range(lamps.directions.shape[1]):
        direction, colour = pixels.of_picture(lamps.directions[:, lamp]), pixels.of_picture(lamps.colours[:, lamp])
        facing = _along(normals, direction)
        open_to = (0.30 + 0.70 * facing).clamp(min=0)
        across = (1 - _along(along, direction).square()).clamp(min=0).sqrt()
        tilt = _along(along, _half(direction)) + (0.55 * (tone - 0.5))[:, None]
        sheen = (1 - tilt.square()).clamp(min=0)
        gleam = 0.07 * (1 - (tilt - 0.08).square()).clamp(min=0) ** 40 + 0.30 * bright * sheen**10
        light = light + colour * open_to * (body * (0.25 + 0.75 * across) + gleam * (0.1 + 1.2 * tone)[:, None])
    return light


def cloth(lamps: Lamps, pixels: Pixels, body: Tensor, normals: Tensor) -> Tensor:
    """A dull coloured surface (N, 3)."""
    light = sky(lamps, pixels, normals)
    for lamp in range(lamps.directions.shape[1]):
        direction, colour = pixels.of_picture(lamps.directions[:, lamp]), pixels.of_picture(lamps.colours[:, lamp])
        light = light + colour * (0.15 + 0.85 * _along(normals, direction)).clamp(min=0)
    return body * light


def varnish(lamps: Lamps, pixels: Pixels, body: Tensor, normals: Tensor) -> Tensor:
    """A smooth coloured surface (N, 3) with a highlight, (N, 3)."""
    light = body * sky(lamps, pixels, normals)
    for lamp in range(lamps.directions.shape[1]):
        direction, colour = pixels.of_picture(lamps.directions[:, lamp]), pixels.of_picture(lamps.colours[:, lamp])
        shine = 0.25 * _along(normals, _half(direction)).clamp(0, 1) ** 40
        light = light + colour * (body * (0.25 + 0.75 * _along(normals, direction)).clamp(min=0) + shine)
    return light


def _along(one: Tensor, other: Tensor) -> Tensor:
    return (one * other).sum(-1, keepdim=True)


def _half(direction: Tensor) -> Tensor:
    """Between a lamp and the viewer, who is taken to be far away along z."""
    return normalize(direction + direction.new_tensor([0.0, 0.0, 1.0]), dim=-1)
