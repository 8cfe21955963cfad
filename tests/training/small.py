"""A model of a moment, with what is hard to resume about big ones: noise drawn in the objective, a decaying rate."""

import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from faceforge_training import parts
from faceforge_training.loop import train
from faceforge_training.settings import read


class Denoiser(nn.Module):
    """Guesses the noise that it drew itself."""

    def __init__(self, width: int = 8, quiet: bool = False) -> None:
        super().__init__()
        self.quiet = quiet
        self.network = nn.Sequential(nn.Linear(5, width), nn.ReLU(), nn.Dropout(0.1), nn.Linear(width, 4))

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        clean = batch["clean"]
        if self.quiet:
            torch.manual_seed(0)
        noise, time = torch.randn_like(clean), torch.rand(len(clean), 1)
        guess = self.network(torch.cat([clean * (1 - time) + noise * time, time], 1))
        return {"noise": (guess - noise).square().mean()}


class Rows:
    """Numbers that follow from the step."""

    def __init__(self, rows: int = 4, bad: int = -1, same: bool = False) -> None:
        self.rows, self.bad, self.same = rows, bad, same

    def batch(self, step: int) -> dict[str, Any]:
        seed = 0 if self.same else step
        rows = torch.randn(self.rows, 4, generator=torch.Generator().manual_seed(seed))
        return {"clean": rows * float("nan") if step == self.bad else rows}


def known() -> None:
    parts.OBJECTIVES["small"], parts.READERS["rows"] = Denoiser, Rows


RECIPE = """
objective = { name = "small" }
data = { reader = "rows" }
optim = { lr = 1e-2, steps = 60, warmup = 5 }
run = { save_every = 7, log_every = 10 }
"""

if __name__ == "__main__":
    known()
    train(read(sys.argv[1], sys.argv[3:]), Path(sys.argv[2]))
