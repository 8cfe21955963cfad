"""How each action unit moves the resting skin, at FACS intensity 5. Centimetres.

A unit is a sum of a few smooth pushes, placed by the features of the face they act on, so that they fit every identity.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from faceforge.face3d.embedded.curves import bump, smoothstep
from faceforge.face3d.embedded.form import Form, Landmarks
from faceforge.face3d.embedded.grid import COLUMN, HALF, ROW, ROWS

_OPENING, _BROW = 0.9699, 1.6766  # of eyes, and of brows above them, on the average face


@dataclass(frozen=True)
class Face:
    """Resting skin in the coordinates that pushes are written in, (B, ROWS, COLUMNS) each."""

    skin: Tensor
    at: Landmarks

    @property
    def x(self) -> Tensor:
        return self.skin[..., 0]

    @property
    def side(self) -> Tensor:
        return self.x.abs()

    @property
    def y(self) -> Tensor:
        return self.skin[..., 1]

    def front(self) -> Tensor:
        return smoothstep(0.0, 4.0, self.skin[..., 2])

    def near(self, cx: float | Tensor, cy: float | Tensor, sx: float | Tensor, sy: float | Tensor) -> Tensor:
        """A hill on both sides of the face; cy counts from the origin."""
        return bump(self.side, self.y, cx, cy, sx, sy) * self.front()

    def move(self, weight: Tensor, dx: float = 0.0, dy: float = 0.0, dz: float = 0.0) -> Tensor:
        """A push; dx is away from the midline."""
        outward = torch.tanh(self.x / 0.25)
        return torch.stack([weight * dx * outward, weight * dy, weight * dz], -1)

    def brows(self) -> Tensor:
        """1 away from the lids, little on them: brows slide over the lids."""
        far = ((self.side - self.at.eye_x) ** 2 + (1.3 * (self.y - self.at.eye_y)) ** 2).sqrt()
        return 1 - 0.9 * smoothstep(1.75, 0.95, far)

    def rows(self, first: str, last: str) -> Tensor:
        """1 on rows from one control row to another, (1, ROWS, 1)."""
        row = torch.arange(ROWS, device=self.skin.device)
        return ((row >= ROW[first]) & (row <= ROW[last])).to(self.skin.dtype)[None, :, None]

    def upper(self) -> Tensor:
        return self.rows("vertex", "seam_up")

    def lower(self) -> Tensor:
        return self.rows("seam_low", "collar")

    def lips(self) -> Tensor:
        """1 on the midline of the mouth, 0 at its corners and beyond."""
        return (1 - (self.side / self.at.mouth_half) ** 2).clamp(min=0).sqrt()

    def within(self) -> Tensor:
        """1 between the corners of the mouth, 0 a little beyond them: what parts lips must not tear the cheek."""
        half = self.at.mouth_half
        return smoothstep(1.12 * half, 0.55 * half, self.side)

    def lip(self, radius: float) -> Tensor:
        """How close to the seam, by height."""
        seam = 0.5 * (self.y[:, ROW["seam_up"]] + self.y[:, ROW["seam_low"]])[:, None]
        return torch.exp(-(((self.y - seam) / radius) ** 2)) * self.front()

    def thinned(self, share_up: float, share_low: float) -> Tensor:
        """Red of the lips drawn in towards the seam, by shares of its height; the skin around it follows."""
        row = torch.arange(ROWS, dtype=self.y.dtype, device=self.y.device)[:, None]
        lost = torch.zeros_like(self.y)
        for share, border, seam, end in (
            (share_up, "lip_up", "seam_up", "nostril"),
            (share_low, "lip_low", "seam_low", "chin"),
        ):
            low = self.y[:, ROW[seam], None]
            height = self.y[:, ROW[border], None] - low
            red = (row - ROW[border]) * (row - ROW[seam]) <= 0
            around = smoothstep(ROW[end], ROW[border], row) * ((row - ROW[border]) * (ROW[end] - ROW[border]) > 0)
            lost = lost + share * torch.where(red, self.y - low, height * around)
        return self.move(self.lips() * lost, 0, -1)

    def corner(self, sx: float, sy: float) -> Tensor:
        return self.near(self.at.mouth_half + 0.05, self.at.mouth_y, sx, sy)

    def wide(self) -> Tensor:
        """Pull along the lips, growing towards the corners and fading into the cheek."""
        at = self.at
        reach: Tensor = bump(self.side, self.y, 0.85 * at.mouth_half, at.mouth_y, 1.75, 1.45) * self.front()
        return reach * (self.side / at.mouth_half).clamp(max=1.3)

    def fold(self) -> Tensor:
        """The cheek beside and above the nasolabial fold."""
        return self.near(3.7, self.at.mouth_y + 2.9, 1.5, 1.4)

    def widening(self) -> Tensor:
        """What share of the average excursion opens the lids as wide as on the average face, narrow as they may be."""
        middle = HALF + (COLUMN["inner"] + COLUMN["outer"]) // 2
        opening = self.y[:, ROW["lid_up"], middle] - self.y[:, ROW["lid_low"], middle]
        return ((1.8 * _OPENING / opening - 1) / 0.8).clamp(0.5, 2.0)[:, None, None, None]

    def browed(self) -> Tensor:
        """How high the brows are above the eyes: 1 on average. Brows come down to the rim, from wherever they are."""
        height = self.y[:, ROW["brow_low"], HALF + COLUMN["mouth"]] - self.at.eye_y[:, 0, 0]
        return (height / _BROW).clamp(0.6, 1.6)[:, None, None]

    def closing(self, share_up: float, share_low: float) -> Tensor:
        """Lids towards each other: shares of the opening that the upper and the lower one travel."""
        gap = self.skin[:, ROW["lid_low"]] - self.skin[:, ROW["lid_up"]]
        columns = torch.arange(-HALF, HALF + 1, device=gap.device).abs()
        gap = gap * ((columns > COLUMN["inner"]) & (columns < COLUMN["outer"]))[None, :, None]
        row = torch.arange(ROWS, dtype=gap.dtype, device=gap.device)
        ramp_up = smoothstep(ROW["fold"] - 0.5, ROW["lid_up"], row) * (row <= ROW["lid_up"])
        ramp_low = smoothstep(ROW["orbit"] + 0.0, ROW["lid_low"], row) * (row >= ROW["lid_low"])
        weight = share_up * ramp_up - share_low * ramp_low
        return weight[None, :, None, None] * gap[:, None]


def _au1(f: Face) -> Tensor:
    brow = f.move(f.near(1.3, 5.35, 1.7, 1.15) * f.brows(), -0.03, 0.80, 0.05)
    return brow + f.move(f.near(1.5, 7.4, 2.2, 1.6), 0, 0.34) + f.closing(-0.05, 0)


def _au2(f: Face) -> Tensor:
    brow = f.move(f.near(4.3, 5.5, 1.75, 1.3) * f.brows(), 0.12, 0.80, -0.18)
    return brow + f.move(f.near(4.2, 7.3, 2.1, 1.6), 0, 0.32) + f.closing(-0.05, 0)


def _au4(f: Face) -> Tensor:
    brow = f.move(f.near(2.4, 5.45, 2.3, 1.1) * f.brows() * f.browed(), -0.24, -0.66, 0.16)
    knit = f.move(f.near(1.0, 5.2, 0.9, 1.0), -0.22, -0.22, 0.20)
    fold = f.move(f.near(f.at.eye_x, f.at.eye_y + 0.95, 1.7, 0.45), 0, -0.20, 0.08)
    return brow + knit + fold + f.move(f.near(1.8, 7.2, 2.4, 1.2), 0, -0.16) + f.closing(0.10, 0.0)


def _au5(f: Face) -> Tensor:
    lids = f.closing(-0.63, -0.17) * f.widening()
    return lids + f.move(f.near(f.at.eye_x, f.at.eye_y + 1.0, 1.4, 0.42), 0, 0.28)


def _au6(f: Face) -> Tensor:
    cheek = f.move(f.near(4.3, 1.0, 1.9, 1.45), 0, 0.55, 0.26)
    corner = f.move(f.near(f.at.eye_x + 1.7, f.at.eye_y, 0.8, 0.9), -0.14, 0.06)
    bag = f.move(f.near(f.at.eye_x, f.at.eye_y - 0.75, 1.3, 0.35), 0, 0.10, 0.14)
    return cheek + corner + bag + f.closing(0.08, 0.46)


def _au7(f: Face) -> Tensor:
    return f.closing(0.20, 0.42) + f.move(f.near(f.at.eye_x, f.at.eye_y - 0.7, 1.3, 0.35), 0, 0.05, 0.08)


def _au9(f: Face) -> Tensor:
    at = f.at
    wing = f.move(f.near(1.45, at.nose_base + 0.75, 0.95, 1.15), 0.10, 0.65, 0.04)
    bridge = f.move(f.near(1.1, 2.0, 0.9, 1.1), 0.0, 0.36, 0.16)
    brow = f.move(f.near(1.4, 5.0, 1.5, 1.1) * f.brows(), -0.12, -0.24, 0.10)
    lip = f.move(f.near(1.0, at.mouth_y + 0.75, 1.2, 1.0) * f.upper() * f.within(), 0.04, 0.90, 0.05)
    cheek = f.move(f.near(2.5, -1.0, 1.1, 1.5), -0.10, 0.90, 0.14)
    corner = f.move(f.corner(0.9, 0.7), 0.10, -0.30)  # the lip is pulled at the wings of the nose, not at its ends
    return wing + bridge + brow + lip + cheek + corner + f.closing(0.04, 0.18)


def _au10(f: Face) -> Tensor:
    at = f.at
    lip = f.move(f.near(0.9, at.mouth_y + 0.6, 1.75, 1.05) * f.upper() * f.within(), 0.10, 0.88, -0.10)
    cheek = f.move(f.near(2.5, at.mouth_y + 1.9, 1.1, 1.2), 0.06, 0.46, 0.16)
    corner = f.move(f.corner(0.9, 0.8), 0.02, 0.10)
    return lip + cheek + corner + f.move(f.near(1.45, at.nose_base + 0.6, 0.75, 0.8), 0.06, 0.26)


def _au12(f: Face) -> Tensor:
    pull = f.move(f.wide(), 0.88, 0.80, -0.78) + f.move(f.corner(1.25, 1.1), 0.02, 0.36, -0.10)
    cheek = f.move(f.fold(), 0.12, 0.60, 0.50) + f.move(f.near(4.4, 1.4, 1.5, 1.0), 0, 0.20, 0.12)
    flat = f.move(f.lips() * f.lip(1.2), 0, 0.22, -0.20)
    return pull + cheek + flat + f.closing(0.02, 0.16)


def _au14(f: Face) -> Tensor:
    at = f.at
    tight = f.move(f.wide(), 0.10, 0.04, -0.26) + f.move(f.corner(0.75, 0.75), 0.10, 0.06, -0.72)
    return tight + f.move(f.near(at.mouth_half + 1.1, at.mouth_y + 0.1, 0.55, 0.9), -0.14, 0.04, 0.30)


def _au15(f: Face) -> Tensor:
    at = f.at
    down = f.move(f.corner(1.3, 1.15), 0.60, -0.72, -0.32)
    below = f.move(f.near(at.mouth_half + 0.25, at.mouth_y - 1.3, 1.0, 0.9), 0.06, -0.34, 0.10)
    return down + below


def _au16(f: Face) -> Tensor:
    lip = f.move(f.lower() * f.near(1.0, f.at.mouth_y - 0.7, 1.6, 1.2) * f.within(), 0.10, -0.72, 0.10)
    return lip + f.move(f.near(0.0, f.at.mouth_y - 2.4, 2.0, 1.0), 0, -0.14, 0.06)


def _au17(f: Face) -> Tensor:
    at = f.at
    chin = f.move(f.near(0.0, at.menton + 2.1, 1.9, 1.2), 0, 1.10, 0.26)
    low = f.move(f.lower() * f.lips() * f.lip(1.2), 0, 0.80, 0.44)
    high = f.move(f.upper() * f.lips() * f.lip(1.0), 0, 0.55, 0.18)
    return chin + low + high + f.move(f.corner(0.9, 0.8), -0.02, -0.16, 0.0)


def _au18(f: Face) -> Tensor:
    pull = f.move(f.wide(), -0.85, 0.0, 0.62)
    return pull + f.move(f.lips() * f.lip(1.1), 0, 0.02, 0.55)


def _au20(f: Face) -> Tensor:
    pull = f.move(f.wide(), 0.98, -0.12, -0.62) + f.move(f.corner(1.0, 0.9), 0.10, -0.14, -0.08)
    thin = f.move(f.lips() * f.lip(1.0), 0, 0, -0.22)
    jaw = f.move(f.near(3.4, at_y(f, -2.6), 1.6, 1.4), 0.22, -0.20, -0.06)
    return pull + thin + jaw + f.move(f.near(2.8, -8.8, 1.8, 1.4), 0.1, -0.20)


def _au22(f: Face) -> Tensor:
    pull = f.move(f.wide(), -0.50, 0.0, 0.50)
    flare = f.move(f.upper() * f.lips() * f.lip(0.9), 0, 0.30, 0.62)
    return pull + flare + f.move(f.lower() * f.lips() * f.lip(0.9), 0, -0.34, 0.62)


def _au23(f: Face) -> Tensor:
    roll = f.move(f.upper() * f.lips() * f.lip(0.7), 0, -0.14, -0.14)
    return roll + f.move(f.lower() * f.lips() * f.lip(0.9), 0, 0.24, -0.16) + f.move(f.corner(0.9, 0.8), -0.26, 0, 0.05)


def _au24(f: Face) -> Tensor:
    flat = f.move(f.lips() * f.lip(1.0), 0, 0, -0.24) + f.move(f.corner(0.8, 0.7), -0.12, 0, -0.12)
    above, below = f.at.mouth_y + 1.15, f.at.mouth_y - 1.5
    return f.thinned(0.45, 0.5) + flat + f.move(f.near(0, above, 1.9, 0.5) + f.near(0, below, 1.7, 0.5), 0, 0, 0.16)


def _au25(f: Face) -> Tensor:
    open_up = f.move(f.upper() * f.lips() * f.lip(0.9), 0, 0.20, 0.03)
    return open_up + f.move(f.lower() * f.lips() * f.lip(1.4), 0, -0.72, 0.0)


def _au28(f: Face) -> Tensor:
    return f.thinned(0.66, 0.68) + f.move(f.lips() * f.lip(1.1), 0, 0, -0.42)


def _au33(f: Face) -> Tensor:
    return f.move(f.near(4.3, at_y(f, 0.2), 1.9, 1.9), 0.42, 0, 0.62) + f.move(f.corner(0.8, 0.8), -0.2, 0, 0.12)


def at_y(f: Face, offset: float) -> Tensor:
    return f.at.mouth_y + offset


FIELDS: dict[str, Callable[[Face], Tensor]] = {
    "AU1": _au1, "AU2": _au2, "AU4": _au4, "AU5": _au5, "AU6": _au6, "AU7": _au7, "AU9": _au9, "AU10": _au10,
    "AU12": _au12, "AU14": _au14, "AU15": _au15, "AU16": _au16, "AU17": _au17, "AU18": _au18, "AU20": _au20,
    "AU22": _au22, "AU23": _au23, "AU24": _au24, "AU25": _au25, "AU28": _au28, "AU33": _au33,
}  # fmt: skip

# What two units do together beyond their sum, at full intensity of both.
CORRECTIVES: dict[tuple[str, str], Callable[[Face], Tensor]] = {
    ("AU1", "AU4"): lambda f: f.move(f.near(1.0, 5.3, 1.1, 1.0) * f.brows(), -0.14, 0.10, 0.10),
    ("AU6", "AU12"): lambda f: f.move(f.near(4.2, 0.9, 1.4, 1.0), 0, 0.06, 0.16),
    ("AU9", "AU10"): lambda f: f.move(f.near(1.4, at_y(f, 0.8), 1.3, 0.9) * f.upper() * f.within(), 0, -0.50),
    ("AU12", "AU14"): lambda f: f.move(f.corner(0.9, 0.8), -0.10, 0, 0.34),
    ("AU12", "AU25"): lambda f: f.move(f.corner(0.8, 0.6), 0.10, -0.05, -0.08),
    ("AU6", "AU7"): lambda f: f.closing(-0.05, -0.30),
    ("AU17", "AU24"): lambda f: f.move(f.lower() * f.lips() * f.lip(1.1), 0, -0.20),
}

EXPRESSIONS = tuple(f"{code}{side}" for code in FIELDS for side in "LR")


def side_weights(form: Form) -> tuple[Tensor, Tensor]:
    """How much of a unit's left and of its right half moves each vertex, (B, ROWS, COLUMNS, 1) each."""
    left = smoothstep(-0.8, 0.8, form.skin[..., 0])[..., None]
    return left, 1 - left
