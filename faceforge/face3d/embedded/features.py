"""What stands out from the bare head: bones, nose, mouth, lids over the globes, and small asymmetries. Centimetres."""

import torch
from torch import Tensor

from faceforge.face3d.embedded.curves import band, bump, smoothstep, through
from faceforge.face3d.embedded.places import LID, Landmarks
from faceforge.face3d.embedded.rows import lids, lips
from faceforge.face3d.embedded.traits import Traits


def bones(t: Traits, at: Landmarks, x: Tensor, y: Tensor) -> Tensor:
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
        + (0.40 + 0.05 * t("chin_forward")) * bump(x, y, 0.0, at.menton + 1.35, 1.35 + 0.22 * t("chin_width"), 1.05)
        - 0.07 * t("chin_cleft").clamp(min=0) * bump(x, y, 0.0, at.menton + 1.35, 0.22, 0.6)
    )  # fmt: skip


def nose(t: Traits, at: Landmarks, x: Tensor, y: Tensor) -> Tensor:
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
    gull = y - 0.20 * smoothstep(0.22, 0.80, x) * band(y, base + 0.15, 0.55)  # wings end higher than the columella
    ridge = torch.cat([_between(crest, gull[each : each + 1], each) for each in range(len(y))])
    width = 0.84 + (0.20 + 0.04 * t("nose_width")) * smoothstep(eye - 0.3, base + 0.8, y)
    narrow = width * (1 + 0.08 * t("bridge_width") * smoothstep(tip, eye, y))
    flat = torch.exp(-(((x * x + 1e-9) / narrow**2) ** 1.3))  # a dorsum is a plane between two walls, not an edge
    slope = 0.76 * flat + 0.24 * band(x, 0.0, 1.7 * narrow)
    wing = 1.26 * (1 + 0.085 * t("nose_width"))
    size = 1 + 0.09 * t("ala")
    return (
        ridge * slope
        + (0.14 + 0.10 * t("tip_size")) * bump(x, y, 0.0, tip - 0.05, 0.80, 0.62)
        + 0.62 * size * bump(x, y, wing, base + 0.68, 0.46, 0.52 * size)
        + 0.14 * bump(x, y, 0.85, tip + 0.10, 0.45, 0.60)
        - 0.24 * bump(x, y, wing + 0.62, base + 0.70, 0.24, 0.66)
        - 0.10 * bump(x, y, wing - 0.05, base + 1.42, 0.42, 0.22)
        - 0.50 * bump(x, y, 0.62, base + 0.18, 0.30, 0.18)
    )


def _between(knots: list[tuple[Tensor, Tensor]], y: Tensor, each: int) -> Tensor:
    """The curve through one face's own knots, at its heights."""
    places = torch.stack([place[each, 0, 0] for place, _ in knots])
    values = torch.stack([value[each, 0, 0] for _, value in knots])
    return through(places, values, y.reshape(1, -1)).view_as(y)


def mouth(t: Traits, at: Landmarks, x: Tensor, y: Tensor) -> Tensor:
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


def wings(t: Traits, at: Landmarks, x: Tensor, y: Tensor) -> Tensor:
    """How far nostrils bulge to the side (the depth alone cannot overhang)."""
    wing = 1.26 * (1 + 0.085 * t("nose_width"))
    return 0.14 * bump(x, y, wing + 0.15, at.nose_base + 0.6, 0.35, 0.45)


def over_eyes(t: Traits, at: Landmarks, x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    """Lids lie on the globe: depth blends to a sphere just above it, with a crease where the upper lid tucks in."""
    dx, dy = x - at.eye_x, y - at.eye_y
    flat = (dx * dx + dy * dy).sqrt()
    globe = at.eye_z + (LID * LID - flat * flat).clamp(min=0).sqrt()
    on = smoothstep(1.42, 1.05, (dx / 1.08) ** 2 + (dy * 1.35) ** 2)
    blended = z + (torch.maximum(globe, z - 0.12) - z) * on
    up, _ = lids(t, at, x)
    open_part = (1 - (dx / at.eye_half) ** 2).clamp(min=0) ** 0.5
    crease = -(0.13 + 0.03 * t("lid_fold")) * band(y, up + 0.30 + 0.05 * t("lid_fold"), 0.10) * open_part
    fold = 0.10 * band(y, up + 0.55 + 0.05 * t("lid_fold"), 0.22) * open_part
    lid = blended + crease + fold
    return torch.where(flat < LID, torch.maximum(lid, globe), lid)  # or the globe would push it out sideways later


def asymmetric(t: Traits, at: Landmarks, skin: Tensor) -> Tensor:
    """The small differences between the two sides that every face has."""
    x, y, z = skin.unbind(-1)
    lean = 0.10 * t("asym_jaw") * smoothstep(-1.5, -7.0, y) * smoothstep(-14.0, -9.0, y)
    bend = 0.06 * t("asym_nose") * bump(x, y, 0.0, at.tip, 1.6, 1.6)
    slant = 0.05 * t("asym_mouth") * torch.tanh(x / 1.5) * bump(x, y, 0.0, at.mouth_y, 3.2, 1.3)
    brow = 0.08 * t("asym_brow") * torch.tanh(x / 1.5) * bump(x.abs(), y, 3.2, at.eye_y + 2.1, 2.2, 0.9)
    eye = 0.05 * t("asym_eye") * torch.tanh(x / 1.5) * bump(x.abs(), y, at.eye_x, at.eye_y, 1.9, 1.2)
    return torch.stack([x + lean + bend, y + slant + brow + eye, z], -1)
