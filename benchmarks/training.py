"""A training step of the objective `denoise` against the loop that diffusers' examples write, on the same weights."""

from __future__ import annotations

import argparse
import copy
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # waiting threads would count as processor time; set before torch
sys.path.insert(0, str(Path(__file__).parents[1]))  # a script has only its own folder on the path

import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler
from torch import Tensor

from benchmarks.measure import Compared, compared
from faceforge_training.assembling import BUILDERS
from faceforge_training.diffusion import DenoiseObjective

CAPTION = "a portrait of an old man with short hair, smiling"

EXAMPLES = """
Both sides train text-to-face from latents: caption to tokens, noise, the network, squared error, gradients, AdamW. The
plain one embeds all captions at once and knows no plugins, no dropping of conditions and no recipe.

  python benchmarks/training.py --toy               a miniature: is everything in place?
  python benchmarks/training.py --backbone mini     forge-mini's size
"""


@dataclass
class Plain:
    """The stock parts in a loop of their own."""

    unet: Any
    text: Any
    scheduler: DDPMScheduler
    optimizer: torch.optim.Optimizer

    @classmethod
    def of(cls, objective: DenoiseObjective) -> Plain:
        """A copy of an objective's network, so that neither side trains the other's."""
        parts = objective.forge.backbone
        unet = copy.deepcopy(parts.unet)
        scheduler = DDPMScheduler.from_config(parts.scheduler.config)
        return cls(unet, parts.text, scheduler, torch.optim.AdamW(unet.parameters(), lr=1e-4))

    def step(self, batch: dict[str, Any]) -> Tensor:
        latents = batch["latents"]
        noise = torch.randn(latents.shape)
        times = torch.randint(0, self.scheduler.config.num_train_timesteps, (len(latents),))
        tokenizer = self.text.tokenizer
        words: Any = {"padding": "max_length", "max_length": tokenizer.model_max_length, "return_tensors": "pt"}
        context = self.text.model(tokenizer(batch["prompts"], truncation=True, **words).input_ids)[0]
        noisy = self.scheduler.add_noise(latents, noise, times)
        loss = F.mse_loss(self.unet(noisy, times, encoder_hidden_states=context).sample, noise)
        return _learned(loss, self.optimizer)


def ours(objective: DenoiseObjective) -> Any:
    learned = [each for each in objective.parameters() if each.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=1e-4)
    return lambda batch: _learned(objective(batch)["denoise"], optimizer)


def measured(backbone: str, rows: int, repeats: int) -> Compared:
    """Both sides in turns; they see the same latents, noise and times, so their losses are equal at every step."""
    torch.manual_seed(0)
    objective = DenoiseObjective(backbone, train=["unet"])
    scale = objective.forge.backbone.latent_scale
    plain, own, batch = Plain.of(objective), ours(objective), batch_for(backbone, rows)
    scaled = {**batch, "latents": batch["latents"] * scale}

    def seeded(step: Any, given: dict[str, Any]) -> Tensor:
        torch.manual_seed(1)
        found: Tensor = step(given)
        return found

    for step, given in ((plain.step, scaled), (own, batch)):
        seeded(step, given)  # the first one allocates
    return compared(lambda: seeded(plain.step, scaled), lambda: seeded(own, batch), repeats)


def batch_for(backbone: str, rows: int) -> dict[str, Any]:
    parts = BUILDERS[backbone]()
    side = parts.size // parts.factor
    return {"latents": torch.randn(rows, parts.latent_channels, side, side), "prompts": [CAPTION] * rows}


def loading(folder: Path, rows: int) -> float:
    """Seconds of processor time that the reader of edits takes for a batch of latents, or of pictures without any."""
    from faceforge_training.editing import face_edits

    reader = face_edits(str(folder), 16, batch=rows)
    began = time.process_time()
    for step in range(10):
        reader.batch(step)
    return (time.process_time() - began) / 10


def _learned(loss: Tensor, optimizer: torch.optim.Optimizer) -> Tensor:
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.detach()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--backbone", default="mini", choices=list(BUILDERS), help="whose size (mini)")
    parser.add_argument("--rows", type=int, default=16, help="of a batch (16)")
    parser.add_argument("--repeats", type=int, default=5, help="steps of each side (5)")
    parser.add_argument("--data", type=Path, help="a folder of drawn edits, to time its reader as well")
    parser.add_argument("--toy", action="store_true", help="the miniature, two rows, two repeats")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    backbone, rows, repeats = ("tiny", 2, 2) if asked.toy else (asked.backbone, asked.rows, asked.repeats)
    found = measured(backbone, rows, repeats)
    sides = (("plain", found.release), ("faceforge", found.faceforge))
    seconds = {name: median(each.processor for each in side) for name, side in sides}
    for name, each in seconds.items():
        print(f"{name:10} {each:.3f} s a step, {rows / each:.1f} pictures a second (processor time)")
    print(f"ratio      {found.processor_ratio:.2f}x; losses differ by {found.difference:.1e}")
    if asked.data:
        share = loading(asked.data, rows) / seconds["faceforge"]
        print(f"reading    {100 * share:.1f} % of a step")
    return int(found.difference > 1e-3)


if __name__ == "__main__":
    sys.exit(main())
