"""Whose pose, face and light: how releases combine the codes of two pictures, and a mode that follows only changes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import torch
from torch import Tensor

from faceforge.errors import BadSpec, nearest
from faceforge.face3d.codes import DecaCode, SmirkCode
from faceforge.face3d.skinning import axis_angles, rotations

RIGFACE_EDITS = ("pose", "exp", "light")
_EYES, _MOUTH_CORNERS = slice(36, 48), [48, 54]


def rigface(source: DecaCode, target: DecaCode, edits: Collection[str], *, parity: bool = False) -> DecaCode:
    """The source after the edits: `pose` takes the target's whole head and camera, `exp` its face, `light` its light.

    With `parity` the two cases of `light` are exchanged while the pose stays, as the release's script has it.
    """
    for edit in edits:
        if edit not in RIGFACE_EDITS:
            raise BadSpec(f"{edit!r} is not an edit of RigFace. {nearest(str(edit), RIGFACE_EDITS)}")
    count = max(len(source), len(target))
    source, target = source.repeated(count), target.repeated(count)
    head = target if "pose" in edits else source
    face = target if "exp" in edits else source
    exchanged = parity and "pose" not in edits
    light = target if ("light" in edits) != exchanged else source
    return replace(head, exp=face.exp, pose=_pose(head.pose[:, :3], face.pose[:, 3:]), light=light.light)


def magicportrait(source: DecaCode, driver: DecaCode, face: SmirkCode) -> DecaCode:
    """The source's person, camera and light with the driver's own head rotation, and the face that SMIRK saw on it."""
    count = max(len(driver), len(face))
    driver, face = driver.repeated(count), face.repeated(count)
    pose = _pose(driver.pose[:, :3], face.jaw_params)
    return replace(source.repeated(count), exp=face.expression_params, pose=pose)


def relative(source: DecaCode, driver: DecaCode, face: SmirkCode | None = None) -> DecaCode:
    """The source changed as the driver changes from its first frame; expression and jaw from SMIRK where given."""
    count = max(len(driver), len(face) if face else 1)
    source, driver = source.repeated(count), driver.repeated(count)
    exp, jaw = (driver.exp, driver.pose[:, 3:]) if face is None else (face.expression_params, face.jaw_params)
    turns = rotations(driver.pose[:, :3])
    turned = turns @ turns[:1].mT @ rotations(source.pose[:, :3])
    pose = _pose(axis_angles(turned), source.pose[:, 3:] + jaw - jaw[:1])
    return replace(source, exp=source.exp + exp - exp[:1], pose=pose)


def face_centre(landmarks: Tensor) -> Tensor:
    """The point (B, 3) that RigFace keeps in place: a tenth of the way from the eyes to the corners of the mouth."""
    eyes, mouth = landmarks[:, _EYES].mean(1), landmarks[:, _MOUTH_CORNERS].mean(1)
    return eyes + 0.1 * (mouth - eyes)


def centre_shift(landmarks: Tensor, wanted: Tensor) -> Tensor:
    """The translation (B, 3) of heads with landmarks (B, 68, 3) that puts their centres where those of `wanted` are."""
    return face_centre(wanted) - face_centre(landmarks)


def _pose(rotation: Tensor, jaw: Tensor) -> Tensor:
    return torch.cat([rotation, jaw], 1)
