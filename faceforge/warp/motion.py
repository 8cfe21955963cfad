"""How a head moves and is lit, on the grid of its window: what the warp then applies to every pixel."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from faceforge.face3d.embedded.curves import smoothstep
from faceforge.warp.lids import lashed, lids, made_up
from faceforge.warp.outline import carried
from faceforge.warp.plate import Plate, Seen
from faceforge.warp.shading import Surface, brightened, surface
from faceforge.warp.spread import continued, nearness
from faceforge.warp.target import Target
from faceforge.warp.unseen import interior
from faceforge.warp.window import sampled

RIGID_CM, STILL_CM = 1.8, 7.5  # around the head, hair moves with it up to here, and nothing moves beyond there
STILL = 0.02  # pixels: less motion than this is none
_SLACK = 0.004  # metres by which skin may lie behind what is shown and still be it
_SURE, _EVEN = 0.999, 0.001
_EDGE_ON = 0.05  # how squarely what is seen faces the camera at least


@dataclass(frozen=True)
class Unseen:
    """What stands on grid points that the photograph does not show."""

    twin: Tensor  # (h, w) 1 where it shows their counterpart on the face's other side
    twin_offset: Tensor  # (2, h, w) to it
    twin_ratio: Tensor  # (3, h, w) light now over light there
    colours: Tensor  # (3, h, w) for the rest


@dataclass(frozen=True)
class Motion:
    """Offsets to the photograph (2, h, w) in pixels, light after over before (3, h, w), how much is known (h, w)."""

    offset: Tensor
    ratio: Tensor
    known: Tensor
    unseen: Unseen | None  # None where everything is known


def motion(plate: Plate, target: Target) -> Motion:
    """From the fitted head to the target."""
    posed = plate.posed(target.params)
    seen = plate.seen(posed)
    inside = seen.spread(torch.ones(len(seen.flat), dtype=torch.bool))
    form = surface(plate, seen, posed, target)
    squarely = seen.mixed(plate.facing(posed)[:, None])[:, 0]
    grid = plate.window.centres(plate.window.grid)

    own = seen.mixed(plate.shift(posed))
    was = torch.cat([grid.reshape(-1, 2)[seen.flat] + own, seen.mixed(plate.at_rest.points[:, 2:])], 1)
    offset = _offset(plate, seen.spread(own.T), inside)
    places = grid + offset.permute(1, 2, 0)
    whole = _unstretched(seen, places) * (1 - made_up(plate, seen, posed, places))
    shown = _shown(plate, seen, was, plate.shown, squarely) * whole
    trust = seen.spread(shown * smoothstep(0.05, 0.3, squarely))  # normals at the very edge are anyone's guess
    ratio = _ratio(plate, seen.spread(form.ratio(seen, plate.at_rest.normals).T), trust, inside, places)
    behind = (offset.abs().amax(0) >= STILL) & (plate.looked_up(plate.core, places) > 0.5)
    known = torch.where(inside, seen.spread(shown), 1 - behind.float())  # behind the head is not where the head was
    if bool((known > _SURE).all()):
        return Motion(offset, ratio, known, None)

    here = brightened(sampled(plate.picture, places), ratio)
    skin = known * inside * (1 - plate.looked_up(plate.around_openings, places))
    colours = torch.where(inside, continued(here, skin), continued(here, known * ~inside))
    lost = shown <= _SURE
    if not bool(lost.any()):
        nothing = torch.zeros_like(ratio)
        return Motion(offset, ratio, known, Unseen(nothing[0], nothing[:2], nothing, colours))
    seen, form, squarely, whole = seen.only(lost), form.only(lost), squarely[lost], whole[lost]
    flat = colours.reshape(3, -1)
    flat[:, seen.flat] = lashed(seen, flat[:, seen.flat].T).T
    slit, inner = _slit(plate, seen), (plate.inner["eye"] | plate.inner["mouth"])[seen.face]
    flat[:, seen.flat[inner]] = interior(plate, seen.only(inner), posed, target).T
    if bool(slit.any()):
        flat[:, seen.flat[slit]] = continued(here, known * inside).reshape(3, -1)[:, seen.flat[slit]]
    return Motion(offset, ratio, known, _unseen(plate, seen, form, squarely, whole, colours))


def _slit(plate: Plate, seen: Seen) -> Tensor:
    """Which points (N,) lie between lips that all but touch: no mouth is seen there, only where two meshes meet."""
    mouth = plate.inner["mouth"][seen.face]
    shown = seen.spread(mouth.float())[None, None]
    core = 1 - max_pool2d(1 - shown, 3, stride=1, padding=1)
    wide = max_pool2d(core, 5, stride=1, padding=2)[0, 0] > 0.5
    return mouth & ~wide.reshape(-1)[seen.flat]


def _unstretched(seen: Seen, places: Tensor) -> Tensor:
    """0 where upper lids (N,) are drawn out from next to nothing, 1 elsewhere."""
    drawn = torch.ones(seen.grid)
    pitch = (places[-1, 0, 1] - places[0, 0, 1]) / (seen.grid[0] - 1)
    drawn[:-1] = (places[1:, :, 1] - places[:-1, :, 1]) / pitch
    share = drawn.reshape(-1)[seen.flat]
    return torch.where(seen.mixed(lids()).prod(1) > 0, smoothstep(0.15, 0.45, share), 1.0)


def _offset(plate: Plate, own: Tensor, inside: Tensor) -> Tensor:
    """From each grid point to where it was (2, h, w): the skin's own way, and the outline's around it."""
    around = carried(own, inside, plate)
    if around is None:
        return own
    per_cm = plate.pixels_per_cm / plate.window.step
    return torch.where(inside, own, around * nearness(inside, RIGID_CM * per_cm, STILL_CM * per_cm))


def _ratio(plate: Plate, own: Tensor, trust: Tensor, inside: Tensor, places: Tensor) -> Tensor:
    """The head's light after over before (3, h, w), and the same on the hair around it."""
    if not bool(((own - 1) * inside).abs().gt(_EVEN).any()):
        return torch.where(inside, own, 1.0)
    hair = plate.looked_up(plate.belongs, places)
    everywhere = continued(own, trust)
    return torch.where(inside, everywhere, 1 + (everywhere - 1) * hair)


def _unseen(plate: Plate, lost: Seen, form: Surface, squarely: Tensor, whole: Tensor, colours: Tensor) -> Unseen:
    twins = plate.at_rest.points[plate.twins]
    places = lost.mixed(twins)
    own = plate.window.centres(plate.window.grid).reshape(-1, 2)[lost.flat]
    return Unseen(
        twin=lost.spread(_shown(plate, lost, places, plate.shown[plate.twins], squarely) * whole),
        twin_offset=lost.spread((places[:, :2] - own).T),
        twin_ratio=lost.spread(form.ratio(lost, plate.at_rest.normals[plate.twins]).T),
        colours=colours,
    )


def _shown(plate: Plate, seen: Seen, places: Tensor, facing: Tensor, wanted: Tensor) -> Tensor:
    """How surely the photograph shows at places (N, 3: pixels, depth) what is seen, (N,) in 0..1.

    Facing (V,) says how squarely vertices faced the camera there, wanted (N,) how squarely they do now: what was seen
    no more slantingly than it will be is known. Eyes and the mouth's inside are shown where the photograph shows any.
    """
    rows, columns = plate.window.grid
    x = ((places[:, 0] - plate.window.left) * columns / plate.window.width).long()
    y = ((places[:, 1] - plate.window.top) * rows / plate.window.height).long()
    within = (x >= 0) & (x < columns) & (y >= 0) & (y < rows)
    front = plate.farthest.reshape(-1)[y.clamp(0, rows - 1) * columns + x.clamp(0, columns - 1)]
    sure = ((front < 0) | (places[:, 2] < front + _SLACK)).float()
    for kind, faces in plate.inner.items():
        index = faces[seen.face].nonzero().squeeze(1)
        if len(index):
            sure[index] = smoothstep(0.3, 0.7, plate.looked_up(plate.opening(kind), places[None, index, :2])[0])
    squareness = seen.mixed(facing[:, None])[:, 0].clamp(min=_EDGE_ON) / wanted.clamp(min=_EDGE_ON)
    return smoothstep(0.15, 0.5, squareness) * sure * within
