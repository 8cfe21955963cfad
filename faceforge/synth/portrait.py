"""Sittings become pictures with exact labels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from faceforge.face3d.embedded.model import EmbeddedHead
from faceforge.face3d.head import HeadParams
from faceforge.synth import backdrop, limits, occluders, photo, sitting, wrinkles
from faceforge.synth.casting import Cast, cast
from faceforge.synth.render import PART_NAMES, Rendering, render
from faceforge.synth.shots import evened, pixels_of
from faceforge.synth.sight import in_sight
from faceforge.synth.sitting import Sitting
from faceforge.synth.stage import Shots

_SIZE = limits.whole(1, 4096)
_AT_ONCE = 8  # pictures rendered together; more would only leave the caches
_DIGITS = 3  # of a pixel, to which landmarks are rounded so that they are equal everywhere


@dataclass(frozen=True)
class Portrait:
    """A picture (H, W, 3) uint8 and what is true of it."""

    image: NDArray[np.uint8]
    sitting: Sitting
    landmarks: NDArray[np.float64]  # (68, 2) pixels, x right and y down, centres at halves
    visible: NDArray[np.bool_]  # (68,) in the picture, and behind neither the head, hair nor an occluder
    parts: NDArray[np.uint8]  # (H, W) index into PART_NAMES
    depth: NDArray[np.float32]  # (H, W) centimetres from the camera, 0 where no one is or an occluder is before them
    normals: NDArray[np.float32]  # (H, W, 3) x right, y up, z to the camera; 0 as depth is

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the landmarks."""
        low, high = self.landmarks.min(0), self.landmarks.max(0)
        return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))

    def labels(self) -> dict[str, Any]:
        """The sitting's labels and the landmarks, ready for JSON."""
        points = {"landmarks": self.landmarks.tolist(), "visible": self.visible.tolist(), "box": list(self.box)}
        return {**self.sitting.labels(), **points}


def portrait(
    seed: int, *, size: int = 256, device: torch.device | None = None, allow_reserved: bool = False, **overrides: Any
) -> Portrait:
    """The portrait of a seed; overrides name fields of Sitting or Person, such as aus, yaw_deg, age or tone."""
    return photograph([sitting.sample(seed, allow_reserved=allow_reserved, **overrides)], size, device=device)[0]


def photograph(sittings: Sequence[Sitting], size: int = 256, *, device: torch.device | None = None) -> list[Portrait]:
    """A portrait of every sitting; textures are painted once per person."""
    return [each for batch in _batches(sittings, size, device) for each in batch]


def pictures(sittings: Sequence[Sitting], size: int = 256, *, device: torch.device | None = None) -> Tensor:
    """Only the pictures, (B, 3, H, W) uint8 on the device: what training streams."""
    taken = [_developed(crew, some, size)[0] for crew, some in _crews(_checked(sittings, size), size, device)]
    return torch.cat(taken)


def _batches(sittings: Sequence[Sitting], size: int, device: torch.device | None) -> Iterator[list[Portrait]]:
    for crew, some in _crews(_checked(sittings, size), size, device):
        images, rendering = _developed(crew, some, size)
        head, cameras = EmbeddedHead(images.device), [each.camera for each in some]
        points = head.landmarks68(rendering.mesh)
        flat = pixels_of(cameras, points, size)
        seen = in_sight(cameras, points, rendering.mesh.vertices, head.faces) & _uncovered(flat, rendering.parts)
        yield [
            Portrait(
                image=images[number].permute(1, 2, 0).numpy(force=True),
                sitting=each,
                landmarks=np.round(flat[number].numpy(force=True), _DIGITS),
                visible=seen[number].numpy(force=True),
                parts=rendering.parts[number].to(torch.uint8).numpy(force=True),
                depth=rendering.depth[number].numpy(force=True),
                normals=rendering.normals[number].permute(1, 2, 0).numpy(force=True),
            )
            for number, each in enumerate(some)
        ]


def _uncovered(flat: Tensor, parts: Tensor) -> Tensor:
    """Whether pixels (B, N, 2) are in the picture (B, H, W), and under neither hair nor an occluder, (B, N)."""
    size = parts.shape[-1]
    column, row = flat.floor().long().unbind(-1)
    inside = (column >= 0) & (column < size) & (row >= 0) & (row < size)
    place = row.clamp(0, size - 1) * size + column.clamp(0, size - 1)
    part = parts.flatten(1).gather(1, place)
    return inside & (part != PART_NAMES.index("hair")) & (part != PART_NAMES.index("occluder"))


def _checked(sittings: Sequence[Sitting], size: int) -> Sequence[Sitting]:
    _SIZE("size", size)
    return sittings


def _crews(
    sittings: Sequence[Sitting], size: int, device: torch.device | None
) -> Iterator[tuple[Cast, Sequence[Sitting]]]:
    """Sittings in small batches, with the cast that plays in each; neighbours of the same person share a cast."""
    place = torch.get_default_device() if device is None else device
    last: Cast | None = None
    for first in range(0, len(sittings), _AT_ONCE):
        some = sittings[first : first + _AT_ONCE]
        people = list(dict.fromkeys(each.person for each in some))
        if last is None or list(last.people) != people:
            last = cast(people, texels(size), place)
        yield last, some


def texels(size: int) -> int:
    """How high an atlas a picture of a size needs."""
    return 256 if size <= 160 else 512 if size <= 400 else 1024


def _developed(crew: Cast, some: Sequence[Sitting], size: int) -> tuple[Tensor, Rendering]:
    """Pictures (B, 3, H, W) uint8 of one batch, and the rendering behind them."""
    device = crew.sheet.device
    order = {each: number for number, each in enumerate(crew.people)}
    shots = Shots(
        who=[order[each.person] for each in some],
        poses=poses(some, EmbeddedHead(device)),
        folds=_folds(some).to(device),
        cameras=[each.camera for each in some],
        lights=evened([each.light for each in some]),
    )
    rendering = render(crew, shots, size)
    behind = backdrop.paint([each.scene for each in some], size, device)
    light = rendering.light + (1 - rendering.coverage) * behind
    things = occluders.draw([each.occluder for each in some], size, device)
    around = torch.tensor([each.light.sky[4] for each in some], device=device) * 2.2
    light = things[:, :3] * around[:, :, None, None] + (1 - things[:, 3:]) * light
    gains = photo.metered([each.person.skin for each in some], [each.light for each in some])
    light = light * torch.tensor(gains, device=device)[:, None, None, None]
    seeds = torch.tensor([each.noise for each in some], device=device)
    return photo.apply(light, [each.photo for each in some], seeds), _hidden(rendering, things[:, 3] > 0.5)


def _hidden(rendering: Rendering, where: Tensor) -> Rendering:
    """The maps without what lies behind occluders, which have neither depth nor normals."""
    return replace(
        rendering,
        parts=rendering.parts.masked_fill(where, PART_NAMES.index("occluder")),
        depth=rendering.depth.masked_fill(where, 0),
        normals=rendering.normals.masked_fill(where[:, None], 0),
    )


def poses(sittings: Sequence[Sitting], head: EmbeddedHead) -> HeadParams:
    """The sittings' expressions, gazes and poses as parameters of the embedded head."""
    each = [head.from_aus(sitting.aus) for sitting in sittings]
    table = torch.tensor(
        [[s.yaw_deg, s.pitch_deg, s.roll_deg, s.gaze_yaw_deg, s.gaze_pitch_deg] for s in sittings],
        dtype=torch.float64,
        device=head.faces.device,
    )
    yaw, pitch, roll, gaze_yaw, gaze_pitch = torch.deg2rad(table).unbind(1)
    body = torch.stack([0 * pitch, 0.25 * yaw, 0 * roll], 1)
    eyes = torch.stack([-gaze_pitch, gaze_yaw, 0 * gaze_yaw], 1)[:, None].expand(-1, 2, -1)
    stacked = {name: torch.cat([getattr(one, name) for one in each]) for name in ("expression", "jaw", "eyelids")}
    neck = torch.stack([-pitch, 0.75 * yaw, -roll], 1)
    return HeadParams(neck=neck, rotation=body, eyes=eyes, **stacked)


def _folds(sittings: Sequence[Sitting]) -> Tensor:
    """How deep each unit of wrinkles.FOLDS wrinkles the skin, (B, K) in 0..1."""

    def depth(aus: dict[str, float], code: str) -> float:
        sides = [aus.get(code + side, 0.0) for side in ("", "L", "R")]
        return max(0.0, min(1.0, (sides[0] + 0.5 * (sides[1] + sides[2])) / 5))

    return torch.tensor([[depth(dict(each.aus), code) for code in wrinkles.FOLDS] for each in sittings])
