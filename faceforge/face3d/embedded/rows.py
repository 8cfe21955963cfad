"""Which heights the rows of the grid follow and which sides its columns: lids, lips and jaw as curves. Centimetres."""

import torch
from torch import Tensor

from faceforge.face3d.embedded.curves import band, bump, smoothstep, through
from faceforge.face3d.embedded.grid import COLUMN, HALF, ROW, ROWS
from faceforge.face3d.embedded.places import Landmarks
from faceforge.face3d.embedded.traits import Traits


def sideways(at: Landmarks) -> Tensor:
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


def heights(t: Traits, at: Landmarks, across: Tensor) -> Tensor:
    """Profile heights (B, ROWS, HALF + 1): where each row would pass if the jaw were level."""

    def row(name: str) -> Tensor:
        return across[:, ROW[name] : ROW[name] + 1]

    def level(y: float | Tensor, aside: float | Tensor, name: str, start: float = 2.5) -> Tensor:
        return y + (aside - y) * smoothstep(start, 7.4, row(name))

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
    fold = torch.maximum(crease + 0.22, level(4.45 + 0.6 * brow, 4.35, "fold"))
    brow_low = level(5.12 + brow, 4.9, "brow_low") + arch * bump(row("brow_low"), 0 * brow, 3.8, 0, 1.5, 1.0)
    brow_low = torch.maximum(brow_low, fold + 0.20)  # low brows leave high lids their fold
    brow_top = level(6.05 + brow, 5.75, "brow_top") + arch * bump(row("brow_top"), 0 * brow, 4.0, 0, 1.6, 1.0)
    subnasal = level(at.nose_base - 0.22, -1.1, "subnasal")
    chin = at.menton
    sides = 0 * row("menton")
    curves = {
        "vertex": 15.1 * tall + sides,
        "dome": 14.85 * tall + sides,
        "crown": 13.0 * tall + sides,
        "hairline": level(9.35 + 0.3 * t("forehead_height"), 8.8, "hairline"),
        "forehead": level(7.6 + 0.15 * t("forehead_height"), 7.2, "forehead"),
        "brow_top": torch.maximum(brow_top, brow_low + 0.30),
        "brow_low": brow_low,
        "fold": fold,
        "crease": crease,
        "lid_up": up,
        "lid_low": low,
        "bag": low - 0.38 - 0.05 * t("eye_bag"),
        "orbit": torch.minimum(low - 0.75, level(2.05 + tail, 2.4, "orbit")),
        "cheek": level(1.15, 1.3, "cheek"),
        "ala": level(at.nose_base + 0.75, 0.1, "ala"),
        "nostril": level(at.nose_base + 0.22, -0.5, "nostril"),
        "subnasal": subnasal,
        "lip_up": torch.minimum(lip_up, subnasal - 0.20),  # long noses leave high mouths a philtrum
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
    return through(knots, falling, every).transpose(1, 2)


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
