"""What an edit of action units should leave alone: who it is, how the head is held, the light, everything around."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from faceforge.errors import BadPlugin, nearest
from faceforge.face.found import Face
from faceforge.face.masks import composite
from faceforge.face3d.fitted import HeadFit
from faceforge.mer.looking import Seen
from faceforge.mer.presets import STABLE, similarity
from faceforge.mer.similarity import gmsd, psnr, ssim

GROUP = "faceforge.embeddings"
DEFAULT = "embedded"
BUILT_IN: Mapping[str, EntryPoint] = {
    "embedded": EntryPoint("embedded", "faceforge.mer.identity:EmbeddedIdentity", GROUP)
}

# Beyond these an edit has moved the head, and judges of motion are not asked.
DRIFT_SHARE = 0.02  # of the eye distance: root mean square that no similarity explains
DRIFT_DEG = 5.0


class Embedding(Protocol):
    """Says who somebody is as a unit vector: the cosine of two is their likeness."""

    name: str
    weights: str  # SHA-256

    @property
    def equal_error_rate(self) -> float | None:
        """Of telling people apart whom it did not learn from; None where nobody measured it."""
        ...

    def embed(self, image: NDArray[np.uint8], face: Face) -> NDArray[np.floating]:
        """The unit vector (D,) of one face in an RGB picture (H, W, 3)."""
        ...


def embeddings() -> dict[str, EntryPoint]:
    """Built-in and installed identity embeddings by name; none is loaded."""
    return {each.name: each for each in entry_points(group=GROUP)} | dict(BUILT_IN)


def embedding(name: str = DEFAULT) -> Embedding:
    """An identity embedding by name; what ships unless one is named."""
    found = embeddings()
    if name not in found:
        raise BadPlugin(f"No identity embedding is called {name!r}. {nearest(name, found)}")
    made: Embedding = found[name].load()()
    return made


def identity(source: Seen, edited: Seen, by: Embedding) -> float:
    """The cosine between two faces."""
    left, right = (by.embed(each.pixels, each.face) for each in (source, edited))
    return float(np.dot(left, right))


def surroundings(source: Seen, edited: Seen) -> dict[str, float]:
    """PSNR and SSIM of what lies outside the face, and the perceptual distance of the whole pictures."""
    outside = composite(source.face.landmarks, source.image.size) == 0
    return {
        "background_psnr": psnr(source.pixels, edited.pixels, outside),
        "background_ssim": ssim(source.pixels, edited.pixels, outside),
        "gmsd": gmsd(source.pixels, edited.pixels),
    }


def drifted(source: Face, edited: Face) -> bool:
    """Whether the head itself moved: stable points that no similarity explains, or a turn by more than 5 degrees."""
    before, after = (each.landmarks[list(STABLE)] for each in (source, edited))
    a, b, right, down = similarity(before, after)
    left = after - before @ np.array([[a, b], [-b, a]]) - (right, down)
    share = np.sqrt((left**2).sum(1).mean()) / source.eye_distance
    turned = max(abs(edited.yaw_deg - source.yaw_deg), abs(edited.pitch_deg - source.pitch_deg))
    return bool(share > DRIFT_SHARE or turned > DRIFT_DEG)


def pose_and_light(source: HeadFit, edited: HeadFit) -> dict[str, float]:
    """The angle in degrees between two fitted heads, and how much of the light changed, as a share of it."""
    before, after = (_turn(each) for each in (source, edited))
    cosine = (np.trace(before.T @ after) - 1) / 2
    old, new = (each.light.double().numpy() for each in (source, edited))
    return {
        "pose_deg": float(np.degrees(np.arccos(np.clip(cosine, -1, 1)))),
        "light": float(np.linalg.norm(new - old) / max(float(np.linalg.norm(old)), 1e-9)),
    }


def _turn(fit: HeadFit) -> NDArray[np.float64]:
    """(3, 3): neck and root together."""
    from faceforge.face3d.embedded.model import rotation

    turn = np.eye(3)
    for part in (fit.params.neck, fit.params.rotation):
        if part is not None:
            turn = rotation(part.double())[0].numpy() @ turn
    return turn
