"""What RigFace is conditioned on, from two photographs: the head that was wished for, and the room without a person.

Each photograph comes as DECA's code and as a mask of its person; `edits` names what the target gives: 'pose', 'exp',
'light'. Everything else is the source's.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from faceforge.errors import BadPicture
from faceforge.face3d import maps, transfer
from faceforge.face3d.camera import ScaledOrthographic
from faceforge.face3d.codes import DecaCode
from faceforge.face3d.head import HeadMesh, HeadModel
from faceforge.face3d.mesh import vertex_normals

GREY = 127
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Rig:
    """One head per frame: the code to draw, and the described head whose place in the picture it takes."""

    code: DecaCode
    place: DecaCode

    @classmethod
    def of(cls, source: DecaCode, target: DecaCode, edits: Collection[str], *, parity: bool = False) -> Self:
        """The source after the edits, in its place in the photograph that poses it; `parity` as in `transfer`."""
        code = transfer.rigface(source, target, edits, parity=parity)
        return cls(code, (target if "pose" in edits else source).repeated(len(code)))

    def mesh(self, head: HeadModel) -> HeadMesh:
        """The posed heads, moved so that another expression leaves eyes and mouth about where they were."""
        params = self.code.params()
        before, now = (head.landmarks68(head(each)) for each in (self.place.params(), params))
        return head(replace(params, translation=transfer.centre_shift(now, before)))

    def render(self, head: HeadModel, texture: maps.Texture, size: tuple[int, int] = (512, 512)) -> Tensor:
        """The condition picture in 0..1, black around the head, (B, 3, H, W); `maps.written` makes bytes of it.

        `size` (H, W) is the photograph's where the code knows its crop; otherwise the picture is DECA's crop itself.
        """
        vertices = self.mesh(head).vertices
        camera = ScaledOrthographic(self.code.cam, self.code.crop)
        view = maps.View.of(camera.project(vertices, size), head.faces, size)
        return maps.rigface(view, vertex_normals(vertices, head.faces), texture, self.code.light)


def foreground(source: NDArray[Any], target: NDArray[Any], edits: Collection[str]) -> NDArray[np.bool_]:
    """Which pixels (H, W) must not be shown: the source's person, and where the pose changes the target's as well."""
    if source.shape != target.shape:
        raise BadPicture(f"Masks have shapes {source.shape} and {target.shape}, expected the same. Crop both alike.")
    hidden = [source, target] if "pose" in edits else [source]
    found: NDArray[np.bool_] = np.any(np.stack(hidden) != 0, axis=0)
    return found


def grey_person(image: Pixels, foreground: NDArray[Any]) -> Pixels:
    """The picture (H, W, 3) where the mask (H, W) is 0, and grey 127 where it is anything else.

    All of a person belongs to the mask: hair, neck, clothes, hat and glasses, too.
    """
    if image.dtype != np.uint8 or image.shape != (*foreground.shape, 3):
        raise BadPicture(
            f"A picture of {image.dtype} {image.shape} and a mask {foreground.shape} do not fit, expected uint8 "
            f"(H, W, 3) and (H, W). Resize the mask to the picture."
        )
    return np.where(foreground[..., None] != 0, np.uint8(GREY), image)
