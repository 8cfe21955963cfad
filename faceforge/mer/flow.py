"""Where every pixel of one picture went in another: optical flow, by whoever computes it."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from faceforge.errors import BadPicture, BadPlugin, MissingPackage, nearest

Flow = NDArray[np.floating[Any]]  # (2, H, W) pixels to the right and down
Grey = NDArray[np.uint8]

GROUP = "faceforge.flows"
DEFAULT = "dis"
_RGB = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601


class FlowBackend(Protocol):
    """Something that computes flow; its name is part of every score it serves."""

    name: str

    def flow(self, source: Grey, edited: Grey) -> Flow:
        """Motion (2, H, W) from one grey picture (H, W) to another of the same size."""


class Dis:
    """Dense inverse search (Kroeger et al. 2016) by OpenCV, at its medium preset: milliseconds for a face."""

    name = "dis"

    def flow(self, source: Grey, edited: Grey) -> Flow:
        cv2 = opencv()
        return _planes(cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(source, edited, None))


class TvL1:
    """Duality-based TV-L1 (Zach et al. 2007) by OpenCV, the flow of most papers; a hundred times as slow as DIS."""

    name = "tvl1"

    def flow(self, source: Grey, edited: Grey) -> Flow:
        return _planes(opencv().optflow.DualTVL1OpticalFlow_create().calc(source, edited, None))


BUILT_IN = {kind.name: EntryPoint(kind.name, f"{__name__}:{kind.__name__}", GROUP) for kind in (Dis, TvL1)}


@cache
def backend(name: str = DEFAULT) -> FlowBackend:
    """A flow backend by name: a built-in one, or what a package offers under `faceforge.flows`, such as RAFT."""
    known = {each.name: each for each in entry_points(group=GROUP)} | BUILT_IN
    if name not in known:
        raise BadPlugin(f"No flow backend is called {name!r}. {nearest(name, known)}")
    made: FlowBackend = known[name].load()()
    return made


def flow_between(source: NDArray[np.uint8], edited: NDArray[np.uint8], by: FlowBackend) -> Flow:
    """Motion (2, H, W) between two RGB or grey pictures; exactly 0 everywhere between equal ones."""
    if source.shape != edited.shape:
        raise BadPicture(
            f"Flow needs two pictures of one size, these have {source.shape[:2]} and {edited.shape[:2]} (height, "
            f"width). Give the edit in the size of its source."
        )
    if np.array_equal(source, edited):
        return np.zeros((2, *source.shape[:2]), np.float32)
    return by.flow(grey(source), grey(edited))


def grey(pixels: NDArray[np.uint8]) -> Grey:
    """An RGB picture (H, W, 3) as grey (H, W); a grey one as it is."""
    return pixels if pixels.ndim == 2 else np.asarray((pixels @ _RGB).round(), np.uint8)


def opencv() -> Any:
    """OpenCV with its contributed modules, or how to get it."""
    try:
        import cv2
    except ImportError as error:
        raise MissingPackage("OpenCV is not installed. Install it with: pip install 'faceforge[mer]'") from error
    if not hasattr(cv2, "optflow"):
        raise MissingPackage(
            "This OpenCV lacks its contributed modules. Install the flavour that has them: "
            "pip uninstall opencv-python opencv-python-headless; pip install 'faceforge[mer]'"
        )
    return cv2


def _planes(found: Any) -> Flow:
    return np.ascontiguousarray(np.moveaxis(np.asarray(found), -1, 0))
