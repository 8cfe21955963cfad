"""Objectives of the judges: how much each action unit moved, which of them set in, and who is who."""

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, log_softmax, smooth_l1_loss

from faceforge.face.embedded import landmarker
from faceforge.mer.detectors import detector
from faceforge.mer.identity import IdentityNetwork
from faceforge.mer.pairs import PairNetwork
from faceforge_training.people import UNITS

_HALF_SURE = 1.4  # FACS units of change at which a unit has set in with a probability of one half
_SHARP = 10.0  # of cosines between people


class ChangeObjective(nn.Module):
    """The change of every unit between two pictures, in FACS units; looks as the landmarker does, to begin with."""

    def __init__(self) -> None:
        super().__init__()
        self.network = PairNetwork(len(UNITS))
        self.network.look.load_state_dict(landmarker().fine.state_dict())

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        found = self.network(batch["before"], batch["after"]).float()
        return {"change": smooth_l1_loss(found, batch["change"], beta=1.0)}


def onset(change: Tensor) -> Tensor:
    """How likely a unit counts as having set in after a change in FACS units: 0 for none, then ever surer."""
    return 1 - 0.5 ** (change.clamp(min=0) / _HALF_SURE)


class OnsetObjective(nn.Module):
    """Which units set in, by flow; the network is one of `mer.detectors`."""

    def __init__(self, network: str) -> None:
        super().__init__()
        self.network = detector(network, num_classes=len(UNITS))

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        found = self.network(batch["channels"]).float()
        return {"onset": binary_cross_entropy_with_logits(found, onset(batch["change"]))}


class IdentityObjective(nn.Module):
    """Pictures of one person point the same way, others do not (supervised contrast, Khosla et al. 2020, eq. 2)."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.network = IdentityNetwork(width)

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        vectors, whose = self.network(batch["colours"]), batch["person"]
        itself = torch.eye(len(whose), dtype=torch.bool, device=whose.device)
        cosines = (_SHARP * vectors @ vectors.T).masked_fill(itself, -1e4)
        same = ((whose[:, None] == whose) & ~itself).float()
        return {"same": -(log_softmax(cosines, 1) * same).sum(1).div(same.sum(1).clamp(min=1)).mean()}
