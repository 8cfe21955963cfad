"""Objectives of the embedded face finder: which cells hold a face, and where its points are."""

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, log_softmax, smooth_l1_loss

from faceforge.face.networks import FaceMap, PointMaps, read_maps

_WIDTH = 1.0  # cells: the spread of the hill that each point's map should show
_SURE = 0.25  # of the spread of errors, in crops, below which a distance counts squared
_SCALE = 60.0  # makes distances in crops as large as the logarithms beside them


class FaceObjective(nn.Module):
    """Cells answer whether a face is centred there, and those of a face how far its middle is and how large it is."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.network = FaceMap(width)

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        answer, face = self.network(batch["grey"]).float(), batch["face"]
        known, here = (face >= 0).float(), (face > 0).float()
        each = binary_cross_entropy_with_logits(answer[:, 0], here, reduction="none")
        hard = (torch.sigmoid(answer[:, 0].detach()) - here).abs()  # easy cells are nearly all of them
        apart = smooth_l1_loss(answer[:, 1:], batch["where"], reduction="none", beta=0.3).mean(1)
        cells = here.sum().clamp(min=1)
        return {"face": (each * hard * known).sum() / cells, "where": (apart * here).sum() / cells}


class PointObjective(nn.Module):
    """Each point's map is a hill where the point is; of crops without a face all maps are flat."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.network = PointMaps(width)

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        maps, points, present = self.network(batch["grey"]).float(), batch["points"], batch["present"]
        inside = ((points > 0) & (points < 1)).all(-1).float()
        wanted = _hills(points, maps.shape[-1])
        flat = torch.full_like(wanted, 1 / wanted[0, 0].numel())
        wanted = torch.where(present[:, None, None, None] > 0, wanted, flat)
        shared = -(wanted * log_softmax(maps.flatten(2), -1).unflatten(2, maps.shape[2:])).sum((2, 3))
        counted = torch.maximum(inside, 1 - present[:, None])
        here = inside * present[:, None]
        apart = smooth_l1_loss(_SCALE * read_maps(maps)[0], _SCALE * points, reduction="none", beta=_SURE).sum(-1)
        return {
            "map": (shared * counted).sum() / counted.sum().clamp(min=1),
            "point": (apart * here).sum() / here.sum().clamp(min=1),
        }


def _hills(points: Tensor, cells: int) -> Tensor:
    """Normal densities about points (B, N, 2), one map each (B, N, cells, cells) that adds up to 1."""
    place = torch.arange(cells, device=points.device) + 0.5
    across, down = ((-((place - cells * points[..., axis, None]) ** 2)) / (2 * _WIDTH**2) for axis in (0, 1))
    return across.softmax(-1)[:, :, None] * down.softmax(-1)[..., None]
