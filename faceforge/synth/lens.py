"""What optics and sampling do to pictures (B, C, H, W): blur, motion, colour fringes, loss of resolution.

Strengths are one number per picture; zero leaves that picture's bits as they are. Nothing here multiplies matrices
or convolves, because accelerators may do both in fewer bits than float32 has.
"""

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from faceforge.errors import BadSpec

Effect = Callable[[Tensor, list[int]], Tensor]


def where(strengths: Sequence[float], picture: Tensor, effect: Effect) -> Tensor:
    """The pictures, with the effect on those of non-zero strength; it gets them and their numbers in the batch."""
    if len(strengths) != len(picture):
        raise BadSpec(f"{len(strengths)} strengths for {len(picture)} pictures. Give one each.")
    numbers = [number for number, strength in enumerate(strengths) if strength != 0]
    if not numbers:
        return picture
    if len(numbers) == len(picture):
        return effect(picture, numbers)
    index = torch.tensor(numbers, device=picture.device)
    return picture.index_copy(0, index, effect(picture[index], numbers))


def column(values: Sequence[float], like: Tensor) -> Tensor:
    """One number per picture, shaped (B, 1, 1, 1) to multiply pictures."""
    return torch.tensor(values, dtype=like.dtype, device=like.device).reshape(-1, 1, 1, 1)


def blurred(picture: Tensor, sigmas: Sequence[float]) -> Tensor:
    """Gaussian blur of these deviations in pixels; the border pixels continue outwards."""

    def effect(some: Tensor, numbers: list[int]) -> Tensor:
        weights = torch.tensor(_bells([sigmas[number] for number in numbers]), device=some.device)
        return _along_width(_along_width(some, weights).mT.contiguous(), weights).mT.contiguous()

    return where(sigmas, picture, effect)


def bell(sigma: float) -> list[float]:
    """The weights of a Gaussian blur from its middle outwards; both sides together add up to one."""
    if not 0 <= sigma <= 64:
        raise BadSpec(f"A blur of {sigma!r} pixels is out of range. Give 0 to 64.")
    reach = math.ceil(3 * sigma)
    heights = [math.exp(-0.5 * (step / sigma) ** 2) if sigma else 1.0 for step in range(reach + 1)]
    total = heights[0] + 2 * sum(heights[1:])
    return [height / total for height in heights]


def moved(picture: Tensor, lengths: Sequence[float], angles_deg: Sequence[float]) -> Tensor:
    """Motion blur along straight lines, lengths in pixels; 0 degrees is sideways, 90 is upwards."""

    def effect(some: Tensor, numbers: list[int]) -> Tensor:
        paths = [_path(lengths[number], angles_deg[number]) for number in numbers]
        x, y = _pixels(some)
        total = torch.zeros_like(some)
        for step in range(max(len(path) for path in paths)):
            stops = [path[step] if step < len(path) else (0.0, 0.0, 0.0) for path in paths]
            right, down, weight = torch.tensor(stops, device=some.device).reshape(-1, 3, 1, 1).unbind(1)
            total.addcmul_(_sampled(some, x + right[:, 0], y + down[:, 0]), weight[..., None])
        return total

    return where(lengths, picture, effect)


def fringed(picture: Tensor, shifts: Sequence[float]) -> Tensor:
    """Lateral chromatic aberration (B, 3, H, W): red grows about the centre by this part of its size, blue shrinks."""

    def effect(some: Tensor, numbers: list[int]) -> Tensor:
        outwards = torch.tensor([1.0, 0.0, -1.0], device=some.device)
        chosen = torch.tensor([shifts[number] for number in numbers], device=some.device)
        scale = 1 / (1 + chosen[:, None] * outwards).reshape(-1, 1)
        x, y = (middle + (axis - middle) * scale for axis in _pixels(some) for middle in [axis.mean()])
        return _sampled(some.reshape(-1, 1, *some.shape[-2:]), x, y).reshape(some.shape)

    return where(shifts, picture, effect)


def coarsened(picture: Tensor, factors: Sequence[float]) -> Tensor:
    """Taken at a resolution so many times lower (1 is none), then enlarged again."""
    if not all(1 <= factor <= 16 for factor in factors):
        raise BadSpec(f"factors={factors!r} do not lower a resolution. Give 1 to 16 each.")

    def effect(some: Tensor, numbers: list[int]) -> Tensor:
        chosen = [factors[number] for number in numbers]
        soft = blurred(some, [0.42 * factor for factor in chosen])
        x, y = _pixels(some)
        factor = column(chosen, some).reshape(-1, 1)
        # The small picture stays in a buffer of full size, so that no picture depends on its neighbours' factors.
        small = _sampled(soft, (x + 0.5) * factor - 0.5, (y + 0.5) * factor - 0.5)
        return _sampled(small, (x + 0.5) / factor - 0.5, (y + 0.5) / factor - 0.5)

    return where([factor - 1 for factor in factors], picture, effect)


def _bells(sigmas: Sequence[float]) -> list[list[float]]:
    """The halves of several blurs, filled up with zeros to one length."""
    halves = [bell(sigma) for sigma in sigmas]
    longest = max(len(half) for half in halves)
    return [half + [0.0] * (longest - len(half)) for half in halves]


def _along_width(picture: Tensor, weights: Tensor) -> Tensor:
    """Every row under a symmetric kernel (B, taps) given from its middle outwards."""
    width, reach = picture.shape[-1], weights.shape[1] - 1
    wide = torch.cat([picture[..., :1].expand(*picture.shape[:-1], reach), picture], dim=-1)
    wide = torch.cat([wide, picture[..., -1:].expand(*picture.shape[:-1], reach)], dim=-1)
    taps = weights.T.reshape(reach + 1, -1, 1, 1, 1)
    total = picture * taps[0]
    for step in range(1, reach + 1):
        pair = wide[..., reach - step :][..., :width] + wide[..., reach + step :][..., :width]
        total.addcmul_(pair, taps[step])
    return total


def _path(length: float, angle_deg: float) -> list[tuple[float, float, float]]:
    """Stops about a pixel apart along a centred line: right, down, weight."""
    if not 0 <= length <= 128:
        raise BadSpec(f"A motion of {length!r} pixels is out of range. Give 0 to 128.")
    count = math.ceil(length) + 1
    right, down = math.cos(math.radians(angle_deg)), -math.sin(math.radians(angle_deg))
    along = [length * (step / (count - 1) - 0.5) for step in range(count)]
    return [(right * place, down * place, 1 / count) for place in along]


def _pixels(picture: Tensor) -> tuple[Tensor, Tensor]:
    """The numbers of columns and of rows, (1, W) and (1, H)."""
    height, width = picture.shape[-2:]
    counts = torch.arange(max(height, width), dtype=picture.dtype, device=picture.device)[None]
    return counts[:, :width], counts[:, :height]


def _sampled(picture: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Bilinear samples at columns x (B, W) and rows y (B, H), which may lie between pixels; the border continues."""
    height, width = picture.shape[-2:]
    across = ((2 * x + 1) / width - 1)[:, None, :].expand(len(picture), len(y[0]), -1)
    down = ((2 * y + 1) / height - 1)[:, :, None].expand(len(picture), -1, len(x[0]))
    return F.grid_sample(picture, torch.stack([across, down], dim=-1), padding_mode="border", align_corners=False)
