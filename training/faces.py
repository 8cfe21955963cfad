"""Readers of disguised synthetic faces: crops for the landmarker, small scenes for the detector.

The batch of a step is a function of the seed and the step alone, which is what makes resuming exact.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import NonNegativeInt, PositiveInt
from torch import Tensor

from faceforge.face.networks import CROP, STRIDE, TYPICAL
from faceforge.face.squares import MARGIN, rotation, upright
from faceforge_training import disguise
from faceforge_training.clutter import clutter
from faceforge_training.draws import of_step
from faceforge_training.portraits import SIZE, Portraits, drawn
from faceforge_training.warps import Warp, bends

SCENE = CROP  # pixels of a side
_CLUTTER = 2000
_WITHOUT = 0.08  # crops and scenes of no one
_NEAR, _FAR = 0.2, 0.45  # sides of the face within which cells have to answer, and beyond which they have to deny


def face_crops(
    folder: str,
    portraits: PositiveInt,
    *,
    batch: PositiveInt = 64,
    first: NonNegativeInt = 2_000_000,
    seed: NonNegativeInt = 0,
    pixels: PositiveInt = SIZE,
) -> "Crops":
    """What the landmarker learns from: `portraits` of the seeds from `first` on, drawn into `folder` once."""
    return Crops(_faces(folder, portraits, first, pixels, batch=batch, seed=seed))


def face_scenes(
    folder: str,
    portraits: PositiveInt,
    *,
    batch: PositiveInt = 64,
    first: NonNegativeInt = 2_000_000,
    seed: NonNegativeInt = 0,
    pixels: PositiveInt = SIZE,
) -> "Scenes":
    """What the detector learns from: the same portraits in small scenes."""
    return Scenes(_faces(folder, portraits, first, pixels, batch=batch, seed=seed))


def _faces(folder: str, count: int, first: int, pixels: int, *, batch: int, seed: int) -> "Faces":
    known = drawn(Path(folder).expanduser(), count, first, size=pixels)
    return Faces(known, clutter(min(_CLUTTER, 10 * batch), CROP, seed), batch, seed)


@dataclass(frozen=True, eq=False)
class Faces:
    """What both readers draw from."""

    known: Portraits
    backgrounds: Tensor  # (N, h, w) uint8
    batch: int
    seed: int

    def random(self, step: int) -> torch.Generator:
        return of_step(self.seed, step)

    def picked(self, random: torch.Generator) -> Tensor:
        return torch.randint(len(self.known), (self.batch,), generator=random)

    def things(self, random: torch.Generator) -> Tensor:
        """Pictures of no one (B, 1, n, n) in 0..1, of any contrast."""
        which = torch.randint(len(self.backgrounds), (self.batch,), generator=random)
        level, contrast = torch.rand(2, self.batch, 1, 1, 1, generator=random)
        pieces = self.backgrounds[which, None].float() / 255
        return ((pieces - 0.5) * (0.2 + 0.9 * contrast) + 0.25 + 0.5 * level).clamp(0, 1)

    def seen(self, index: Tensor, warp: Warp, random: torch.Generator) -> Tensor:
        """The crops of portraits before other backgrounds, as some camera saw them."""
        grey = disguise.grey_of(self.known.pictures[index], random)
        there = self.known.there[index, None].float()
        own = (torch.rand(len(index), 1, 1, 1, generator=random) < 0.35).float()
        shown = torch.maximum(there, own)
        layers = warp.cut(torch.cat([grey * shown, shown, there], 1))
        picture = layers[:, :1] + (1 - layers[:, 1:2]) * self.things(random)
        return disguise.textured(picture, layers[:, 2:], random)

    def finished(self, picture: Tensor, random: torch.Generator) -> Tensor:
        picture = disguise.hidden(picture, self.things(random), random)
        return disguise.photographed(picture, random)


@dataclass(frozen=True, eq=False)
class Crops:
    """Crops around faces, half of them placed as roughly as the detector does it, and where the points are."""

    faces: Faces

    def batch(self, step: int) -> dict[str, Tensor]:
        """`grey` (B, 1, 96, 96), `points` (B, 70, 2) in 0..1, `angles` (B, 3), `present` (B,)."""
        random = self.faces.random(step)
        index, warp = self._chosen(random)
        points, angles = self._truth(index, warp)
        empty, aside = torch.rand(2, len(index), generator=random) < _WITHOUT
        warp = self._missed(warp, aside, random)
        picture = self.faces.seen(index, warp, random)
        picture = torch.where(empty[:, None, None, None], self.faces.things(random), picture)
        return {
            "grey": self.faces.finished(disguise.framed(picture, random), random),
            "points": points,
            "angles": angles,
            "present": (~(empty | aside)).float(),
        }

    def labels(self, step: int) -> tuple[Tensor, Tensor]:
        """Points and angles of a step's batch, without its pictures."""
        return self._truth(*self._chosen(self.faces.random(step)))

    def _missed(self, warp: Warp, which: Tensor, random: torch.Generator) -> Warp:
        """Some crops show what is beside the face, or a small piece of it."""
        draw = torch.rand(len(which), 3, generator=random)
        angle, near = 2 * torch.pi * draw[:, 0], draw[:, 1] < 0.5
        far = torch.where(near, 0.35 * draw[:, 2], 0.55 + 0.4 * draw[:, 2])  # in sides of the crop
        away = torch.einsum("bij,bj->bi", warp.turn, torch.stack([angle.cos(), angle.sin()], -1) * far[:, None])
        shrunk = torch.where(near, 0.2 + 0.15 * draw[:, 2], 0.4 + 0.8 * draw[:, 2])
        centre = torch.where(which[:, None], warp.centre + away, warp.centre)
        turn = torch.where(which[:, None, None], warp.turn * shrunk[:, None, None], warp.turn)
        return Warp(centre, turn, warp.mirrored, warp.bend)

    def _chosen(self, random: torch.Generator) -> tuple[Tensor, Warp]:
        index = self.faces.picked(random)
        return index, self._placed(self.faces.known.points[index], random)

    def _truth(self, index: Tensor, warp: Warp) -> tuple[Tensor, Tensor]:
        angles = self.faces.known.angles[index]
        turned = angles * torch.tensor([-1.0, 1.0, -1.0])
        mirrored = warp.mirrored[:, None]
        return warp.points(self.faces.known.points[index]), torch.where(mirrored, turned, angles)

    def _placed(self, points: Tensor, random: torch.Generator) -> Warp:
        middle, side, roll = upright(points)
        batch = len(points)
        rough = torch.where(torch.rand(batch, generator=random) < 0.5, 1.0, 0.25)
        draw = torch.randn(batch, 6, generator=random).clamp(-2.2, 2.2)
        shift = draw[:, :2] * (0.09 * rough * side)[:, None]
        reach = MARGIN * side * torch.exp(0.15 * rough * draw[:, 2])
        angle = roll + 0.3 * rough * draw[:, 3]
        stretch = torch.exp(0.09 * draw[:, 4])
        mirrored = torch.rand(batch, generator=random) < 0.5
        across = reach * stretch * torch.where(mirrored, -1.0, 1.0)
        turn = rotation(angle) * torch.stack([across, reach / stretch], -1)[:, None]
        amount = 0.016 * draw[:, 5].abs()
        return Warp(middle + shift, turn, mirrored, bends(batch, CROP, amount, random))


@dataclass(frozen=True, eq=False)
class Scenes:
    """Scenes with a face of any size somewhere, or with none."""

    faces: Faces

    def batch(self, step: int) -> dict[str, Tensor]:
        """`grey` (B, 1, 96, 96), `face` (B, 12, 12) 1, 0 or -1 for either, `where` (B, 3, 12, 12) offsets, size."""
        random = self.faces.random(step)
        index = self.faces.picked(random)
        middle, side, roll = upright(self.faces.known.points[index])
        draw = torch.rand(len(index), 8, generator=random)
        wanted = 13 * (72 / 13) ** draw[:, 0]  # pixels of the face in the scene
        place = draw[:, 1:3] - 0.5  # where its middle comes, from the middle of the scene, in scenes
        angle = roll + 1.1 * (draw[:, 3] - 0.5)
        upside_down = draw[:, 4] < 0.06
        angle = torch.where(upside_down, angle + torch.pi, angle)
        mirrored = draw[:, 5] < 0.5
        reach = SCENE * side / wanted
        flip = torch.stack([torch.where(mirrored, -reach, reach), reach], -1)
        turn = rotation(angle) * flip[:, None]
        centre = middle - torch.einsum("bij,bj->bi", turn, place)
        bend = bends(len(index), SCENE, 0.012 * wanted / SCENE, random)
        picture = self.faces.seen(index, Warp(centre, turn, mirrored, bend), random)
        jumbled = draw[:, 6] < 0.06
        picture = torch.where(jumbled[:, None, None, None], _jumbled(picture, random), picture)
        absent = draw[:, 7] < 2 * _WITHOUT
        picture = torch.where(absent[:, None, None, None], self.faces.things(random), picture)
        face, where = targets((place + 0.5) * SCENE, wanted)
        denied = (upside_down | absent | jumbled)[:, None, None]
        unsure = (jumbled & (wanted < 30))[:, None, None]  # pieces of that size may still show a face
        face = torch.where(denied, torch.where(unsure, -1.0, 0.0), face)
        return {"grey": self.faces.finished(picture, random), "face": face, "where": where}


def targets(middle: Tensor, side: Tensor, smallest: float = 18.0, largest: float = 58.0) -> tuple[Tensor, Tensor]:
    """What each cell of a scene has to say of a face at `middle` (B, 2) with a `side` (B,), both in pixels."""
    cells = (torch.arange(SCENE // STRIDE) + 0.5) * STRIDE
    x = middle[:, 0, None, None] - cells[None, None]
    y = middle[:, 1, None, None] - cells[None, :, None]
    x, y = torch.broadcast_tensors(x, y)
    far = torch.hypot(x, y)
    near = far < torch.clamp(_NEAR * side, min=0.75 * STRIDE)[:, None, None]
    face = torch.where(
        near, 1.0, torch.where(far < torch.clamp(_FAR * side, min=1.5 * STRIDE)[:, None, None], -1.0, 0.0)
    )
    other = ((side < smallest) | (side > largest))[:, None, None]
    face = torch.where(other & (face > 0), -1.0, face)
    size = torch.log(side / TYPICAL)[:, None, None].expand_as(x)
    return face, torch.stack([x / STRIDE, y / STRIDE, size], 1)


def _jumbled(picture: Tensor, random: torch.Generator) -> Tensor:
    """Pieces of a third of the scene in another order: all that faces are made of, and no face."""
    order = torch.randperm(9, generator=random)
    third = picture.shape[-1] // 3
    pieces = picture.unflatten(3, (3, third)).unflatten(2, (3, third)).transpose(3, 4).flatten(2, 3)[:, :, order]
    return pieces.unflatten(2, (3, 3)).transpose(3, 4).flatten(4, 5).flatten(2, 3)
