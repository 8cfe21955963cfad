"""Edits whose outcome is known, drawn once and kept: as pictures, and as latents that an autoencoder made of them."""

from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from faceforge.core.backbone import Backbone
from faceforge.models import load_forge
from faceforge.store.checkpoint import weights_hash
from faceforge_training.edits import EACH, PICTURES, edits, taken
from faceforge_training.portraits import Arrays, kept

BLOCK = 4  # people of one file
SEEN = ("source", "target", *PICTURES)
DRAWN = 3  # what was drawn in another way must not be taken for this: count up with every change


@dataclass(frozen=True, eq=False)
class Known:
    """N edits: `seen` by name as pictures (N, n, n, 3) uint8 or as latents (N, C, h, w), masks, numbers, captions."""

    seen: Mapping[str, Tensor]
    rest: Mapping[str, Tensor]

    @classmethod
    def of(cls, found: Mapping[str, Tensor]) -> "Known":
        """What blocks hold."""
        seen = {name: each for name, each in found.items() if name in SEEN}
        return cls(seen, {name: each for name, each in found.items() if name not in SEEN})

    def __len__(self) -> int:
        return len(self.rest["after"])

    def shown(self, name: str, index: Tensor, kind: Literal["picture", "latent"]) -> dict[str, Tensor]:
        """Some rows of what is seen, under the key that the objective reads."""
        rows = self.seen[name][index]
        if rows.dtype == torch.uint8:
            return {f"picture.{name}": rows.permute(0, 3, 1, 2).float() / 127.5 - 1}
        return {f"{kind}.{name}": rows.float()}

    def caption(self, index: Tensor, when: str) -> list[str]:
        return [bytes(row.tolist()).decode(errors="ignore").strip() for row in self.rest[f"caption_{when}"][index]]


def known_edits(folder: str, pairs: int, vae: str, first: int, pixels: int, processes: int) -> Known:
    """The first `pairs` of a folder as pictures, or as latents of a saved model's `vae`; what is missing is drawn."""
    place, count = Path(folder).expanduser(), -(-pairs // (BLOCK * EACH))
    names = [f"edits{DRAWN}-{pixels}-{first}-{number:05d}.npz" for number in range(count)]
    _draw_missing(place, names, first, pixels, processes)
    if vae:
        backbone = load_forge(vae).backbone
        latents = [f"latents-{_encoder(backbone)}-{name}" for name in names]
        found = kept(place, latents, lambda number: encoded(_read(place / names[number]), backbone), pairs)
    else:
        found = kept(place, names, lambda number: _block(first, number, pixels), pairs)
    return Known.of(found)


def encoded(block: Mapping[str, np.ndarray], backbone: Backbone) -> Arrays:
    """A block with its pictures as latents of half precision, not scaled."""
    found = {name: each for name, each in block.items() if name not in SEEN}
    for name in SEEN:
        pictures = torch.from_numpy(block[name]).permute(0, 3, 1, 2).float() / 127.5 - 1
        found[name] = backbone.encode_picture(pictures).half().cpu().numpy()
    return found


def _encoder(backbone: Backbone) -> str:
    """What latents depend on: a decoder may go on learning."""
    vae = backbone.vae
    parts = [] if vae is None else [vae.encoder, vae.quant_conv]
    return "".join(weights_hash(each)[:6] for each in parts if each is not None)


def _draw_missing(folder: Path, names: list[str], first: int, pixels: int, processes: int) -> None:
    """Draw the blocks that are not there yet, several at once where there are processors."""
    missing = [number for number, name in enumerate(names) if not (folder / name).exists()]
    if processes == 1 or len(missing) < 2:
        for number in missing:
            _draw(folder, names[number], first, number, pixels)
        return
    with ProcessPoolExecutor(processes, get_context("spawn"), torch.set_num_threads, (1,)) as pool:
        jobs = [pool.submit(_draw, folder, names[number], first, number, pixels) for number in missing]
        for job in jobs:
            job.result()


def _draw(folder: Path, name: str, first: int, number: int, pixels: int) -> None:
    kept(folder, [name], lambda _: _block(first, number, pixels), 1)


def _block(first: int, number: int, pixels: int) -> Arrays:
    people = range(first + number * BLOCK * EACH, first + (number + 1) * BLOCK * EACH, EACH)
    return taken([pair for person in people for pair in edits(person)], pixels)


def _read(file: Path) -> Arrays:
    with np.load(file, allow_pickle=False) as held:
        return {name: held[name] for name in held.files}
