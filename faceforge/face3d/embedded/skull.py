"""The bare head: a skull, a jaw and a neck in sections. Centimetres.

Proportions are those of an average adult, from facial anthropometry.
"""

import torch
from torch import Tensor

from faceforge.face3d.embedded.curves import band, smoothstep, through
from faceforge.face3d.embedded.places import Landmarks
from faceforge.face3d.embedded.traits import Traits

# Sections of the head at profile heights y: depth in front and behind, half width, squareness of the front.
_SECTIONS = (
    # y,     front,  back,  half width, squareness
    (15.10,   0.4,   0.2,   0.02,  2.0),
    (15.05,   2.2,  -1.6,   1.70,  2.0),
    (14.9,    3.1,  -2.5,   2.4,   2.0),
    (14.6,    4.3,  -3.7,   3.35,  2.0),
    (14.0,    5.7,  -5.1,   4.4,   2.03),
    (13.2,    6.9,  -6.4,   5.35,  2.06),
    (12.2,    7.9,  -7.5,   6.1,   2.1),
    (10.7,    8.95, -8.7,   6.85,  2.15),
    (9.2,     9.55, -9.3,   7.25,  2.25),
    (7.6,    10.05, -9.6,   7.42,  2.35),
    (5.9,    10.38, -9.6,   7.45,  2.4),
    (4.6,    10.22, -9.3,   7.42,  2.4),
    (3.3,    10.10, -8.9,   7.38,  2.38),
    (2.0,    10.12, -8.4,   7.32,  2.36),
    (0.5,    10.22, -7.8,   7.26,  2.3),
    (-1.2,   10.50, -7.1,   7.00,  2.2),
    (-2.4,   10.55, -6.8,   6.80,  2.1),
    (-3.5,   10.45, -6.6,   6.60,  2.03),
    (-4.5,   10.20, -6.4,   6.42,  1.97),
    (-5.4,   10.08, -6.2,   6.28,  1.92),
    (-6.8,    9.92, -6.1,   6.12,  1.88),
    (-7.8,    9.58, -6.0,   6.00,  1.87),
    (-8.4,    9.02, -6.0,   5.88,  1.88),
    (-8.8,    8.0,  -6.0,   5.74,  1.90),
    (-9.3,    6.8,  -6.0,   5.56,  1.92),
    (-10.4,   5.5,  -6.0,   5.34,  1.97),
    (-13.0,   4.9,  -6.2,   5.30,  2.0),
    (-17.0,   4.7,  -6.9,   6.2,   2.0),
)  # fmt: skip

# How high each profile height climbs along the jaw, and how far along it has climbed at each distance to the side.
_CLIMB = ((-17.0, 0.0), (-13.0, 1.6), (-10.2, 4.0), (-9.1, 4.4), (-8.45, 4.2), (-6.8, 3.35), (-5.2, 2.45), (-3.1, 1.3),
          (-1.1, 0.35), (0.3, 0.0))  # fmt: skip
_ALONG_JAW = ((0.0, 0.0), (1.3, 0.015), (2.3, 0.085), (3.2, 0.19), (4.1, 0.32), (5.1, 0.53), (6.0, 0.76), (6.8, 0.96),
              (7.4, 1.0), (8.5, 0.94), (14.0, 0.45))  # fmt: skip

# Half width of the head behind the ears, where no jaw widens it.
_NAPE = ((-17.0, 6.2), (-13.0, 5.3), (-8.0, 5.3), (-5.0, 5.5), (-2.2, 6.1), (0.5, 6.9), (3.0, 7.35))


def surface(t: Traits, at: Landmarks, profile: Tensor, across: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The bare head: x, y, z and how much each point faces front, all (B, ROWS, HALF + 1)."""
    climbed = _climbed(t, at, profile, across)
    table = torch.tensor(_SECTIONS, dtype=torch.float64, device=profile.device).flip(0).T.contiguous()
    heights, tall = table[0], 1 + 0.025 * t("head_height")
    stretched = torch.where(profile > 6.0, 6.0 + (profile - 6.0) * (9.1 / (15.1 * tall - 6.0)), profile)
    chin_shift = (at.menton + 8.45) * smoothstep(-4.0, -7.5, profile)
    level = (stretched - chin_shift).flatten(1)

    def section(column: int, change: Tensor) -> Tensor:
        return through(heights, table[column] + change[:, 0], level).view_as(profile)

    y = heights
    front_change = (
        t("chin_forward") * 0.40 * band(y, -7.2, 1.6)
        + t("brow_ridge") * 0.16 * band(y, 5.6, 0.9)
        - t("forehead_slope") * 0.40 * smoothstep(6.5, 12.0, y) * smoothstep(15.1, 13.5, y)
        + t("double_chin").clamp(min=0) * 0.55 * band(y, -9.6, 0.9)
    )
    width_change = (
        t("jaw_width") * 0.26 * band(y, -5.5, 3.2)
        + t("temple") * 0.18 * band(y, 6.8, 2.2)
        + t("chin_width") * 0.10 * band(y, -7.8, 1.8)
        + t("neck_width") * 0.30 * smoothstep(-8.6, -11.0, y)
        + t("cheek_full") * 0.12 * band(y, -2.5, 3.0)
    )
    none = torch.zeros_like(front_change)
    wide = section(3, width_change) * (1 + 0.022 * t("head_width"))
    ahead, square = section(1, front_change), section(4, none)
    risen = (profile + climbed).flatten(1)  # no jaw shapes the back of the head: its sections are level
    behind = through(heights, table[2], risen).view_as(profile)
    middle = torch.tensor([-17.0, -12.5, -7.5, -3.0, 3.0, 15.2], dtype=torch.float64, device=y.device)
    depth = torch.tensor([-0.6, 0.1, 1.1, 1.2, 0.5, 0.3], dtype=torch.float64, device=y.device)
    centre = through(middle, depth, risen).view_as(profile)

    angle = _angle(across, wide, square)
    sine, cosine = torch.sin(angle), torch.cos(angle)
    facing = cosine >= 0
    power = 2 / torch.where(facing, square, 2.15)
    nape = torch.tensor(_NAPE, dtype=torch.float64, device=y.device).T.contiguous()
    behind_ear = smoothstep(1.15, 1.9, angle) * smoothstep(3.4, 1.6, profile)
    wide = wide + (through(nape[0], nape[1], risen).view_as(wide) + 0.30 * t("neck_width") - wide) * behind_ear
    x = wide * sine.clamp(min=0) ** (2 / square)
    reach = torch.where(facing, ahead - centre, centre - behind)
    z = centre + reach * torch.sign(cosine) * cosine.abs() ** power
    return x, profile + climbed, z, smoothstep(-0.05, 0.42, cosine)


def _angle(across: Tensor, wide: Tensor, square: Tensor) -> Tensor:
    """The section's angle at which a vertex sits: by x in front, by its share of the way round at the sides."""
    shares = across.new_tensor([[0.0, 1.75, 2.5, 4.5, 6.35, 7.4, 14.0], [0.0, 0.15, 0.215, 0.40, 0.66, 1.0, 2.0]])
    by_share = through(shares[0], shares[1], across.flatten(1)).view_as(across) * torch.pi / 2
    by_x = torch.asin((across / wide.clamp(min=1.0)).clamp(max=0.95) ** (square / 2))
    at_side = 1 - smoothstep(6.4, 3.8, across) * smoothstep(4.9, 6.3, wide)
    return by_x + (by_share - by_x) * at_side


def _climbed(t: Traits, at: Landmarks, profile: Tensor, across: Tensor) -> Tensor:
    """How far the jaw line lifts each height: rows that pass under the chin in front climb towards the ear."""
    climb = torch.tensor(_CLIMB, dtype=torch.float64, device=across.device).T.contiguous()
    along = torch.tensor(_ALONG_JAW, dtype=torch.float64, device=across.device).T.contiguous()
    unshifted = (profile - (at.menton + 8.45) * smoothstep(-3.5, -8.0, profile)).flatten(1)
    height = through(climb[0], climb[1], unshifted).view_as(profile)
    ramp = through(along[0], along[1], across.flatten(1)).view_as(across)
    return height * (1 + 0.08 * t("jaw_angle")) * ramp
