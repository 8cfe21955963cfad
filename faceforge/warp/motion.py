"""How a head moves and is lit, on the grid of its window: what the warp then applies to every pixel."""

from dataclasses import dataclass

import torch
from torch import Tensor

from faceforge.face3d.embedded.curves import smoothstep
from faceforge.warp.drawing import Drawing, drawn
from faceforge.warp.outline import carried
from faceforge.warp.plate import STILL, Plate
from faceforge.warp.region import MARGIN_CM
from faceforge.warp.spread import continued
from faceforge.warp.target import Target
from faceforge.warp.unseen import SURE, Unseen, filled
from faceforge.warp.window import Rectangle, Window

_EVEN = 0.001


@dataclass(frozen=True)
class Motion:
    """Offsets to the photograph (2, h, w) in pixels, light after over before (3, h, w), how much is known (h, w)."""

    offset: Tensor
    ratio: Tensor
    known: Tensor
    unseen: Unseen | None  # None where everything is known
    part: Window  # outside of it nothing changes


def motion(plate: Plate, target: Target) -> Motion:
    """From the fitted head to the target."""
    grid, head = plate.window.grid, drawn(plate, target)
    offset, ratio, known = torch.zeros(2, *grid), torch.ones(3, *grid), torch.ones(grid)
    if head is None:
        return Motion(offset, ratio, known, None, plate.window.part(Rectangle(0, 0, 0, 0)))
    own = head.seen.spread(head.shift.T)
    around = carried(head, own)
    offset = offset if around is None else around
    here = (slice(None), *head.window.slices)
    offset[here] = torch.where(head.inside, own, offset[here])

    places = head.centres + offset[here].permute(1, 2, 0)
    whole = head.whole(places)
    shown = head.known() * whole
    ratio[here], known[here[1:]] = _ratio(head, shown, places), _known(head, shown, offset[here], places)
    lost = bool((known[here[1:]] <= SURE).any())
    unseen = filled(head, places, ratio[here], known[here[1:]], whole) if lost else None
    return Motion(offset, ratio, known, unseen, _reach(head, around))


def _reach(head: Drawing, around: Tensor | None) -> Window:
    """The part of the plate's window in which something changes."""
    if around is None:
        return head.window
    moving = around.abs().amax(0) > STILL
    moving[head.window.slices] = True
    return head.plate.window.part(Rectangle.around(moving, 1))


def _known(head: Drawing, shown: Tensor, offset: Tensor, places: Tensor) -> Tensor:
    """How much of each point (h, w) is known: what is shown (N,) of the head, and beside it all but what it hid."""
    behind = (offset.abs().amax(0) >= STILL) & (head.plate.looked_up(head.plate.core, places, mode="nearest") > 0)
    return torch.where(head.inside, head.seen.spread(shown), 1 - behind.float())


def _ratio(head: Drawing, shown: Tensor, places: Tensor) -> Tensor:
    """The head's light after over before (3, h, w), and the same on the hair around it."""
    plate, inside = head.plate, head.inside
    of_head = head.form.ratio(head.seen, plate.level)
    own = head.seen.spread(of_head.T)
    if not bool((of_head - 1).abs().gt(_EVEN).any()):
        return torch.where(inside, own, 1.0)
    # Normals at the very edge are anyone's guess.
    trust = head.seen.spread(shown * smoothstep(0.05, 0.3, head.squarely))
    everywhere, hair = continued(own, trust), plate.looked_up(plate.belongs, places)
    if head.window != plate.window:
        hair = hair * head.window.fading(MARGIN_CM * plate.points_per_cm)
    return torch.where(inside, everywhere, 1 + (everywhere - 1) * hair)
