"""From the space of heads to the rasteriser's NDC: the releases' scaled orthographic camera, and a perspective one.

Every camera has `project(vertices, size)`: vertices (B, V, 3) of heads (x to the subject's left, which is the right of
the picture, y up, z out of the face) become NDC (B, V, 3) of pictures of (height, width), with depths that rise away
from the viewer. Between the two, DECA's code knows image coordinates: x right and y down, -1..1 over each side.
"""

from dataclasses import dataclass
from math import tan, tau
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from faceforge.errors import BadMesh

CROP = 224  # pixels of a side of DECA's and SMIRK's input
BEHIND = 10.0  # added to image depths before drawing, so that all are in front of the viewer; it changes no pixel
CLEAR = 1.0  # a mesh that would reach nearer than this gets more
NEAREST = 1e-4  # depths nearer to 0 are divided by this, so that points beside the viewer stay finite


class Camera(Protocol):
    """Anything that takes heads to NDC."""

    def project(self, vertices: Tensor, size: tuple[int, int]) -> Tensor:
        """Vertices (B, V, 3) in NDC of pictures of (height, width)."""
        ...


@dataclass(frozen=True)
class ScaledOrthographic:
    """DECA's camera: scale and shift (B, 3), in the frame of a crop or, with `crop` given, of the picture it came from.

    `crop` (B, 3, 3) takes pixels of the picture to pixels of the 224 px crop.
    """

    scale_shift: Tensor
    crop: Tensor | None = None

    @classmethod
    def framing(cls, vertices: Tensor, *, fill: float = 0.8) -> "ScaledOrthographic":
        """The camera that centres heads (B, V, 3) and lets each fill a share of a square picture's side."""
        low, high = vertices[..., :2].amin(1), vertices[..., :2].amax(1)
        scale = 2 * fill / (high - low).amax(1, keepdim=True)
        return cls(torch.cat([scale, -(low + high) / 2], 1))

    def image(self, vertices: Tensor, size: tuple[int, int]) -> Tensor:
        """Image coordinates (B, V, 3): x right, y down, -1..1 over each side; depth away from the viewer."""
        scale, shift = self.scale_shift[:, None, :1], self.scale_shift[:, None, 1:]
        xy, z = scale * (vertices[..., :2] + shift), scale * vertices[..., 2:]
        found = torch.cat([xy[..., :1], -xy[..., 1:], -z], -1)
        return found if self.crop is None else self._uncropped(found, size)

    def project(self, vertices: Tensor, size: tuple[int, int]) -> Tensor:
        """Vertices (B, V, 3) in NDC."""
        return ndc(self.image(vertices, size), size)

    def _uncropped(self, points: Tensor, size: tuple[int, int]) -> Tensor:
        # edges map to 0 and 224 although the crop was cut with centres at 0 and 223: half a pixel off, as published
        pixels = (points[..., :2] + 1) / 2 * CROP
        assert self.crop is not None
        back = torch.linalg.inv(self.crop).mT
        there = torch.cat([pixels, torch.ones_like(pixels[..., :1])], -1) @ back
        sides = points.new_tensor([size[1], size[0]])
        return torch.cat([there[..., :2] / sides * 2 - 1, points[..., 2:]], -1)


@dataclass(frozen=True)
class Perspective:
    """A camera with a field of view: x_view = x R + T for rows x, in axes with x left, y up and z into the scene."""

    rotation: Tensor  # (B, 3, 3)
    translation: Tensor  # (B, 3)
    fov_deg: float = 20.0  # over the shorter side

    def __post_init__(self) -> None:
        if not 0 < self.fov_deg < 180:
            raise BadMesh(f"A field of view of {self.fov_deg!r} degrees; expected more than 0 and less than 180.")

    @classmethod
    def at(cls, eye: Tensor, target: Tensor, *, fov_deg: float = 20.0) -> "Perspective":
        """A camera at points (B, 3) that looks at others and keeps y up."""
        forward = F.normalize(target - eye, dim=1)
        up = torch.zeros_like(forward)
        up[:, 1] = 1
        left = F.normalize(torch.linalg.cross(up, forward), dim=1)
        if not bool((left.norm(dim=1) > 0.5).all()):
            raise BadMesh("A camera looks straight up or down; expected a view with a horizon. Move it off the axis.")
        rotation = torch.stack([left, torch.linalg.cross(forward, left), forward], 2)
        return cls(rotation, -(eye[:, None] @ rotation)[:, 0], fov_deg)

    def view(self, vertices: Tensor) -> Tensor:
        """Vertices (B, V, 3) in the camera's axes."""
        return vertices @ self.rotation + self.translation[:, None]

    def project(self, vertices: Tensor, size: tuple[int, int]) -> Tensor:
        """Vertices (B, V, 3) in NDC with view depths; behind the viewer these are negative."""
        seen = self.view(vertices)
        z = seen[..., 2:]
        divisor = torch.where(z < 0, z.clamp(max=-NEAREST), z.clamp(min=NEAREST))
        return torch.cat([seen[..., :2] / (divisor * tan(self.fov_deg * tau / 720)), z], -1)


def ndc(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Image coordinates (B, V, 3) as NDC by the rule of DECA's wrapper, which stretches the longer side of pictures."""
    height, width = size
    x, y, z = image.unbind(-1)
    tall, wide = (height / width, 1.0) if height > width else (1.0, width / height)
    if z.shape[1]:
        z = z + (CLEAR - z.detach().amin(1, keepdim=True)).clamp(min=BEHIND)
    return torch.stack([-x * wide, -y * tall, z], -1)
