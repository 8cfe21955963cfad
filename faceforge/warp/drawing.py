"""A head as the target has it, drawn on the part of the window that changes, and what of it the photograph shows."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from faceforge.face3d.embedded.curves import smoothstep
from faceforge.warp.lids import lid_faces, made_up
from faceforge.warp.plate import Plate
from faceforge.warp.posed import Posed, Seen
from faceforge.warp.region import changing
from faceforge.warp.shading import Surface, surface
from faceforge.warp.target import Target
from faceforge.warp.window import Window

_SLACK = 0.004  # metres by which skin may lie behind what is shown and still be it
_EDGE_ON = 0.05  # how squarely what is seen faces the camera at least


@dataclass(frozen=True)
class Drawing:
    """The target's head on a part of the plate's window; N covered grid points of (h, w)."""

    plate: Plate
    target: Target
    posed: Posed
    window: Window
    seen: Seen
    form: Surface

    @cached_property
    def inside(self) -> Tensor:
        """Where the head is, (h, w)."""
        return self.seen.spread(torch.ones(len(self.seen.flat), dtype=torch.bool))

    @cached_property
    def centres(self) -> Tensor:
        """Of the grid's points, (h, w, 2) in pixels."""
        return self.window.centres()

    @cached_property
    def shift(self) -> Tensor:
        """From each covered point to where it was, (N, 2) in pixels."""
        return self._read[:, :2]

    @cached_property
    def squarely(self) -> Tensor:
        """How squarely the covered points (N,) face the camera."""
        return self._read[:, 3]

    @cached_property
    def _read(self) -> Tensor:
        """Of the covered points (N, 5): shift, depth in the photograph, how squarely they face the camera and did."""
        plate, rest = self.plate, self.plate.at_rest
        facing = plate.facing(self.posed), plate.shown
        return self.seen.mixed(torch.cat([plate.shift(self.posed), rest.points[:, 2:], torch.stack(facing, 1)], 1))

    def whole(self, places: Tensor) -> Tensor:
        """How much of each covered point (N,), read at places (h, w, 2), is not a lid that has to be made up."""
        return _unstretched(self.seen, places, self.window.step) * (
            1 - made_up(self.plate, self.seen, self.posed, places)
        )

    def known(self) -> Tensor:
        """How surely the photograph shows each covered point where it was, (N,) in 0..1."""
        places = torch.cat([(self.window.centres_of(self.seen.flat) + self.shift).T, self._read[:, 2:3].T]).T
        return shown(self.plate, self.seen, places, self._read[:, 4], self.squarely)


def drawn(plate: Plate, target: Target) -> Drawing | None:
    """The target's head where it differs from the photograph's, or None where it does not."""
    still = target.params is plate.fit.params
    posed = plate.at_rest if still else plate.posed(target.params)
    window = changing(plate, posed, target)
    if window is None:
        return None
    seen = plate.shown_at_rest if still and window is plate.window else plate.seen(posed, window)
    return Drawing(plate, target, posed, window, seen, surface(plate, seen, posed, target))


def shown(plate: Plate, seen: Seen, places: Tensor, before: Tensor, after: Tensor) -> Tensor:
    """How surely the photograph shows at places (N, 3: pixels, depth) what is seen, (N,) in 0..1.

    Before (N,) says how squarely it faced the camera there, after (N,) how squarely it does now: what was seen no
    more slantingly than it will be is known. Eyes and the mouth's inside are shown where the photograph shows any.
    """
    rows, columns = plate.window.grid
    x, y = plate.window.on_grid(places[:, :2]).unbind(1)
    within = (x > -1) & (x < columns) & (y > -1) & (y < rows)
    front = plate.looked_up(plate.farthest, places[None, :, :2], mode="nearest")[0]
    sure = ((front < 0) | (places[:, 2] < front + _SLACK)).float()
    for kind, faces in plate.inner.items():
        index = faces[seen.face].nonzero().squeeze(1)
        if len(index):
            sure[index] = smoothstep(0.3, 0.7, plate.looked_up(plate.openings[kind], places[None, index, :2])[0])
    squareness = before.clamp(min=_EDGE_ON) / after.clamp(min=_EDGE_ON)
    return smoothstep(0.15, 0.5, squareness) * sure * within


def _unstretched(seen: Seen, places: Tensor, pitch: float) -> Tensor:
    """0 where upper lids (N,) are drawn out from next to nothing, 1 elsewhere."""
    found, y = torch.ones(len(seen.flat)), places[..., 1].flatten()
    at = (lid_faces()[seen.face] & (seen.flat < len(y) - seen.grid[1])).nonzero().squeeze(1)
    here = seen.flat[at]
    found[at] = smoothstep(0.15, 0.45, (y[here + seen.grid[1]] - y[here]) / pitch)
    return found
