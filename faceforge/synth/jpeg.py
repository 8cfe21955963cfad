"""The traces of JPEG compression on pictures, by arithmetic that small differences pass through without growing."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from faceforge.errors import BadSpec
from faceforge.synth.lens import where

# ITU-T T.81, tables K.1 and K.2.
_LUMA = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMA = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99, 99, 99, 99, 99, 99, 99, 99),) * 4,
)
_RGB_TO_LUMA = (0.299, 0.587, 0.114)
# Rows of the 8-point cosine transform, halved by symmetry: even rows act on sums, odd rows on differences.
_COSINES = [
    [(math.sqrt(0.125) if row == 0 else 0.5) * math.cos((2 * place + 1) * row * math.pi / 16) for place in range(4)]
    for row in range(8)
]


def compressed(picture: Tensor, qualities: Sequence[int], halved: Sequence[bool]) -> Tensor:
    """Pictures (B, 3, H, W) in 0..1 as they come back from JPEG; quality 0 leaves one as it is, 1..100 compress.

    `halved` says whose colour is stored at half the resolution (4:2:0 instead of 4:4:4).
    """
    if not all(0 <= quality <= 100 for quality in qualities):
        raise BadSpec(f"qualities={qualities!r} are not all JPEG qualities. Give 1 to 100, or 0 for none.")
    full = [0 if half else quality for quality, half in zip(qualities, halved, strict=True)]
    half = [quality if half else 0 for quality, half in zip(qualities, halved, strict=True)]
    picture = where(full, picture, lambda some, numbers: _coded(some, [full[number] for number in numbers], 1))
    return where(half, picture, lambda some, numbers: _coded(some, [half[number] for number in numbers], 2))


def _coded(picture: Tensor, qualities: list[int], step: int) -> Tensor:
    """JPEG with the colour planes `step` times smaller."""
    height, width = picture.shape[-2:]
    unit = 8 * step
    padded = F.pad(picture * 255.0, (0, -width % unit, 0, -height % unit), mode="replicate")
    luma, chroma = _separated(padded)
    luma = _quantised(luma - 128.0, _tables(_LUMA, qualities, luma)) + 128.0
    small = F.avg_pool2d(chroma, step) if step > 1 else chroma
    small = _quantised(small, _tables(_CHROMA, qualities, small))
    chroma = F.interpolate(small, scale_factor=step, mode="bilinear") if step > 1 else small
    return (_joined(luma, chroma) / 255.0).clamp(0.0, 1.0)[..., :height, :width]


def _separated(rgb: Tensor) -> tuple[Tensor, Tensor]:
    """Luma (B, 1, H, W), and the blue and red differences (B, 2, H, W) about zero."""
    red, green, blue = rgb[:, 0:1], rgb[:, 1:2], rgb[:, 2:3]
    luma = red * _RGB_TO_LUMA[0] + green * _RGB_TO_LUMA[1] + blue * _RGB_TO_LUMA[2]
    return luma, torch.cat([(blue - luma) / 1.772, (red - luma) / 1.402], dim=1)


def _joined(luma: Tensor, chroma: Tensor) -> Tensor:
    blue = luma + 1.772 * chroma[:, :1]
    red = luma + 1.402 * chroma[:, 1:]
    green = (luma - _RGB_TO_LUMA[0] * red - _RGB_TO_LUMA[2] * blue) / _RGB_TO_LUMA[1]
    return torch.cat([red, green, blue], dim=1)


def _tables(table: Sequence[Sequence[int]], qualities: Sequence[int], like: Tensor) -> Tensor:
    """Quantisation steps (8, 8, B, 1, 1, 1), scaled to each quality as the Independent JPEG Group does it."""
    scales = [5000 // quality if quality < 50 else 200 - 2 * quality for quality in qualities]
    steps = [[[min(255, max(1, (entry * scale + 50) // 100)) for scale in scales] for entry in row] for row in table]
    return torch.tensor(steps, dtype=like.dtype, device=like.device)[..., None, None, None]


def _quantised(planes: Tensor, steps: Tensor) -> Tensor:
    """Planes (B, C, H, W), multiples of 8 in size, through the transform, coarse coefficients and back."""
    count, channels, height, width = planes.shape
    blocks = planes.reshape(count, channels, height // 8, 8, width // 8, 8).permute(3, 5, 0, 1, 2, 4).contiguous()
    waves = _transformed(_transformed(blocks).transpose(0, 1))
    waves = _rounded(waves / steps.transpose(0, 1)) * steps.transpose(0, 1)
    blocks = _restored(_restored(waves).transpose(0, 1))
    return blocks.permute(2, 3, 4, 0, 5, 1).reshape(planes.shape)


def _rounded(values: Tensor) -> Tensor:
    """Almost the nearest whole numbers, but continuous: true rounding would magnify a difference in the last bit."""
    for _ in range(2):
        turns = values - values.floor()
        values = values - torch.sin(turns * (2 * math.pi)) / (2 * math.pi)
    return values


def _transformed(values: Tensor) -> Tensor:
    """The orthonormal cosine transform along the first axis, which has eight entries."""
    mirrored = values[4:].flip(0)
    sums, differences = values[:4] + mirrored, values[:4] - mirrored
    return torch.stack([_weighed(differences if row % 2 else sums, _COSINES[row]) for row in range(8)])


def _restored(waves: Tensor) -> Tensor:
    """The inverse of `_transformed`."""
    even = [_weighed(waves[0::2], [row[place] for row in _COSINES[0::2]]) for place in range(4)]
    odd = [_weighed(waves[1::2], [row[place] for row in _COSINES[1::2]]) for place in range(4)]
    first = [left + right for left, right in zip(even, odd, strict=True)]
    last = [left - right for left, right in zip(even, odd, strict=True)]
    return torch.stack(first + last[::-1])


def _weighed(values: Tensor, weights: Sequence[float]) -> Tensor:
    total = values[0] * weights[0]
    for value, weight in zip(values[1:], weights[1:], strict=True):
        total.add_(value, alpha=weight)
    return total
