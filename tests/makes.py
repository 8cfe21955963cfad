"""What many tests start from: a miniature Forge whose plugins do something, and pictures to edit."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from faceforge import Forge
from faceforge.face import Face
from faceforge.store.backbones import tiny
from faceforge.store.registry import plugin_class
from faceforge.testing import randomise

SIDE = 32


def forge_of(*kinds: str, **options: Any) -> Forge:
    """The miniature with these plugins; their weights are random, so that every one of them shows."""
    backbone = tiny(size=SIDE)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        plugins = [plugin_class(kind)().built_on(backbone) for kind in kinds]
    for number, plugin in enumerate(plugins):
        randomise(plugin, seed=number)
    return Forge(backbone, plugins, **options)


def portrait(seed: int = 0, side: int = SIDE) -> Image.Image:
    """Smooth random colours: enough of a picture for a network nobody trained."""
    drawn = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(drawn).resize((side, side), Image.Resampling.BICUBIC)


class Known:
    """A finder that was told what there is to find."""

    name = "known"

    def __init__(self, *faces: Face) -> None:
        self.faces, self.asked = list(faces), 0

    def find(self, image: NDArray[np.uint8]) -> list[Face]:
        self.asked += 1
        return self.faces
