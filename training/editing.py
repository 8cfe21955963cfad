"""Readers of edits whose outcome is known: as pictures, or as latents that an autoencoder made of them once.

The batch of a step is a function of the seed and the step alone, which is what makes resuming exact.
"""

from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from pydantic import NonNegativeInt, PositiveInt
from torch import Tensor

from faceforge.core.backbone import Backbone
from faceforge.models import load_forge
from faceforge.store.checkpoint import weights_hash
from faceforge_training.edits import EACH, PICTURES, SEEDS, edits, taken
from faceforge_training.portraits import Arrays, kept

PIXELS = 128
BLOCK = 4  # people of one file
SEEN = ("source", "target", *PICTURES)
_ODD = 0.3  # of an autoencoder's batch: pictures that no camera takes, such as warps and renders


def face_edits(
    folder: str,
    pairs: PositiveInt,
    *,
    vae: str = "",
    batch: PositiveInt = 16,
    first: NonNegativeInt = SEEDS.start,
    seed: NonNegativeInt = 0,
    pixels: PositiveInt = PIXELS,
    processes: PositiveInt = 1,
    captions: bool = False,
) -> "Edits":
    """What an editor learns from; with a `vae`, a saved model's folder, its latents are kept beside the pictures.

    Without `captions` prompts are empty, as they are when users edit.
    """
    return Edits(_found(folder, pairs, vae, first, pixels, processes), batch, seed, captions)


def face_portraits(
    folder: str,
    pairs: PositiveInt,
    *,
    vae: str = "",
    batch: PositiveInt = 16,
    first: NonNegativeInt = SEEDS.start,
    seed: NonNegativeInt = 0,
    pixels: PositiveInt = PIXELS,
    processes: PositiveInt = 1,
) -> "Captioned":
    """What text-to-face learns from: both pictures of every pair, each with its own caption and intensities."""
    return Captioned(_found(folder, pairs, vae, first, pixels, processes), batch, seed)


def face_pictures(
    folder: str,
    pairs: PositiveInt,
    *,
    batch: PositiveInt = 16,
    first: NonNegativeInt = SEEDS.start,
    seed: NonNegativeInt = 0,
    pixels: PositiveInt = PIXELS,
    processes: PositiveInt = 1,
) -> "Pictures":
    """What an autoencoder learns from: photographs, and now and then one of the pictures that are made of them."""
    return Pictures(_found(folder, pairs, "", first, pixels, processes), batch, seed)


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


@dataclass(frozen=True, eq=False)
class Edits:
    """Batches of edits."""

    known: Known
    size: int
    seed: int
    captions: bool = False

    def batch(self, step: int) -> dict[str, Any]:
        """The target as `latents` or `picture`, conditions by prefix, `aus` as changes and what was `measured`."""
        return self.rows(torch.randint(len(self.known), (self.size,), generator=_drawn(self.seed, step)))

    def rows(self, index: Tensor) -> dict[str, Any]:
        """Chosen edits."""
        known = self.known
        unknown = known.rest["unknown"][index, None].float() / 127.5 - 1
        numbers = {name: known.rest[name][index] for name in ("before", "after", "measured", "rig")}
        conditions = {k: v for name in SEEN if name != "target" for k, v in known.shown(name, index, "latent").items()}
        return {
            **_wanted(known, "target", index),
            **conditions,
            "picture.unknown": unknown.expand(-1, 3, -1, -1),
            "vector.expression": numbers["rig"],
            "aus": numbers["after"] - numbers["before"],
            "measured": numbers["measured"],
            "prompts": known.caption(index, "after") if self.captions else [""] * len(index),
        }


@dataclass(frozen=True, eq=False)
class Captioned:
    """Batches of single portraits."""

    known: Known
    size: int
    seed: int

    def batch(self, step: int) -> dict[str, Any]:
        """`latents` or `picture`, `prompts`, and `aus` as intensities: changes of a neutral face."""
        drawn = _drawn(self.seed, step)
        index = torch.randint(len(self.known), (self.size,), generator=drawn)
        first = torch.rand(self.size, generator=drawn) < 0.5
        shots = [_wanted(self.known, name, index) for name in ("source", "target")]
        aus = [self.known.rest[name][index] for name in ("before", "after")]
        said = zip(*(self.known.caption(index, when) for when in ("before", "after")), first.tolist(), strict=True)
        return {
            **{name: torch.where(first[:, None, None, None], each, shots[1][name]) for name, each in shots[0].items()},
            "aus": torch.where(first[:, None], *aus),
            "prompts": [before if chosen else after for before, after, chosen in said],
        }


@dataclass(frozen=True, eq=False)
class Pictures:
    """Batches of single pictures, half of them mirrored."""

    known: Known
    size: int
    seed: int

    def batch(self, step: int) -> dict[str, Tensor]:
        """`picture` (B, 3, n, n) in -1..1."""
        drawn = _drawn(self.seed, step)
        index = torch.randint(len(self.known), (self.size,), generator=drawn).tolist()
        draw = torch.rand(self.size, 3, generator=drawn).tolist()
        chosen = []
        for row, (odd, which, mirrored) in zip(index, draw, strict=True):
            names = SEEN[2:] if odd < _ODD else SEEN[:2]
            rows = self.known.shown(names[int(which * len(names))], torch.tensor([row]), "picture")
            picture = next(iter(rows.values()))
            chosen.append(picture.flip(3) if mirrored < 0.5 else picture)
        return {"picture": torch.cat(chosen)}


def encoded(block: Mapping[str, np.ndarray], backbone: Backbone) -> Arrays:
    """A block with its pictures as latents of half precision, not scaled."""
    found = {name: each for name, each in block.items() if name not in SEEN}
    for name in SEEN:
        pictures = torch.from_numpy(block[name]).permute(0, 3, 1, 2).float() / 127.5 - 1
        found[name] = backbone.encode_picture(pictures).half().cpu().numpy()
    return found


def _found(folder: str, pairs: int, vae: str, first: int, pixels: int, processes: int) -> Known:
    place, count = Path(folder).expanduser(), -(-pairs // (BLOCK * EACH))
    names = [f"edits-{pixels}-{first}-{number:05d}.npz" for number in range(count)]
    _draw_missing(place, names, first, pixels, processes)
    if vae:
        backbone = load_forge(vae).backbone
        made = weights_hash(backbone.vae)[:8] if backbone.vae is not None else "none"
        latents = [f"latents-{made}-{name}" for name in names]
        found = kept(place, latents, lambda number: encoded(_read(place / names[number]), backbone), pairs)
    else:
        found = kept(place, names, lambda number: _block(first, number, pixels), pairs)
    return Known.of(found)


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


def _wanted(known: Known, name: str, index: Tensor) -> dict[str, Tensor]:
    """What is to be learned: `latents`, or the `picture` they are made of."""
    (key, rows), *_ = known.shown(name, index, "latent").items()
    return {"picture" if key.startswith("picture") else "latents": rows}


def _drawn(seed: int, step: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed * 1_000_003 + step)
