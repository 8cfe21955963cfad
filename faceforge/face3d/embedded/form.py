"""The resting skin: a skull in sections, and on it brow, eyes, nose, lips, jaw and neck. Centimetres.

The origin lies between the ears; proportions are those of an average adult face, from facial anthropometry.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from faceforge.face3d.embedded.curves import band, bump, smoothstep, through
from faceforge.face3d.embedded.grid import COLUMN, HALF, ROW, ROWS
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
    (-1.2,   10.50, -7.1,   7.15,  2.2),
    (-2.4,   10.55, -6.7,   7.02,  2.1),
    (-3.5,   10.45, -6.4,   6.90,  2.03),
    (-4.5,   10.20, -6.2,   6.82,  1.97),
    (-5.4,   10.00, -6.1,   6.75,  1.92),
    (-6.8,   10.10, -6.0,   6.68,  1.84),
    (-7.8,    9.85, -6.0,   6.62,  1.80),
    (-8.4,    9.30, -6.0,   6.50,  1.80),
    (-8.8,    8.2,  -6.0,   6.25,  1.82),
    (-9.3,    6.8,  -6.0,   5.95,  1.86),
    (-10.4,   5.5,  -6.0,   5.70,  1.95),
    (-13.0,   4.9,  -6.2,   5.60,  2.0),
    (-17.0,   4.7,  -6.9,   6.4,   2.0),
)  # fmt: skip

# How high each profile height climbs along the jaw, and how far along it has climbed at each distance to the side.
_CLIMB = ((-17.0, 0.0), (-13.0, 1.6), (-10.2, 4.0), (-9.1, 4.35), (-8.45, 4.2), (-6.8, 3.05), (-5.2, 2.1), (-3.1, 1.0),
          (-1.1, 0.2), (0.3, 0.0))  # fmt: skip
_ALONG_JAW = ((0.0, 0.0), (1.3, 0.015), (2.3, 0.085), (3.2, 0.19), (4.1, 0.32), (5.1, 0.53), (6.0, 0.76), (6.8, 0.96),
              (7.4, 1.0), (8.5, 0.94), (14.0, 0.45))  # fmt: skip

# Half width of the head behind the ears, where no jaw widens it.
_NAPE = ((-17.0, 6.4), (-13.0, 5.6), (-8.0, 5.62), (-5.0, 5.85), (-2.0, 6.5), (2.0, 7.32))

EYEBALL = 1.21  # radius


@dataclass(frozen=True)
class Landmarks:
    """Where the features of each face sit; every number (B, 1, 1)."""

    eye_x: Tensor
    eye_y: Tensor
    eye_z: Tensor
    eye_half: Tensor  # half the width of the lid opening
    mouth_y: Tensor
    mouth_half: Tensor
    nose_base: Tensor
    tip: Tensor
    menton: Tensor


@dataclass(frozen=True)
class Form:
    """Resting skin positions (B, ROWS, COLUMNS, 3) and where its features sit."""

    skin: Tensor
    at: Landmarks


def landmarks(t: Traits) -> Landmarks:
    """Feature positions from the traits."""
    length = 0.30 * t("nose_length")
    return Landmarks(
        eye_x=3.15 + 0.15 * t("eye_separation"),
        eye_y=3.52 + 0.18 * t("eye_height"),
        eye_z=7.80 - 0.15 * t("eye_depth"),
        eye_half=1.32 * (1 + 0.05 * t("eye_size")),
        mouth_y=-3.36 + 0.22 * t("mouth_height") - 0.4 * length - 0.15 * t("face_length"),
        mouth_half=2.48 * (1 + 0.075 * t("mouth_width")),
        nose_base=-1.12 - length,
        tip=0.42 - 0.8 * length + 0.18 * t("tip_up"),
        menton=-8.45 - 0.28 * t("chin_height") - 0.35 * t("face_length"),
    )


def rest(t: Traits) -> Form:
    """The resting skin of every identity."""
    at = landmarks(t)
    across = _across(at)
    profile, lift = _heights(t, at, across)
    x, y, z, front = _surface(t, at, profile, lift, across)
    z = z + front * (_bones(t, at, x, y) + _nose(t, at, x, y) + _mouth(t, at, x, y))
    x = x + front * _wings(t, at, x, y)
    z = z + front * (_over_eyes(t, at, x, y, z) - z)
    half = torch.stack([x, y, z], -1)
    mirrored = half[:, :, 1:].flip(2) * half.new_tensor([-1.0, 1.0, 1.0])
    return Form(_asymmetric(t, at, torch.cat([mirrored, half], 2)), at)


def _across(at: Landmarks) -> Tensor:
    """How far to the side each vertex of a half lies: x where it is in front, growing on behind (B, ROWS, HALF + 1)."""
    zero, one = torch.zeros_like(at.eye_x), torch.ones_like(at.eye_x)
    inner, outer = at.eye_x - at.eye_half, at.eye_x + at.eye_half
    sides = (6.35 * one, 7.4 * one, 14.0 * one)
    plain = (zero, 1.75 * one, 2.5 * one, 4.5 * one, *sides)
    eye = (zero, inner, 0.68 * inner + 0.32 * outer - 0.15, outer, *sides)
    nose = (zero, 1.55 * one, 2.2 * one, 4.35 * one, *sides)
    mouth = (zero, 0.70 * at.mouth_half, at.mouth_half, at.mouth_half + 1.95, *sides)
    knots = {"vertex": plain, "brow_top": plain, "fold": eye, "bag": eye, "cheek": plain, "ala": nose, "subnasal": nose,
             "lip_up": mouth, "lip_low": mouth, "menton": plain, "collar": plain}  # fmt: skip
    columns = torch.tensor(list(COLUMN.values()), dtype=torch.float64, device=at.eye_x.device)
    each = torch.arange(HALF + 1, dtype=torch.float64, device=columns.device)
    table = torch.cat([through(columns, torch.cat(row, -1), each) for row in knots.values()], 1)
    rows = torch.tensor([ROW[name] for name in knots], dtype=torch.float64, device=columns.device)
    at_rows = torch.arange(ROWS, dtype=torch.float64, device=columns.device)
    return through(rows, table.transpose(1, 2), at_rows).transpose(1, 2)


def _heights(t: Traits, at: Landmarks, across: Tensor) -> tuple[Tensor, Tensor]:
    """Profile heights (B, ROWS, HALF + 1) and how far the jaw line lifts each of them towards the ear."""

    def row(name: str) -> Tensor:
        return across[:, ROW[name] : ROW[name] + 1]

    def level(y: float | Tensor, sideways: float | Tensor, name: str, start: float = 2.5) -> Tensor:
        return y + (sideways - y) * smoothstep(start, 7.4, row(name))

    tall, tail = 1 + 0.025 * t("head_height"), 0.18 * t("eye_height")
    up, low = lids(t, at, row("lid_up"))
    arch = 0.16 + 0.10 * t("brow_arch")
    brow = tail + 0.22 * t("brow_height")
    seam, lip_up, lip_low = lips(t, at, row("seam_up"))
    apart = 0.11 * smoothstep(0.0, 0.7, row("seam_up") - at.mouth_half) + 0.2 * smoothstep(
        0.5, 4.5, row("seam_up") - at.mouth_half
    )
    near = smoothstep(2.6, 0.8, (row("crease") - at.eye_x).abs())
    crease = up + 0.30 + 0.05 * t("lid_fold") * near
    chin = at.menton
    sides = 0 * row("menton")
    curves = {
        "vertex": 15.1 * tall + sides,
        "dome": 14.85 * tall + sides,
        "crown": 13.0 * tall + sides,
        "hairline": level(9.35 + 0.3 * t("forehead_height"), 8.8, "hairline"),
        "forehead": level(7.6 + 0.15 * t("forehead_height"), 7.2, "forehead"),
        "brow_top": level(6.05 + brow, 5.75, "brow_top") + arch * bump(row("brow_top"), sides, 4.0, 0, 1.6, 1.0),
        "brow_low": level(5.12 + brow, 4.9, "brow_low") + arch * bump(row("brow_low"), sides, 3.8, 0, 1.5, 1.0),
        "fold": torch.maximum(crease + 0.22, level(4.45 + 0.6 * brow, 4.35, "fold")),
        "crease": crease,
        "lid_up": up,
        "lid_low": low,
        "bag": low - 0.38 - 0.05 * t("eye_bag"),
        "orbit": torch.minimum(low - 0.75, level(2.05 + tail, 2.4, "orbit")),
        "cheek": level(1.15, 1.3, "cheek"),
        "ala": level(at.nose_base + 0.75, 0.1, "ala"),
        "nostril": level(at.nose_base + 0.22, -0.5, "nostril"),
        "subnasal": level(at.nose_base - 0.22, -1.1, "subnasal"),
        "lip_up": lip_up,
        "seam_up": seam + apart,
        "seam_low": seam - apart,
        "lip_low": lip_low,
        "sulcus": torch.minimum(lip_low - 0.25, level(at.mouth_y - 1.85, -4.9, "sulcus")),
        "chin": level(0.5 * (chin + at.mouth_y - 1.9), -6.2, "chin"),
        "menton": chin + sides,
        "under": chin - 0.65 + sides,
        "throat": chin - 1.7 + sides,
        "neck": -13.0 + sides,
        "collar": -17.0 + sides,
    }
    knots = torch.tensor([ROW[name] for name in curves], dtype=torch.float64, device=across.device)
    values = torch.cat([each.expand(across.shape[0], 1, HALF + 1) for each in curves.values()], 1)
    falling = values.transpose(1, 2).cummin(-1).values
    every = torch.arange(ROWS, dtype=torch.float64, device=across.device)
    profile = through(knots, falling, every).transpose(1, 2)

    # The jaw line: rows that pass under the chin in front climb towards the ear.
    climb = torch.tensor(_CLIMB, dtype=torch.float64, device=across.device).T.contiguous()
    along = torch.tensor(_ALONG_JAW, dtype=torch.float64, device=across.device).T.contiguous()
    unshifted = (profile - (at.menton + 8.45) * smoothstep(-3.5, -8.0, profile)).flatten(1)
    height = through(climb[0], climb[1], unshifted).view_as(profile)
    ramp = through(along[0], along[1], across.flatten(1)).view_as(across)
    return profile, height * (1 + 0.08 * t("jaw_angle")) * ramp


def lids(t: Traits, at: Landmarks, x: Tensor) -> tuple[Tensor, Tensor]:
    """Heights of the upper and lower lid edge over x; they meet in the corners and part slowly outside."""
    u = ((x - at.eye_x) / at.eye_half).clamp(-1, 1)
    tilt = 0.03 + 0.055 * t("eye_tilt")
    line = at.eye_y - 0.10 + tilt * (x - at.eye_x) * smoothstep(6.8, 4.6, x)
    arc = (1 - u * u).clamp(min=0)
    size = 1 + 0.05 * t("eye_size")
    upper = 0.57 * (1 + 0.15 * t("eye_open")) * size * arc**0.62 * (1 - 0.16 * u)
    lower = 0.40 * (1 + 0.06 * t("eye_open")) * size * arc**0.75 * (1 + 0.16 * u)
    beyond = 0.28 * smoothstep(0.0, 1.1, (x - at.eye_x).abs() - at.eye_half)
    return line + upper + beyond, line - lower - beyond


def lips(t: Traits, at: Landmarks, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Heights of the seam and of the outer borders of both lips over x; they meet in the corners."""
    u = (x / at.mouth_half).clamp(0, 1)
    outside = smoothstep(0.0, 4.5, x - at.mouth_half)
    apart = 0.20 * smoothstep(0.0, 0.7, x - at.mouth_half)
    seam = at.mouth_y + 0.14 - (0.14 - 0.10 * t("corner_up")) * u**1.8 - 0.07 * band(x, 0.0, 0.55) + 0.25 * outside
    dip, peak = band(x, 0.0, 0.34), band(x, 0.62, 0.42)
    upper = 0.72 * (1 + 0.20 * t("lip_upper")) * (1 - u**2.2).clamp(min=0) ** 0.75
    upper = upper * (1 - (0.17 + 0.09 * t("cupid")) * dip + 0.05 * peak)
    lower = 1.02 * (1 + 0.18 * t("lip_lower")) * (1 - u**2.4).clamp(min=0) ** 0.8
    return seam, seam + upper + 0.04 + apart + 0.75 * outside, seam - lower - 0.04 - apart - 0.9 * outside


def _surface(
    t: Traits, at: Landmarks, profile: Tensor, lift: Tensor, across: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The bare head: x, y, z and how much each point faces front, all (B, ROWS, HALF + 1)."""
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
        t("jaw_width") * 0.28 * band(y, -5.5, 3.2)
        + t("temple") * 0.18 * band(y, 6.8, 2.2)
        + t("chin_width") * 0.20 * band(y, -7.8, 1.8)
        + t("neck_width") * 0.38 * smoothstep(-8.6, -11.0, y)
        + t("cheek_full") * 0.12 * band(y, -2.5, 3.0)
    )
    none = torch.zeros_like(front_change)
    wide = section(3, width_change) * (1 + 0.022 * t("head_width"))
    ahead, behind, square = section(1, front_change), section(2, none), section(4, none)
    middle = torch.tensor([-17.0, -9.0, -7.0, -3.0, 3.0, 15.2], dtype=torch.float64, device=y.device)
    depth = torch.tensor([-0.6, 0.2, 1.4, 1.2, 0.5, 0.3], dtype=torch.float64, device=y.device)
    centre = through(middle, depth, level).view_as(profile)

    angle = _angle(across, wide, square)
    sine, cosine = torch.sin(angle), torch.cos(angle)
    facing = cosine >= 0
    power = 2 / torch.where(facing, square, 2.15)
    nape = torch.tensor(_NAPE, dtype=torch.float64, device=y.device).T.contiguous()
    behind_ear = smoothstep(1.15, 1.9, angle) * smoothstep(3.0, 1.0, profile)
    wide = wide + (through(nape[0], nape[1], level).view_as(wide) + 0.38 * t("neck_width") - wide) * behind_ear
    x = wide * sine.clamp(min=0) ** (2 / square)
    reach = torch.where(facing, ahead - centre, centre - behind)
    z = centre + reach * torch.sign(cosine) * cosine.abs() ** power
    return x, profile + lift, z, smoothstep(-0.05, 0.42, cosine)


def _angle(across: Tensor, wide: Tensor, square: Tensor) -> Tensor:
    """The section's angle at which a vertex sits: by x in front, by its share of the way round at the sides."""
    shares = across.new_tensor([[0.0, 1.75, 2.5, 4.5, 6.35, 7.4, 14.0], [0.0, 0.15, 0.215, 0.40, 0.66, 1.0, 2.0]])
    by_share = through(shares[0], shares[1], across.flatten(1)).view_as(across) * torch.pi / 2
    by_x = torch.asin((across / wide.clamp(min=1.0)).clamp(max=0.95) ** (square / 2))
    sideways = 1 - smoothstep(6.4, 3.8, across) * smoothstep(5.4, 6.8, wide)
    return by_x + (by_share - by_x) * sideways


def _bones(t: Traits, at: Landmarks, x: Tensor, y: Tensor) -> Tensor:
    """Depth of orbits, brows, cheeks, temples and chin."""
    eye = at.eye_y
    return (
        -0.55 * bump(x, y, at.eye_x, eye + 0.30, 1.75, 1.05)
        - 0.52 * bump(x, y, 2.2, eye - 2.0, 1.15, 2.3)
        - (0.50 + 0.08 * t("eye_depth")) * bump(x, y, 1.72, eye + 0.25, 0.62, 0.95)
        + (0.12 + 0.12 * t("brow_ridge")) * bump(x, y, 2.9, eye + 1.95, 2.1, 0.75)
        + (0.30 + 0.24 * t("cheekbone")) * bump(x, y, 5.2, 1.2, 1.7, 1.35)
        + (0.08 + 0.24 * t("cheek_full")) * bump(x, y, 4.1, -1.9, 1.8, 1.9)
        - (0.30 - 0.12 * t("temple")) * bump(x, y, 6.4, 6.2, 1.2, 1.8)
        + 0.06 * t("eye_bag").clamp(min=0) * bump(x, y, at.eye_x, eye - 0.85, 1.1, 0.30)
        - (0.12 + 0.05 * t("nasolabial")) * band(x, 1.75 - 0.46 * (y + 0.6), 0.34) * smoothstep(0.2, -0.9, y)
        * smoothstep(at.mouth_y - 1.0, at.mouth_y + 0.4, y)
        + 0.20 * t("jowl").clamp(min=0) * bump(x, y, 3.9, -6.3, 1.2, 1.0)
        - 0.22 * bump(x, y, 0.0, at.mouth_y - 1.75, 1.7, 0.5)
        + (0.20 + 0.05 * t("chin_forward")) * bump(x, y, 0.0, at.menton + 1.55, 1.35, 0.95)
        - 0.07 * t("chin_cleft").clamp(min=0) * bump(x, y, 0.0, at.menton + 1.35, 0.22, 0.6)
    )  # fmt: skip


def _nose(t: Traits, at: Landmarks, x: Tensor, y: Tensor) -> Tensor:
    """Depth of bridge, tip, wings and nostrils."""
    base, tip, eye = at.nose_base, at.tip, at.eye_y
    zero = torch.zeros_like(base)
    bridge = 1 + 0.22 * t("nose_bridge")
    crest = [
        (-3.0 + zero, zero), (base - 0.22, 0.02 + zero), (base + 0.05, 0.32 + zero),
        (base + 0.42, 1.28 + 0.15 * t("tip_forward")), (tip - 0.30, 2.20 + 0.22 * t("tip_forward")),
        (tip + 0.10, 2.32 + 0.22 * t("tip_forward")), (tip + 0.75, 2.06 + 0.14 * t("tip_forward")),
        (0.5 * (tip + eye) + 0.2, (1.28 + 0.20 * t("nose_hump")) * (0.4 + 0.6 * bridge)),
        (eye - 0.45, 0.82 * bridge), (eye + 0.45, 0.28 * bridge), (eye + 1.5, 0.08 + zero), (eye + 3.2, zero),
    ]  # fmt: skip
    ridge = torch.cat([_between(crest, y[each : each + 1], each) for each in range(len(y))])
    width = 0.80 + (0.28 + 0.04 * t("nose_width")) * smoothstep(eye - 0.3, base + 0.8, y)
    narrow = width * (1 + 0.08 * t("bridge_width") * smoothstep(tip, eye, y))
    slope = 0.80 * band(x, 0.0, narrow) + 0.20 * band(x, 0.0, 2.0 * narrow)
    wing = 1.30 * (1 + 0.085 * t("nose_width"))
    size = 1 + 0.09 * t("ala")
    return (
        ridge * slope
        + (0.10 + 0.10 * t("tip_size")) * bump(x, y, 0.0, tip - 0.05, 0.70, 0.60)
        + 0.66 * size * bump(x, y, wing + 0.05, base + 0.98, 0.44, 0.44 * size)
        + 0.42 * bump(x, y, 1.0, tip + 0.15, 0.42, 0.62)
        - 0.20 * bump(x, y, wing + 0.66, base + 0.85, 0.26, 0.70)
        - 0.45 * bump(x, y, 0.60, base + 0.20, 0.26, 0.17)
        - 0.10 * bump(x, y, 0.85, tip + 0.05, 0.22, 0.42)
    )


def _between(knots: list[tuple[Tensor, Tensor]], y: Tensor, each: int) -> Tensor:
    """The curve through one face's own knots, at its heights."""
    places = torch.stack([place[each, 0, 0] for place, _ in knots])
    values = torch.stack([value[each, 0, 0] for _, value in knots])
    return through(places, values, y.reshape(1, -1)).view_as(y)


def _mouth(t: Traits, at: Landmarks, x: Tensor, y: Tensor) -> Tensor:
    """Depth of both lips, their seam, the philtrum and the corners."""
    seam, top, bottom = lips(t, at, x)
    inside = (1 - (x / at.mouth_half) ** 2).clamp(min=0) ** 0.6
    above, below = (y - seam) / (top - seam + 0.05), (seam - y) / (seam - bottom + 0.05)
    upper = (0.36 + 0.05 * t("lip_upper") + 0.10 * t("lip_forward")) * band(above, 0.62, 0.62) * inside
    lower = (0.58 + 0.06 * t("lip_lower") + 0.10 * t("lip_forward")) * band(below, 0.52, 0.50) * inside
    groove = -0.60 * band(y - seam, 0.0, 0.16) * inside**0.4
    corner = -0.50 * bump(x, y, at.mouth_half + 0.05, at.mouth_y, 0.60, 0.50)
    muzzle = 0.34 * bump(x, y, 0.0, at.mouth_y + 1.1, 1.5, 1.3)
    column = at.nose_base - 0.62
    philtrum = (0.5 + 0.2 * t("philtrum")) * (
        -0.16 * bump(x, y, 0.0, column, 0.26, 0.55) + 0.08 * bump(x, y, 0.42, column, 0.18, 0.55)
    )
    pillow = 0.10 * bump(x, y, 0.0, seam + 0.25, 0.45, 0.22)
    return torch.where(y >= seam, upper, lower) + groove + corner + muzzle + philtrum + pillow


def _wings(t: Traits, at: Landmarks, x: Tensor, y: Tensor) -> Tensor:
    """How far nostrils bulge to the side (the depth alone cannot overhang)."""
    wing = 1.25 * (1 + 0.085 * t("nose_width"))
    return 0.10 * bump(x, y, wing + 0.1, at.nose_base + 0.7, 0.35, 0.45)


def _over_eyes(t: Traits, at: Landmarks, x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    """Lids lie on the globe: depth blends to a sphere just above it, with a crease where the upper lid tucks in."""
    dx, dy = x - at.eye_x, y - at.eye_y
    flat = (dx * dx + dy * dy).sqrt()
    radius = EYEBALL + 0.13
    globe = at.eye_z + (radius * radius - flat * flat).clamp(min=0).sqrt()
    on = smoothstep(1.42, 1.05, (dx / 1.08) ** 2 + (dy * 1.35) ** 2)
    blended = z + (torch.maximum(globe, z - 0.12) - z) * on
    up, _ = lids(t, at, x)
    open_part = (1 - (dx / at.eye_half) ** 2).clamp(min=0) ** 0.5
    crease = -(0.13 + 0.03 * t("lid_fold")) * band(y, up + 0.30 + 0.05 * t("lid_fold"), 0.10) * open_part
    fold = 0.10 * band(y, up + 0.55 + 0.05 * t("lid_fold"), 0.22) * open_part
    return blended + crease + fold


def _asymmetric(t: Traits, at: Landmarks, skin: Tensor) -> Tensor:
    """The small differences between the two sides that every face has."""
    x, y, z = skin.unbind(-1)
    lean = 0.10 * t("asym_jaw") * smoothstep(-1.5, -7.0, y) * smoothstep(-14.0, -9.0, y)
    bend = 0.06 * t("asym_nose") * bump(x, y, 0.0, at.tip, 1.6, 1.6)
    slant = 0.05 * t("asym_mouth") * torch.tanh(x / 1.5) * bump(x, y, 0.0, at.mouth_y, 3.2, 1.3)
    brow = 0.08 * t("asym_brow") * torch.tanh(x / 1.5) * bump(x.abs(), y, 3.2, at.eye_y + 2.1, 2.2, 0.9)
    eye = 0.05 * t("asym_eye") * torch.tanh(x / 1.5) * bump(x.abs(), y, at.eye_x, at.eye_y, 1.9, 1.2)
    return torch.stack([x + lean + bend, y + slant + brow + eye, z], -1)
