"""FLOPs of both sides, counted from shapes alone: nothing is computed, so full size costs seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from benchmarks.cases import AU, BATCH, Case, changes
from benchmarks.measure import counted
from benchmarks.release import ROWS, Release
from benchmarks.setup import PIXELS_PER_LATENT, TEXT_TOKENS, Latents, magicface
from faceforge import EditSpec, Forge
from faceforge.core.types import Request

TIME = torch.tensor(500)  # costs the same at every time


class Cost(NamedTuple):
    """FLOPs before the first step, and of every step: with constant strengths they all cost the same."""

    once: int
    step: int

    def after(self, steps: int) -> int:
        return self.once + steps * self.step


@dataclass(frozen=True)
class Flops:
    """Of all edits of a case; `at_least` is what has to be computed at least once."""

    release: int
    faceforge: int
    at_least: int


@torch.no_grad()
def flops(case: Case, *, size: int, steps: int, toy: bool = False) -> Flops:
    forge = _shapes_only(toy)
    return Flops(
        len(case.values) * of_release(forge, size).after(steps),
        of_faceforge(forge, case, size).after(steps),
        at_least(forge, case, size).after(steps),
    )


@torch.no_grad()
def per_row(size: int, *, toy: bool = False) -> dict[str, int]:
    """FLOPs of one row of one UNet call: as it comes, as FaceForge calls it, as the release does."""
    forge = _shapes_only(toy)
    one = Case("one branch", (1.0,), guidance=1.0)
    return {
        "plain": _plain(forge, size),
        "faceforge": of_faceforge(forge, one, size).step,
        "release": of_release(forge, size).step // ROWS,
    }


def of_release(forge: Forge, size: int) -> Cost:
    """One edit."""
    release, given = Release(forge), _latents(forge, size)
    with counted() as once:
        release.observe(given)
    with counted() as step:
        release.predict(given.noise, TIME, given, changes(1.0, given.noise))
    return Cost(once.get_total_flops(), step.get_total_flops())


def of_faceforge(forge: Forge, case: Case, size: int) -> Cost:
    """All edits of a case, in the batches of a sweep; the face is new."""
    forge.cache.clear()
    picture = torch.zeros(3, size, size)
    pictures = {"source": picture, "background": picture}
    specs = [EditSpec(aus={AU: value}, guidance=case.guidance, prompt="") for value in case.values]
    noise, once, step = _latents(forge, size).noise, 0, 0
    for start in range(0, len(specs), BATCH):
        requests = [Request(spec, pictures) for spec in specs[start : start + BATCH]]
        with counted() as both, forge.prepared(requests) as run:
            encoded = both.get_total_flops()
            run.predict(noise.repeat(len(requests), 1, 1, 1), TIME)
        once += encoded
        step += both.get_total_flops() - encoded
    return Cost(once, step)


def at_least(forge: Forge, case: Case, size: int) -> Cost:
    """Once the identity encoder, its keys and values and the text's; per row the rest of a UNet reading 2N tokens."""
    given, unet = _latents(forge, size), _plain(forge, size)
    identity: Any = forge.plugins["identity"]
    seen: Mapping[str, Tensor] = identity.observe(given.source, given.text)
    sites = [(tokens.shape[1], tokens.shape[2]) for tokens in seen.values()]
    identity_keys = sum(4 * tokens * width * width for tokens, width in sites)
    text_keys = sum(4 * TEXT_TOKENS * forge.backbone.text_width * width for _, width in sites)
    reading = sum(4 * tokens * tokens * width for tokens, width in sites)
    rows = len(case.values) * len(forge.guidance.needed(case.guidance))
    return Cost(unet + identity_keys + text_keys, rows * (unet - text_keys + reading))


def _plain(forge: Forge, size: int) -> int:
    given = _latents(forge, size)
    with counted() as one:
        forge.backbone.unet(given.noise, TIME, encoder_hidden_states=given.text)
    return one.get_total_flops()


def _latents(forge: Forge, size: int) -> Latents:
    side = size // PIXELS_PER_LATENT
    empty = torch.empty(1, forge.backbone.latent_channels, side, side, device=forge.backbone.device)
    text: Tensor = forge.backbone.text.embed("").to(empty)
    return Latents(empty, empty, text, empty)


@cache
def _shapes_only(toy: bool) -> Forge:
    return magicface(toy=toy, device="meta")
