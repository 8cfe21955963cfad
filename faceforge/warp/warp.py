"""The warp: every pixel of the edited face is looked up where it was in the photograph."""

from dataclasses import dataclass

import torch
from torch import Tensor

from faceforge.face3d.embedded.curves import smoothstep
from faceforge.warp.motion import STILL, Motion, motion
from faceforge.warp.plate import Plate
from faceforge.warp.shading import brightened
from faceforge.warp.target import Target
from faceforge.warp.window import sampled

_UNLIKE = (0.12, 0.30)  # brightness by which a twin differs from its surroundings
_EVEN = 0.002  # brightness: less change than this is none


@dataclass(frozen=True)
class Warped:
    """An edited picture (3, H, W) in 0..1 and how it came about."""

    picture: Tensor
    flow: Tensor  # (H, W, 2) from each pixel to where it was, x and y in pixels
    unknown: Tensor  # (H, W) 0..1: what the photograph cannot know and was made up
    changed: Tensor  # (H, W) bool; elsewhere the picture is the photograph, bit for bit
    notes: tuple[str, ...] = ()


def warp(plate: Plate, target: Target) -> Warped:
    """The photograph with its head as the target has it."""
    moves, window = motion(plate, target), plate.window
    offset, ratio = window.fine(moves.offset).permute(1, 2, 0), window.fine(moves.ratio)
    known = window.fine(moves.known[None])[0]
    own = window.centres((window.height, window.width))
    rows, columns = window.slices
    before = plate.picture[:, rows, columns]

    after = brightened(_read(plate.picture, own, offset, before), ratio)
    if moves.unseen is not None:
        after = torch.lerp(_made_up(plate, moves, own), after, known)
    changed = (offset.abs().amax(2) > STILL) | ((ratio - 1).abs().amax(0) > _EVEN) | (known < 0.999)
    after = torch.where(changed, after.clamp(0, 1), before)

    picture, flow = plate.picture.clone(), torch.zeros(*plate.fit.size, 2)
    unknown, where = torch.zeros(plate.fit.size), torch.zeros(plate.fit.size, dtype=torch.bool)
    picture[:, rows, columns], flow[rows, columns] = after, offset
    unknown[rows, columns], where[rows, columns] = 1 - known, changed
    return Warped(picture, flow, unknown, where, target.notes)


def _read(picture: Tensor, own: Tensor, offset: Tensor, before: Tensor) -> Tensor:
    """The picture at displaced places; only the rectangle that moves is read."""
    moving = offset.abs().amax(2) > STILL
    if not bool(moving.any()):
        return before
    rows, columns = (moving.any(axis).nonzero().squeeze(1) for axis in (1, 0))
    part = (slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1))
    found = before.clone()
    found[(slice(None), *part)] = sampled(picture, own[part] + offset[part], mode="bicubic")
    return found


def _made_up(plate: Plate, moves: Motion, own: Tensor) -> Tensor:
    """What stands where the photograph shows nothing: the other side of the face, or colours of the head's own."""
    unseen, fine = moves.unseen, plate.window.fine
    assert unseen is not None
    twins = sampled(plate.picture, own + fine(unseen.twin_offset).permute(1, 2, 0))
    twins, colours = brightened(twins, fine(unseen.twin_ratio)), fine(unseen.colours)
    alike = 1 - smoothstep(*_UNLIKE, (twins - colours).abs().mean(0))  # hair where there should be skin is no twin
    return torch.lerp(colours, twins, fine(unseen.twin[None])[0] * alike)
