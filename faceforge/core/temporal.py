"""Time: rows that follow one another as frames, the windows a clip is seen through, and motion modules between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from diffusers import UNet2DConditionModel
from torch import Tensor, nn


class Window(NamedTuple):
    """Items of a batch that one UNet call sees as consecutive frames, and what each counts where windows overlap."""

    items: tuple[int, ...]
    weights: tuple[float, ...]


def consecutive(items: int, frames: int) -> list[Window]:
    """Clips of so many frames each, one after the other; with one frame every item stands alone."""
    clips = [tuple(range(start, min(start + frames, items))) for start in range(0, items, frames)]
    return [Window(clip, (1.0,) * len(clip)) for clip in clips]


class Temporal(nn.Module):
    """A module per motion site, called with (rows, C, h, w) and `num_frames`, as diffusers' own motion modules are.

    `longest` is how many consecutive frames they can tell apart.
    """

    def __init__(self, sites: nn.ModuleDict, *, longest: int) -> None:
        super().__init__()
        self.sites = sites
        self.longest = longest


@dataclass(frozen=True)
class Motion:
    """Motion modules in one UNet call, whose rows are windows of `frames`; `weight` (rows,) where strength is not 1."""

    temporal: Temporal
    frames: int
    weight: Tensor | None = None

    def after(self, site: str, hidden: Tensor) -> Tensor:
        """What goes on from a site (rows, C, h, w): in between, the module's own change counts as its strength says."""
        moved: Tensor = self.temporal.sites[site.replace(".", "/")](hidden, num_frames=self.frames)
        if self.weight is None:
            return moved
        return hidden + self.weight.to(hidden).view(-1, 1, 1, 1) * (moved - hidden)


def motion_sites(unet: UNet2DConditionModel) -> dict[str, int]:
    """Where time may enter, with widths: after each layer of a block, its attention where it has one."""
    found = {}
    for path, block in unet.named_modules():
        kind = "attentions" if getattr(block, "attentions", None) else "resnets"
        for number in range(len(getattr(block, kind, ()))):
            found[f"{path}.{kind}.{number}"] = int(block.resnets[number].out_channels)
    return found
