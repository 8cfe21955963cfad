"""What fitting would find in a portrait if it made no error: sittings as fitted heads."""

from math import atan, degrees

import torch
from torch import Tensor

from faceforge.face3d import light as lights
from faceforge.face3d.camera import Perspective
from faceforge.face3d.embedded.model import EmbeddedHead
from faceforge.face3d.fitted import HeadFit
from faceforge.synth.portrait import poses
from faceforge.synth.shots import FRONT, Camera, Light
from faceforge.synth.sitting import Sitting

_GAMMA = 1 / 2.2  # from the linear light of portraits to display values


def known_fit(sitting: Sitting, size: int) -> HeadFit:
    """The head, camera and light of a square portrait of a size, exactly as it was taken."""
    params = poses([sitting], EmbeddedHead())
    traits = torch.tensor([sitting.person.traits], dtype=torch.float64)
    shade, albedo = _display(sitting.light), torch.tensor(sitting.person.skin).clamp(min=0) ** _GAMMA
    return HeadFit(
        params=type(params)(**{**vars(params), "identity": traits}),
        camera=perspective(sitting.camera),
        size=(size, size),
        light=shade,
        albedo=albedo.float(),
        aus=dict(sitting.aus),
        error=0.0,
    )


def perspective(camera: Camera) -> Perspective:
    """A portrait's pinhole as a camera for heads in metres."""
    roll = torch.deg2rad(torch.tensor(camera.roll_deg, dtype=torch.float64))
    c, s = float(torch.cos(roll)), float(torch.sin(roll))
    turn = torch.tensor([[[-c, s, 0.0], [s, c, 0.0], [0.0, 0.0, -1.0]]], dtype=torch.float64)
    aim = torch.tensor([[camera.x, camera.y, camera.distance + FRONT]], dtype=torch.float64) / 100
    half_angle = degrees(atan(camera.half_extent / camera.distance))
    return Perspective(turn, -(aim[:, None] @ turn)[:, 0], 2 * half_angle)


def _display(light: Light) -> Tensor:
    """A portrait's lamps and sky as harmonics of display values, (1, 9, 3), by least squares over the front half."""
    normals = torch.nn.functional.normalize(torch.randn(2000, 3, generator=torch.Generator().manual_seed(0)), dim=1)
    normals[:, 2] = normals[:, 2].abs()
    linear = torch.zeros(len(normals), 3)
    for direction, colour in zip(light.directions, light.colours, strict=True):
        linear += (normals @ torch.tensor(direction)).clamp(min=0)[:, None] * torch.tensor(colour)
    for axis in range(3):
        share = normals[:, axis : axis + 1].square()
        towards, away = torch.tensor(light.sky[2 * axis]), torch.tensor(light.sky[2 * axis + 1])
        side = torch.where(normals[:, axis : axis + 1] > 0, towards, away)
        linear += share * side
    # Solvers round by where their operands lie in memory: in double precision, rounded once more, that is not seen.
    shown = (linear.clamp(min=1e-4) ** _GAMMA).double()
    found: Tensor = torch.linalg.lstsq(lights.basis(normals).double(), shown).solution.float()
    return found[None]
