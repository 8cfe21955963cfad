"""How a portrait is taken: where the camera stands, and what light falls on the face."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from faceforge.errors import BadSpec
from faceforge.synth import limits

FRONT = 9.0  # the plane of the face, in which the extent is measured, lies so far before the head's middle


@dataclass(frozen=True)
class Camera:
    """A pinhole looking at the face along -z; centimetres."""

    distance: float = 120.0  # from the face's plane
    half_extent: float = 14.5  # of what the picture shows there, from its middle to its border
    x: float = 0.0  # what it points at
    y: float = 1.6
    roll_deg: float = 0.0

    def __post_init__(self) -> None:
        limits.check(vars(self), _CAMERA)


@dataclass(frozen=True)
class Light:
    """Lamps with directions towards them and colours, and a sky seen from six sides; linear light, world axes."""

    directions: tuple[tuple[float, float, float], ...]
    colours: tuple[tuple[float, float, float], ...]
    sky: tuple[tuple[float, float, float], ...]  # right, left, up, down, front, back of the picture

    def __post_init__(self) -> None:
        count = len(self.directions) if isinstance(self.directions, tuple) else 1
        rows = {"directions": limits.table(max(1, count), 3, -1.01, 1.01), "colours": limits.table(count, 3, 0, 1e3)}
        limits.check(vars(self), {**rows, "sky": limits.table(6, 3, 0, 1e3)})
        for place, direction in enumerate(self.directions):
            if abs(sum(part * part for part in direction) - 1) > 0.02:
                raise BadSpec(f"directions[{place}]={direction!r} is not of length 1. Divide it by its length.")


_CAMERA = {
    "distance": limits.number(15, 1e5), "half_extent": limits.number(1, 1e4), "x": limits.number(-1e3, 1e3),
    "y": limits.number(-1e3, 1e3), "roll_deg": limits.number(-180, 180),
}  # fmt: skip


def evened(lights: Sequence[Light]) -> list[Light]:
    """The same lights with equally many lamps, those added being black."""
    most = max((len(light.directions) for light in lights), default=0)
    spare = [most - len(light.directions) for light in lights]
    return [
        replace(
            light,
            directions=light.directions + ((0.0, 0.0, 1.0),) * more,
            colours=light.colours + ((0.0, 0.0, 0.0),) * more,
        )
        for light, more in zip(lights, spare, strict=True)
    ]


def seen_by(cameras: Sequence[Camera], points: Tensor) -> Tensor:
    """Points (B, N, 3) in centimetres as each camera sees them: NDC with x left and y up, and the distance."""
    table = points.new_tensor([[c.distance, c.half_extent, c.x, c.y, c.roll_deg] for c in cameras])
    distance, half, x, y, roll = (column[:, None] for column in table.unbind(1))
    away = distance + FRONT - points[..., 2]
    scale = distance / (away.clamp(min=1.0) * half)
    across, up = (points[..., 0] - x) * scale, (points[..., 1] - y) * scale
    cosine, sine = torch.cos(torch.deg2rad(roll)), torch.sin(torch.deg2rad(roll))
    return torch.stack([-(across * cosine - up * sine), across * sine + up * cosine, away], -1)


def pixels_of(cameras: Sequence[Camera], points: Tensor, size: int) -> Tensor:
    """Points (B, N, 3) in metres as pixels (B, N, 2): x right, y down, centres at halves."""
    seen = seen_by(cameras, points * 100)
    return torch.stack([(1 - seen[..., 0]) * size / 2, (1 - seen[..., 1]) * size / 2], -1)
