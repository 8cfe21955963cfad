"""Models of a moment, with what is hard to resume about big ones: noise drawn in the objective, a decaying rate."""

import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from faceforge_training import parts
from faceforge_training.loop import train
from faceforge_training.settings import read

PIXELS = 64


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


class Edits:
    """Noise in the place of edits."""

    def __init__(self, batch: int = 2) -> None:
        self.rows = batch

    def batch(self, step: int) -> dict[str, Any]:
        drawn = torch.Generator().manual_seed(step)

        def some(*shape: int) -> torch.Tensor:
            return torch.rand(self.rows, *shape, generator=drawn) * 2 - 1

        latent = {f"latent.{name}": some(4, 8, 8) for name in ("source", "background", "warp")}
        return {
            **latent,
            "latents": some(4, 8, 8),
            "picture": some(3, PIXELS, PIXELS),
            "picture.unknown": some(3, PIXELS, PIXELS),
            "aus": 3 * some(12),
            "measured": some(12).abs(),
            "prompts": ["a portrait of an old man, smiling"] * self.rows,
        }


def known() -> None:
    parts.OBJECTIVES["small"], parts.READERS["rows"], parts.READERS["noise"] = Denoiser, Rows, Edits


RECIPE = """
objective = { name = "small" }
data = { reader = "rows" }
optim = { lr = 1e-2, steps = 60, warmup = 5 }
run = { save_every = 7, log_every = 10 }
"""

EDITOR = """
objective = { name = "denoise", backbone = "tiny", train = ["unet", "text", "plugins"], drop = 0.3, plugins = [
  { name = "identity" }, { name = "attributes" }, { name = "warp" }, { name = "magicface" },
] }
data = { reader = "noise" }
optim = { lr = 1e-2, steps = 3, warmup = 1, average = 0.0 }
"""

if __name__ == "__main__":
    known()
    train(read(sys.argv[1], sys.argv[3:]), Path(sys.argv[2]))
