"""What stands where a photograph does not show a head: its other side, its own parts, or a smooth continuation."""

from dataclasses import dataclass

import torch
from torch import Tensor

from faceforge.face3d.embedded.curves import smoothstep
from faceforge.warp.drawing import Drawing, shown
from faceforge.warp.interior import interior
from faceforge.warp.lids import lashed
from faceforge.warp.plate import Plate
from faceforge.warp.posed import Seen
from faceforge.warp.shading import brightened
from faceforge.warp.spread import continued, enlarged, grown
from faceforge.warp.window import Rectangle, Window

SURE = 0.999  # what is known to less is made up
_AROUND_CM = 1.0  # of what is shown, kept to continue from
_SOME = (slice(None, None, 2), slice(None, None, 2))  # of the points: a smooth continuation needs no more
_UNLIKE = (0.12, 0.30)  # brightness by which a twin differs from its surroundings


@dataclass(frozen=True)
class Unseen:
    """What stands on the grid points of a part of the window that holds all that the photograph does not show."""

    window: Window
    twin: Tensor  # (h, w) 1 where it shows their counterpart on the face's other side
    twin_offset: Tensor  # (2, h, w) to it
    twin_ratio: Tensor  # (3, h, w) light now over light there
    colours: Tensor  # (3, h, w) for the rest

    def at(self, plate: Plate, places: Tensor) -> Tensor:
        """Colours (3, N) at places (N, 2) in pixels; what looks unlike its surroundings is no twin, but hair."""
        fields = torch.cat([self.colours, self.twin_offset, self.twin_ratio, self.twin[None]])
        colours, offset, ratio, twin = torch.split(self.window.read(fields, places[None])[:, 0], [3, 2, 3, 1])
        twins = brightened(plate.read(places + offset.T), ratio)
        alike = 1 - smoothstep(*_UNLIKE, (twins - colours).abs().mean(0))
        return torch.lerp(colours, twins, twin * alike)


def filled(head: Drawing, places: Tensor, ratio: Tensor, known: Tensor, whole: Tensor) -> Unseen:
    """What is not known (h, w) of a head whose points were at places (h, w, 2) under other light (3, h, w).

    Whole (N,) is 0 on lids that have to be made up.
    """
    part = Rectangle.around(known <= SURE, round(_AROUND_CM * head.plate.points_per_cm))
    lost = known.reshape(-1)[head.seen.flat] <= SURE
    window, (rows, columns) = head.window.part(part), part.slices
    seen = head.seen.only(lost).on(part)
    inside, known = head.inside[rows, columns], known[rows, columns]
    colours = _continued(head, places[rows, columns], ratio[:, rows, columns], known, inside, seen)
    return _with_twins(head, window, seen, lost, whole[lost], colours)


def _continued(head: Drawing, places: Tensor, ratio: Tensor, known: Tensor, inside: Tensor, seen: Seen) -> Tensor:
    """Colours (3, h, w): those of the head's own eyes and mouth, and elsewhere what surrounds the points seen."""
    plate, grid = head.plate, (known.shape[0], known.shape[1])
    beside, within = (each[_SOME] for each in (known * ~inside, known * inside))
    here = brightened(plate.window.read(plate.colours, places[_SOME]), ratio[:, *_SOME])
    skin = within * (1 - plate.looked_up(plate.around_openings, places[_SOME]))
    of_skin, of_room, of_lips = continued(here, torch.stack([skin, beside, within]), 2)
    colours = enlarged(of_skin, grid)
    if not bool((inside | (known > SURE)).all()):
        colours = torch.where(inside, colours, enlarged(of_room, grid))
    flat = colours.reshape(3, -1)
    flat[:, seen.flat] = lashed(seen, flat[:, seen.flat].T).T
    inner = (plate.inner["eye"] | plate.inner["mouth"])[seen.face]
    if bool(inner.any()):
        flat[:, seen.flat[inner]] = interior(plate, seen.only(inner), head.posed, head.target).T
    slit = _slit(plate, seen)
    if bool(slit.any()):
        flat[:, seen.flat[slit]] = enlarged(of_lips, grid).reshape(3, -1)[:, seen.flat[slit]]
    return colours


def _slit(plate: Plate, seen: Seen) -> Tensor:
    """Which points (N,) lie between lips that all but touch: no mouth is seen there, only where two meshes meet."""
    mouth = plate.inner["mouth"][seen.face]
    core = ~grown(~seen.spread(mouth))
    return mouth & ~grown(core, 2).reshape(-1)[seen.flat]


def _with_twins(head: Drawing, window: Window, lost: Seen, which: Tensor, whole: Tensor, colours: Tensor) -> Unseen:
    plate, form, squarely = head.plate, head.form.only(which), head.squarely[which]
    twins = plate.twins
    there = lost.mixed(torch.cat([plate.at_rest.points, plate.shown[:, None]], 1)[twins])
    places, before = there[:, :3], there[:, 3]
    own = window.centres_of(lost.flat)
    return Unseen(
        window=window,
        twin=lost.spread(shown(plate, lost, places, before, squarely) * whole),
        twin_offset=lost.spread((places[:, :2] - own).T),
        twin_ratio=lost.spread(form.ratio(lost, plate.level[twins]).T),
        colours=colours,
    )
