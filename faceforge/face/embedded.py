"""Faces found by what ships with FaceForge: two small networks that have seen nothing but synthetic portraits.

The first marks faces in a pyramid of small pictures. The second marks 68 landmarks and two irises in a crop, and once
more in a crop that the first reading has straightened, each time beside the crop's mirror image. What it marks is then
replaced by the likeliest face behind it, so that the points of a covered or badly lit face still are a face.
"""

import math
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate, pad

from faceforge.errors import BadWeights
from faceforge.face.found import Face
from faceforge.face.networks import CROP, STRIDE, TYPICAL, FaceMap, PointMaps, read_maps
from faceforge.face.shapes import Fit, Shapes
from faceforge.face.squares import MARGIN, MIRRORED, cut, lattice, rotation, upright
from faceforge.io.weights import read_tensors, without_prefix

WEIGHTS = "face-finder.safetensors"
_LEVELS = (192, 112, 66, 40)  # pixels of the longer side; each finds faces of 18 to 58 pixels
_FINER = 384  # where these show no one
_SURE, _KEPT = 0.35, 8  # what a cell must answer, and how many faces are looked at more closely
_UNLIKE = 0.03  # sides of the face between the marks and the likeliest face, at which there hardly is one
_HOPELESS = 0.25  # how clear points must be at first sight
_LEAST = 0.36  # the score below which there is no face: among held-out portraits, faces reach 0.4, what is none 0.35
_BLUR = 2 / 24**2  # the variance of a map that knows its point exactly
_DEVIATION = 0.02  # of a point that is known exactly, in crops
_NEARER = 0.9  # the second crop: faces of photographs are first marked a little too wide
_GREY = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class Candidate:
    """A square that may hold a face, in pixels of the picture."""

    x: float
    y: float
    side: float
    score: float

    def same(self, other: "Candidate") -> bool:
        """Whether both are of one face."""
        return math.hypot(self.x - other.x, self.y - other.y) < 0.5 * max(self.side, other.side)


class EmbeddedFinder:
    """Both networks, ready; needs nothing but what is installed with FaceForge."""

    name = "embedded"

    def __init__(self, weights: Path | None = None) -> None:
        tensors = _tensors(weights)
        self._faces = _filled(FaceMap(), tensors, "faces.")
        self._points = _filled(PointMaps(), tensors, "points.")
        self._shapes = Shapes.of(_under(tensors, "shapes."))

    @torch.inference_mode()
    def find(self, image: NDArray[np.uint8]) -> list[Face]:
        """All faces in an RGB picture (height, width, 3), the surest first."""
        grey = torch.from_numpy(image.astype(np.float32) / 255) @ torch.tensor(_GREY)
        picture = grey[None, None]
        found: list[Face] = []
        for candidate in self.candidates(picture):
            face = self._face(picture, candidate)
            if face is not None and not any(_overlap(face, other) for other in found):
                found.append(face)
        return sorted(found, key=lambda face: -face.score)

    @torch.inference_mode()
    def candidates(self, picture: Tensor) -> list[Candidate]:
        """Where faces may be in a grey picture (1, 1, h, w), the surest first."""
        found = [each for side in _LEVELS for each in self._marked(picture, side)]
        if not found and max(picture.shape[2:]) > _LEVELS[0]:
            found = self._marked(picture, _FINER)
        kept: list[Candidate] = []
        for each in sorted(found, key=lambda each: -each.score):
            if len(kept) < _KEPT and not any(each.same(other) for other in kept):
                kept.append(each)
        return kept

    def _marked(self, picture: Tensor, longer: int) -> list[Candidate]:
        """Cells that answer yes, of the picture made as small as its longer side says."""
        height, width = picture.shape[2:]
        scale = longer / max(height, width)
        size = (max(8, round(height * scale)), max(8, round(width * scale)))
        small = interpolate(picture, size=size, mode="bilinear", antialias=True, align_corners=False)
        small = pad(small, (0, -size[1] % STRIDE, 0, -size[0] % STRIDE), value=float(small.mean()))
        answer = self._faces(small)[0]
        sure = torch.sigmoid(answer[0])
        found = []
        for row, column in (sure > _SURE).nonzero().tolist():
            x = (column + 0.5 + float(answer[1, row, column])) * STRIDE * width / size[1]
            y = (row + 0.5 + float(answer[2, row, column])) * STRIDE * height / size[0]
            side = TYPICAL * float(answer[3, row, column].clamp(-2, 2).exp()) / scale
            found.append(Candidate(x, y, side, float(sure[row, column])))
        return found

    def _face(self, picture: Tensor, candidate: Candidate) -> Face | None:
        """The candidate's points, read roughly and then straightened; None where they are no face."""
        rough, clear = self.read(picture, (candidate.x, candidate.y), candidate.side, 0.0)
        if clear < _HOPELESS:
            return None
        middle, side, roll = upright(torch.from_numpy(rough.points)[None])
        nearer = float(side[0]) * _NEARER
        fit, clear = self.read(picture, (float(middle[0, 0]), float(middle[0, 1])), nearer, float(roll[0]))
        score = candidate.score * clear * math.exp(-((fit.error / _UNLIKE) ** 2))
        if score < _LEAST:
            return None
        yaw, pitch = self._shapes.yaw_pitch_deg(fit.coefficients)
        return Face(
            landmarks=fit.points[:68],
            size=(picture.shape[2], picture.shape[3]),
            backend=self.name,
            score=score,
            irises=fit.points[68:],
            yaw_deg=yaw,
            pitch_deg=pitch,
            roll_deg=fit.roll_deg,
        )

    @torch.inference_mode()
    def read(self, picture: Tensor, middle: tuple[float, float], side: float, roll: float) -> tuple[Fit, float]:
        """The face in one square of a grey picture, and how clearly it was seen, 0..1."""
        reach = MARGIN * side
        turn = reach * rotation(torch.tensor([roll], dtype=torch.float32))
        places = torch.einsum("bij,hwj->bhwi", turn, lattice(CROP, picture.device)) + torch.tensor(middle)
        crop = cut(picture, places, torch.tensor([reach / CROP]))
        maps = self._points(torch.cat([crop, crop.flip(3)]))
        both = torch.stack([maps[0], maps[1, list(MIRRORED)].flip(2)]).mean(0, keepdim=True)
        seen, variance = (each[0].double() for each in read_maps(both))
        points = (seen - 0.5) @ turn[0].double().T + torch.tensor(middle, dtype=torch.float64)
        spread = (variance - _BLUR).clamp(min=0)
        deviation = reach * (_DEVIATION**2 + spread / 2).sqrt()
        return self._shapes.fit(points.numpy(), deviation.numpy()), float(torch.exp(-spread.mean().sqrt() * 6))


def landmarker() -> PointMaps:
    """The network that marks landmarks, for others to begin with."""
    network = PointMaps()
    _filled(network, _tensors(), "points.")
    return network


def _tensors(weights: Path | None = None) -> dict[str, Tensor]:
    with as_file(files("faceforge.assets") / WEIGHTS) as shipped:
        return read_tensors(weights or shipped)


def _filled(network: torch.nn.Module, tensors: dict[str, Tensor], prefix: str) -> torch.nn.Module:
    try:
        network.load_state_dict({name: tensor.float() for name, tensor in _under(tensors, prefix).items()})
    except RuntimeError as reason:
        raise BadWeights(f"{WEIGHTS!r} does not fit this version of FaceForge. Install it again.") from reason
    return network.eval()


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return without_prefix({name: each for name, each in tensors.items() if name.startswith(prefix)}, prefix)


def _overlap(face: Face, other: Face) -> bool:
    """Whether the middles of both are nearer than most of the larger face's half."""
    apart = face.landmarks.mean(0) - other.landmarks.mean(0)
    boxes = [each.box for each in (face, other)]
    return float(np.hypot(*apart)) < 0.6 * max(right - left for left, _, right, _ in boxes)
