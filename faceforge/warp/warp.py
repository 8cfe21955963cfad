"""The warp: every pixel of the edited face is looked up where it was in the photograph."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from faceforge.warp.levels import in_floats, like, looked_up
from faceforge.warp.motion import Motion, motion
from faceforge.warp.plate import STILL, Plate
from faceforge.warp.shading import brightened
from faceforge.warp.target import Target
from faceforge.warp.unseen import SURE
from faceforge.warp.window import Rectangle

_EVEN = 0.002  # brightness: less change than this is none
_BLOCK = 768  # pixels to a side of what is worked on at once: memory stays small however large the picture


@dataclass(frozen=True)
class Warped:
    """The part of a photograph that an edit changes, and on demand all of it; photograph and edit are of one kind."""

    plate: Plate
    moves: Motion
    part: Rectangle
    patch: Tensor  # (3, h, w) the edited part
    altered: Tensor  # (h, w) bool; elsewhere the picture is the photograph, bit for bit
    notes: tuple[str, ...] = ()

    @cached_property
    def picture(self) -> Tensor:
        """The edited photograph (3, H, W)."""
        whole = self.plate.picture.clone()
        whole[:, *self.part.slices] = self.patch
        return whole

    @cached_property
    def changed(self) -> Tensor:
        """Where it differs from the photograph, (H, W)."""
        whole = torch.zeros(self.plate.fit.size, dtype=torch.bool)
        whole[self.part.slices] = self.altered
        return whole

    @cached_property
    def flow(self) -> Tensor:
        """From each pixel to where it was (H, W, 2), x and y in pixels."""
        whole = torch.zeros(*self.plate.fit.size, 2)
        whole[self.part.slices] = self.plate.window.fine(self.moves.offset, self.part).permute(1, 2, 0)
        return whole

    @cached_property
    def unknown(self) -> Tensor:
        """What the photograph cannot know and was made up, (H, W) in 0..1."""
        whole = torch.zeros(self.plate.fit.size)
        whole[self.part.slices] = 1 - self.plate.window.fine(self.moves.known[None], self.part)[0]
        return whole

    def carried(self, layer: Tensor) -> Tensor:
        """Another layer (1, H, W) of the photograph, such as its opacity, moved along; full where it was made up."""
        if not bool(self.altered.any()):
            return layer
        offset = self.plate.window.fine(self.moves.offset, self.part)
        known = self.plate.window.fine(self.moves.known[None], self.part)
        moved = looked_up(layer, self.part.centres() + offset.permute(1, 2, 0))
        whole = layer.clone()
        patch = like(torch.lerp(torch.ones_like(moved), moved, known), layer.dtype)
        whole[:, *self.part.slices] = torch.where(self.altered, patch, layer[:, *self.part.slices])
        return whole


def warp(plate: Plate, target: Target) -> Warped:
    """The photograph with its head as the target has it."""
    moves = motion(plate, target)
    part = moves.part.rectangle
    patch = plate.picture[:, *part.slices].clone()
    altered = torch.zeros(part.height, part.width, dtype=torch.bool)
    for block in part.blocks(_BLOCK):
        edited, changed = _edited(plate, moves, block)
        here = block.within(part)
        patch[:, *here], altered[here] = like(edited, patch.dtype), changed
    return Warped(plate, moves, part, patch, altered, target.notes)


def _edited(plate: Plate, moves: Motion, block: Rectangle) -> tuple[Tensor, Tensor]:
    """A block of pixels (3, h, w) after the edit in 0..1, and which of them it changed (h, w)."""
    fine = plate.window.fine
    offset, ratio, known = (fine(each, block) for each in (moves.offset, moves.ratio, moves.known[None]))
    moved, lit = offset.abs().amax(0) > STILL, (ratio - 1).abs().amax(0) > _EVEN
    own, before = block.centres(), in_floats(plate.picture[:, *block.slices])
    after = _read(plate, own, offset, moved, before)
    colours = after.view(3, -1)
    at = lit.flatten().nonzero().squeeze(1)
    colours[:, at] = brightened(colours.index_select(1, at), ratio.flatten(1).index_select(1, at))
    lost = known[0] < SURE
    at = lost.flatten().nonzero().squeeze(1)
    if moves.unseen is not None and len(at):
        made_up = moves.unseen.at(plate, own.flatten(0, 1).index_select(0, at))
        colours[:, at] = torch.lerp(made_up, colours.index_select(1, at), known.flatten(1).index_select(1, at))
    changed = moved | lit | lost
    return torch.where(changed, after.clamp(0, 1), before), changed


def _read(plate: Plate, own: Tensor, offset: Tensor, moved: Tensor, before: Tensor) -> Tensor:
    """The photograph at displaced places; only the rectangle that moves is read."""
    found = before.clone()
    if bool(moved.any()):
        part = Rectangle.around(moved).slices
        places = own[part] + offset[:, *part].permute(1, 2, 0)
        found[:, *part] = looked_up(plate.picture, places, mode="bicubic")
    return found
