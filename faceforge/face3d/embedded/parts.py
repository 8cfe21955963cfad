"""What is not skin: lid rims, eyeballs, the inside of the mouth, teeth, tongue, ears and shoulders.

Every part is a patch of rows and columns. Rims and the mouth's lining grow from the edges of the posed skin, so they
follow every expression exactly; the others are placed by the resting form. Centimetres.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from faceforge.face3d.embedded.curves import band, bump, smoothstep
from faceforge.face3d.embedded.form import EYEBALL, Landmarks
from faceforge.face3d.embedded.grid import COLUMN, HALF, ROW, strip
from faceforge.face3d.embedded.traits import Traits


@dataclass(frozen=True)
class Patch:
    """The topology of one part: its grid, whether its columns close to a ring, and its rectangle in the atlas."""

    name: str
    rows: int
    columns: int
    tile: tuple[float, float, float, float]  # left, bottom, width, height
    ring: bool = False
    flipped: bool = False

    def faces(self, first: int) -> np.ndarray:
        """Triangles (F, 3) of a patch whose vertices begin at `first`."""
        index = np.arange(self.rows * self.columns).reshape(self.rows, self.columns) + first
        index = np.concatenate([index, index[:, :1]], 1) if self.ring else index
        faces = np.concatenate([strip(upper, lower) for upper, lower in pairwise(index)])
        return faces[:, ::-1] if self.flipped else faces

    def uv(self) -> Tensor:
        """Texture coordinates (rows * columns, 2) inside the tile."""
        left, bottom, width, height = self.tile
        v, u = torch.meshgrid(
            torch.linspace(1, 0, self.rows, dtype=torch.float64),
            torch.linspace(0, 1, self.columns, dtype=torch.float64),
            indexing="ij",
        )
        return torch.stack([left + width * u, bottom + height * v], -1).reshape(-1, 2)


_LID = COLUMN["outer"] - COLUMN["inner"] + 1
_LIPS = 2 * COLUMN["mouth"] + 1
RIM, LINING = (0.805, 0.02, 0.19, 0.03), (0.805, 0.07, 0.19, 0.06)
TEETH, TONGUE, EYE, EAR, SHOULDERS = (
    (0.805, 0.14, 0.19, 0.05),
    (0.805, 0.20, 0.19, 0.04),
    (0.805, 0.26, 0.19, 0.19),
    (0.805, 0.50, 0.19, 0.22),
    (0.805, 0.75, 0.19, 0.22),
)
SKIN_WIDTH = 0.8  # the share of the atlas that the skin takes

PATCHES = (
    Patch("rim_up_right", 3, _LID, RIM),
    Patch("rim_up_left", 3, _LID, RIM),
    Patch("rim_low_right", 3, _LID, RIM, flipped=True),
    Patch("rim_low_left", 3, _LID, RIM, flipped=True),
    Patch("lining_up", 6, _LIPS, LINING),
    Patch("lining_low", 6, _LIPS, LINING, flipped=True),
    Patch("teeth_up", 5, 33, TEETH),
    Patch("teeth_low", 5, 33, TEETH, flipped=True),
    Patch("tongue", 8, 9, TONGUE),
    Patch("eye_right", 13, 32, EYE, ring=True),
    Patch("eye_left", 13, 32, EYE, ring=True),
    Patch("ear_right", 12, 26, EAR, ring=True),
    Patch("ear_left", 12, 26, EAR, ring=True, flipped=True),
    Patch("shoulders", 9, 49, SHOULDERS),
)


def rims(at: Landmarks, skin: Tensor) -> dict[str, Tensor]:
    """The margins of the four lids, from the skin's edge in to the globe and behind it."""
    made = {}
    for name, row in (("up", ROW["lid_up"]), ("low", ROW["lid_low"])):
        for side, sign in (("right", -1), ("left", 1)):
            columns = range(COLUMN["inner"], COLUMN["outer"] + 1)
            chosen = [HALF + sign * column for column in columns]
            edge = skin[:, row, sorted(chosen)]
            centre = torch.cat([sign * at.eye_x, at.eye_y, at.eye_z], -1)
            out = edge - centre
            reach = out.norm(dim=-1, keepdim=True)
            rows = [edge] + [centre + out / reach * torch.minimum(reach, reach.new_tensor(r)) for r in (1.2, 1.08)]
            made[f"rim_{name}_{side}"] = torch.stack(rows, 1)
    return made


def lining(skin: Tensor) -> dict[str, Tensor]:
    """The inside of both lips and cheeks: from the lips' edges back to a common end."""
    columns = slice(HALF - COLUMN["mouth"], HALF + COLUMN["mouth"] + 1)
    upper, lower = skin[:, ROW["seam_up"], columns], skin[:, ROW["seam_low"], columns]
    share = torch.linspace(-1, 1, _LIPS, dtype=skin.dtype, device=skin.device)
    inner = (1 - share**2).clamp(min=0).sqrt()[None, :, None]
    end = 0.5 * (upper[:, _LIPS // 2] + lower[:, _LIPS // 2])[:, None] - skin.new_tensor([0.0, 0.0, 5.0])
    end = end + skin.new_tensor([1.0, 0.0, 0.0]) * 1.6 * share[None, :, None]

    def shell(edge: Tensor, up: float) -> Tensor:
        rolls = ((0.0, 0.0), (0.02, -0.22), (0.45, -0.75), (1.1, -1.7), (1.25, -3.2))
        rows = [edge + inner * skin.new_tensor([0.0, up * high, back]) for high, back in rolls]
        return torch.stack([*rows, end.expand_as(edge)], 1)

    return {"lining_up": shell(upper, 1.0), "lining_low": shell(lower, -1.0)}


def teeth(at: Landmarks) -> dict[str, Tensor]:
    """Both dental arches and the tongue at rest, behind closed lips."""
    turn = torch.linspace(-1, 1, 33, dtype=at.mouth_y.dtype, device=at.mouth_y.device)[None, None]
    height = torch.linspace(0, 1, 5, dtype=turn.dtype, device=turn.device)[None, :, None]

    def arch(width: float, front: float, high: float, low: float) -> Tensor:
        x = width * torch.sin(turn * 1.25) / 0.949 + 0 * height
        lean = 0.16 * height
        z = front - 0.34 * x**2 - 0.025 * x**4 + lean + 0 * at.mouth_y
        y = at.mouth_y + 0.27 + high + (low - high) * height + 0.10 * (x / width) ** 2
        return torch.stack([x.expand_as(z), y.expand_as(z), z], -1)

    across = torch.linspace(-1, 1, 9, dtype=turn.dtype, device=turn.device)[None, None]
    along = torch.linspace(0, 1, 8, dtype=turn.dtype, device=turn.device)[None, :, None]
    dome = (1 - across**2).clamp(min=0).sqrt()
    x = 1.75 * across * (1 - 0.45 * along**3) + 0 * at.mouth_y
    y = (
        at.mouth_y
        - 0.75
        + 0.35 * dome * (1 - 0.6 * along**4)
        - 0.30 * along**2
        - 0.05 * bump(across, along, 0, 1, 0.3, 2)
    )
    z = 4.8 + 3.9 * along + 0.5 * dome * along + 0 * at.mouth_y
    tongue = torch.stack([x.expand_as(y), y, z.expand_as(y)], -1)
    return {"teeth_up": arch(2.3, 9.50, 1.4, -0.34), "teeth_low": arch(2.1, 9.22, -1.6, -0.26), "tongue": tongue}


# Angles from the pupil. The first ring is wide: weights on very thin triangles are too coarse to keep depths apart.
_RINGS = (0.0, 0.22, 0.31, 0.40, 0.48, 0.53, 0.60, 0.70, 0.84, 1.02, 1.25, 1.5, 1.8)


def eyeball(device: torch.device) -> tuple[Tensor, Tensor]:
    """One eye looking ahead about its centre: positions (13, 32, 3) and texture offsets from the pupil (13, 32, 2)."""
    ring = torch.tensor(_RINGS, dtype=torch.float64, device=device)[:, None]
    around = torch.arange(32, dtype=torch.float64, device=device)[None] * (2 * torch.pi / 32)
    radius = EYEBALL * (1 + 0.045 * torch.exp(-((ring / 0.42) ** 4)))
    flat = radius * torch.sin(ring)
    depth = radius * torch.cos(ring) + 0 * around
    return torch.stack([flat * torch.cos(around), flat * torch.sin(around), depth], -1), torch.stack(
        [ring * torch.cos(around), ring * torch.sin(around)], -1
    )


def ears(t: Traits, skin: Tensor) -> dict[str, Tensor]:
    """Both ears: a shell with helix, antihelix, bowl, tragus and lobe, its root inside the head."""
    around = torch.arange(26, dtype=skin.dtype, device=skin.device)[None] * (2 * torch.pi / 26)
    rings = torch.tensor(
        [0.0, 0.18, 0.36, 0.50, 0.62, 0.72, 0.82, 0.90, 0.965, 1.0], dtype=skin.dtype, device=skin.device
    )
    r = rings[:, None]
    back, up = -torch.cos(around), torch.sin(around)  # the bowl's middle is the pole; back runs to the helix
    low = (-up).clamp(min=0)
    width = torch.where(back > 0, 1.95, 1.15) * (1 + 0.16 * up.clamp(min=0) - 0.40 * low**2)
    tall = torch.where(up > 0, 3.25, 2.60)
    blunt = 1 - 0.22 * low  # a lobe ends in an arc, not in the point of an ellipse
    across, along = back.sign() * back.abs() ** blunt, up.sign() * up.abs() ** blunt
    ahead = smoothstep(0.1, -0.7, back)
    lobe = smoothstep(-0.55, -0.95, up)
    rim = band(r, 0.92, 0.075) * (0.34 - 0.22 * lobe) * (1 - 0.75 * ahead * smoothstep(0.3, -0.2, up))
    ridge = band(r, 0.60, 0.11) * 0.30 * smoothstep(-0.3, 0.5, back) * (1 - lobe)
    bowl = -0.62 * smoothstep(0.52, 0.20, r)
    tragus = 0.45 * bump(r + 0 * up, up + 0 * r, 0.62, -0.10, 0.20, 0.35) * ahead
    round_pole = 0.34 * r * (1 - ahead) + rim + ridge + tragus - 0.5 * lobe * bowl
    depth = 0.16 + bowl + round_pole * smoothstep(0.0, 0.18, r)  # at the pole all columns meet
    behind = torch.stack([0.93 * r[-1] + 0 * up[0], 0.55 + 0 * up[0]])
    sheet = torch.cat([depth, torch.stack([depth[-1] - 0.22, depth[-1] * 0 - 0.95])])
    u = torch.cat([r * across * width, behind * across * width])
    v = torch.cat([r * along * tall, behind * along * tall])
    size = 1 + 0.075 * t("ear_size")
    lean, out = 0.17, 0.42 + 0.10 * t("ear_out")
    u, v = size * (u + 0.35 + lean * v), size * v
    root = 0.5 * (skin[:, ROW["bag"], HALF + COLUMN["ear"]] + skin[:, ROW["cheek"], HALF + COLUMN["ear"]])[:, None]
    x = root[..., 0:1] + 0.15 + u * torch.sin(out) + sheet * torch.cos(out)
    y = root[..., 1:2] - 0.75 + v + 0 * x
    z = root[..., 2:3] - 0.55 - u * torch.cos(out) + sheet * torch.sin(out)
    left = torch.stack([x, y, z], -1)
    return {"ear_left": left, "ear_right": left * left.new_tensor([-1.0, 1.0, 1.0])}


_RINGS_DOWN = (  # share of the shoulders' width, height, depth in front, depth behind
    (0.0, -11.4, 5.3, -6.6), (0.04, -12.2, 5.7, -7.2), (0.14, -13.0, 6.2, -8.0), (0.34, -13.9, 6.9, -8.8),
    (0.60, -14.9, 7.6, -9.2), (0.84, -16.1, 8.4, -9.4), (0.97, -18.0, 9.2, -9.6), (1.0, -21.5, 10.0, -10.0),
    (1.0, -32.0, 10.6, -10.4),
)  # fmt: skip


def shoulders(t: Traits) -> Tensor:
    """Clothed shoulders under the neck (B, 9, 49, 3)."""
    rings = torch.tensor(_RINGS_DOWN, dtype=torch.float64, device=t.values.device).T[..., None]
    turn = torch.linspace(-torch.pi, torch.pi, 49, dtype=torch.float64, device=rings.device)[None]
    sine, cosine = torch.sin(turn), torch.cos(turn)
    neck = 5.85 + 0.30 * t("neck_width")
    half = neck + (20.0 + 0.8 * t("neck_width") - neck) * rings[0]
    x = half * torch.sign(sine) * sine.abs() ** 0.9
    z = torch.where(cosine > 0, rings[2] * cosine.abs() ** 0.75, rings[3] * cosine.abs() ** 0.85)
    dip = -1.6 * smoothstep(0.2, 0.0, rings[0]) * smoothstep(0.3, 1.0, cosine)
    y = rings[1] + dip + 0.7 * (1 - sine.abs()) * smoothstep(0.0, 0.5, rings[0]) * torch.sign(-cosine)
    return torch.stack([x, y.expand_as(x), z.expand_as(x)], -1)
