"""Who somebody is, as a direction: pictures of one person point the same way, whatever the face does."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, normalize

from faceforge.face.found import Face
from faceforge.face.networks import Layer, Residual
from faceforge.mer.framing import SIDE, frame
from faceforge.mer.shipped import shipped

ASSET = "face-identity.safetensors"
PIXELS = 64  # of a side, a third of what a frame has there
_FEATURES = 128
_CELLS = PIXELS // 16


class IdentityNetwork(nn.Module):
    """Colour crops (B, 3, 64, 64) in 0..1 to unit vectors (B, 128)."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        a, b, c = width, 2 * width, 4 * width
        self.look = nn.Sequential(
            Layer(3, a, 5, 2), Layer(a, b, 3, 2), Residual(b), Layer(b, c, 3, 2), Residual(c), Layer(c, c, 3, 2)
        )
        self.answer = nn.Sequential(nn.Flatten(), nn.Linear(c * _CELLS**2, _FEATURES))

    def forward(self, colours: Tensor) -> Tensor:
        centred = colours - colours.mean((1, 2, 3), keepdim=True)
        even = centred / (centred.square().mean((1, 2, 3), keepdim=True).sqrt() + 0.02)
        return normalize(self.answer(self.look(even)).float(), dim=1)


class EmbeddedIdentity:
    """What ships with FaceForge: learned from synthetic people alone, over pose, light and expression."""

    name = "embedded"

    def __init__(self, file: Path | None = None) -> None:
        self._shipped = shipped(ASSET, IdentityNetwork(), file)
        self.weights = self._shipped.sha256

    @torch.inference_mode()
    def embed(self, image: NDArray[np.uint8], face: Face) -> NDArray[np.floating[Any]]:
        """A unit vector (128,) for a face of an RGB picture (H, W, 3), the mean of it and its mirror image."""
        seen = np.array(frame(face).cut(Image.fromarray(image)))
        crop = avg_pool2d(torch.from_numpy(seen).permute(2, 0, 1)[None].float() / 255, SIDE // PIXELS)
        both = self._shipped.network(torch.cat([crop, crop.flip(3)]))
        found: NDArray[np.float32] = normalize(both.mean(0), dim=0).numpy()
        return found

    @property
    def equal_error_rate(self) -> float:
        """Of telling held-out synthetic people apart; printed beside every score."""
        return float(self._shipped.facts["equal_error_rate"])
