"""Light as nine spherical harmonics per colour, (B, 9, 3), and the lamps they are made of.

Light adds up: an ambient level and any number of lamps are one sum of coefficients. Directions and normals are in the
axes of the head: x to the subject's left, y up, z out of the face. Shading is in display values, as in the releases.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import pi, sqrt

import torch
import torch.nn.functional as F
from torch import Tensor

from faceforge.errors import BadMesh, nearest
from faceforge.face3d.inputs import check_number, check_rows, check_tensor

# Ramamoorthi and Hanrahan 2001: the harmonics' own factors, times those of a cosine lobe in bands 1 and 2 (not in 0)
_BAND0 = 1 / sqrt(4 * pi)
_BAND1 = 2 * pi / 3 * sqrt(3 / (4 * pi))
_BAND2 = pi / 4 * 3 * sqrt(5 / (12 * pi))
_SQUARES = pi / 4 * 3 / 2 * sqrt(5 / (12 * pi))
_POLE = pi / 4 / 2 * sqrt(5 / (4 * pi))
FACTORS = (_BAND0, *[_BAND1] * 3, *[_BAND2] * 3, _SQUARES, _POLE)
_COSINE = (1.0, *[2 * pi / 3] * 3, *[pi / 4] * 5)


@dataclass(frozen=True)
class Lamp:
    """A lamp so far away that all its light has one direction: where it stands, how bright, of which colour."""

    direction: tuple[float, float, float]
    irradiance: float
    colour: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        check_number("irradiance", self.irradiance)
        _check_three("direction", self.direction)
        _check_three("colour", self.colour)


@dataclass(frozen=True)
class Studio:
    """An ambient level and some lamps."""

    ambient: float
    lamps: tuple[Lamp, ...] = ()
    colour: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        check_number("ambient", self.ambient)
        _check_three("colour", self.colour)

    def light(self) -> Tensor:
        """All of it as one light, (1, 9, 3)."""
        parts = [ambient(self.ambient, self.colour), *(directional(lamp) for lamp in self.lamps)]
        return torch.stack(parts).sum(0)[None]


def _check_three(what: str, values: tuple[float, ...]) -> None:
    if len(values) != 3:
        raise BadMesh(f"{what}={values!r}; expected three numbers.")
    for value in values:
        check_number(what, value)


_WARM, _COOL = (1.0, 0.88, 0.72), (0.80, 0.90, 1.0)
# By name of side: the picture's, as in every wish.
PRESETS: Mapping[str, Studio] = {
    "flat": Studio(1.0),
    "studio": Studio(
        0.35, (Lamp((-0.55, 0.50, 0.85), 0.70), Lamp((0.80, 0.10, 0.60), 0.28), Lamp((0, 0.60, -1), 0.15))
    ),
    "front": Studio(0.30, (Lamp((0, 0.15, 1), 0.75),)),
    "left": Studio(0.25, (Lamp((-1, 0.25, 0.35), 0.85),)),
    "right": Studio(0.25, (Lamp((1, 0.25, 0.35), 0.85),)),
    "top": Studio(0.25, (Lamp((0, 1, 0.35), 0.90),)),
    "below": Studio(0.25, (Lamp((0, -1, 0.45), 0.80),)),
    "rim": Studio(0.20, (Lamp((1, 0.40, -0.60), 0.90), Lamp((-1, 0.40, -0.60), 0.90), Lamp((0, 0.20, 1), 0.25))),
    "window": Studio(0.30, (Lamp((-0.90, 0.30, 0.50), 0.80, _COOL),), _COOL),
    "lamp": Studio(0.25, (Lamp((0.50, 0.55, 0.70), 0.80, _WARM),), _WARM),
    "overcast": Studio(0.60, (Lamp((0, 1, 0.20), 0.40, _COOL),)),
    "sunset": Studio(0.30, (Lamp((-0.85, 0.15, 0.55), 0.75, (1.0, 0.62, 0.38)),), _COOL),
}

# The grey preview of DECA and SMIRK: five lamps, an albedo of 180 / 255.
PREVIEW = tuple(Lamp(at, 1.7) for at in ((-1, 1, 1), (1, 1, 1), (-1, -1, 1), (1, -1, 1), (0, 0, 1)))
PREVIEW_ALBEDO = 180 / 255


def preset(name: str) -> Tensor:
    """A named light, (1, 9, 3)."""
    if name not in PRESETS:
        raise BadMesh(f"There is no light {name!r}. {nearest(name, PRESETS)}")
    return PRESETS[name].light()


def ambient(level: float, colour: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Tensor:
    """Light that shades every normal equally, (9, 3)."""
    light = torch.zeros(9, 3)
    light[0] = torch.tensor(colour) * level / _BAND0
    return light


def directional(lamp: Lamp) -> Tensor:
    """A lamp as coefficients, (9, 3).

    It shades nearly irradiance * max(0, n . direction): at most a tenth of the irradiance off.
    """
    unit = F.normalize(torch.tensor(lamp.direction, dtype=torch.float32), dim=0)
    if not bool(unit.any()):
        raise BadMesh(f"A lamp stands at {lamp.direction!r}; expected a direction, such as (0, 0, 1) for the front.")
    harmonics = basis(unit) / torch.tensor(_COSINE)
    harmonics[0] *= pi
    return harmonics[:, None] * lamp.irradiance * torch.tensor(lamp.colour)


def basis(normals: Tensor) -> Tensor:
    """The nine functions that coefficients multiply, for normals (..., 3): (..., 9)."""
    x, y, z = normals.unbind(-1)
    parts = [torch.ones_like(x), x, y, z, x * y, x * z, y * z, x * x - y * y, 3 * z * z - 1]
    return torch.stack(parts, -1) * normals.new_tensor(FACTORS)


def shade(normals: Tensor, light: Tensor) -> Tensor:
    """What lights (B or 1, 9, 3) make of normals (B, ..., 3), (B, ..., 3); negative on the far side of a hard lamp."""
    check_tensor("Light", light, ("B", 9, 3))
    check_rows("Light", light, len(normals))
    flat = basis(normals).flatten(1, -2)
    return torch.unflatten(flat @ light.to(flat), 1, normals.shape[1:-1])


def rotated(light: Tensor, rotation: Tensor) -> Tensor:
    """Lights (B, 9, 3) turned by rotations (B or 1, 3, 3): a turned normal is shaded as before."""
    check_tensor("Light", light, ("B", 9, 3))
    check_tensor("A light's rotation", rotation, ("B", 3, 3))
    check_rows("A light's rotation", rotation, len(light))
    scaled = light * light.new_tensor(FACTORS)[:, None]
    vector = rotation @ scaled[:, 1:4]
    xy, xz, yz, squares, pole = scaled[:, 4:].unbind(1)
    rows = [squares - pole, xy / 2, xz / 2, xy / 2, -squares - pole, yz / 2, xz / 2, yz / 2, 2 * pole]
    form = torch.unflatten(torch.stack(rows, -1), -1, (3, 3))  # (B, colour, 3, 3): n' form n is band 2
    turned = rotation[:, None] @ form @ rotation[:, None].mT
    band2 = [
        2 * turned[..., 0, 1],
        2 * turned[..., 0, 2],
        2 * turned[..., 1, 2],
        (turned[..., 0, 0] - turned[..., 1, 1]) / 2,
        turned[..., 2, 2] / 2,
    ]
    first = scaled[:, :1].expand(len(vector), -1, -1)
    return torch.cat([first, vector, torch.stack(band2, 1)], 1) / light.new_tensor(FACTORS)[:, None]


def point_shading(points: Tensor, normals: Tensor, lights: Tensor) -> Tensor:
    """DECA's point lights (B, n, 6: position, colour) on points and normals (B, V, 3): their mean, unclamped."""
    check_tensor("Lights", lights, ("B", "n", 6))
    towards = F.normalize(lights[:, :, None, :3] - points[:, None], dim=3)
    return _mean(towards, normals, lights, clamped=False)


def lamp_shading(normals: Tensor, lights: Tensor) -> Tensor:
    """DECA's directional lights (B, n, 6: direction, colour) on normals (B, V, 3): the mean of what is in front."""
    check_tensor("Lights", lights, ("B", "n", 6))
    towards = F.normalize(lights[:, :, None, :3].expand(-1, -1, normals.shape[1], -1), dim=3)
    return _mean(towards, normals, lights, clamped=True)


def preview_lights() -> Tensor:
    """The lamps of the grey preview as `lamp_shading` takes them, (1, 5, 6)."""
    return torch.tensor([[[*lamp.direction, *([lamp.irradiance] * 3)] for lamp in PREVIEW]], dtype=torch.float32)


def _mean(towards: Tensor, normals: Tensor, lights: Tensor, *, clamped: bool) -> Tensor:
    cosine = (normals[:, None] * towards).sum(3)
    cosine = cosine.clamp(0, 1) if clamped else cosine
    return (cosine[..., None] * lights[:, :, None, 3:]).mean(1)
