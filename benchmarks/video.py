"""Clips with MagicPortrait's plugins: operations against the release's arithmetic, window seams, and memory.

python benchmarks/video.py              # operations at full size from shapes alone; the rest on a miniature
python benchmarks/video.py --steps 2    # quicker
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from PIL import Image
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.measure import counted
from benchmarks.setup import PIXELS_PER_LATENT, SD15, SEED, TEXT_TOKENS, WithoutVae
from faceforge import EditSpec, Forge, Job
from faceforge.core.identity import IdentityEncoder
from faceforge.core.loop import Run
from faceforge.core.rows import Encoder, calls, mover, of_a_clip, rows_of
from faceforge.core.text import StoredText
from faceforge.core.types import Request
from faceforge.jobs import Defaults
from faceforge.store.backbones import tiny
from faceforge.testing import randomise
from faceforge.windows import RELEASED, Windows
from faceforge_plugins.magicportrait.geometry import MAPS, Geometry
from faceforge_plugins.magicportrait.motion import Motion
from faceforge_plugins.magicportrait.release import SCHEDULE

TIME = torch.tensor(500)
LENGTH = RELEASED.length
FRAMES = (23, 30)  # clips that the motion modules can see at once, which windows are compared with
CUTS = {
    "release: a loop, overlap 1, flat": RELEASED,
    "overlap 1, flat": Windows(overlap=1, blend="flat"),
    "overlap 1, ramp": Windows(overlap=1),
    "overlap 4, flat": Windows(overlap=4, blend="flat"),
    "overlap 4, ramp": Windows(overlap=4),
    "overlap 6, ramp": Windows(overlap=6),
}


def magicportrait(*, toy: bool, device: str | None = None) -> Forge:
    """A Forge with MagicPortrait's plugins on random weights; on the device 'meta' it has shapes only."""
    config = tiny(widths=(32, 64)).unet.config if toy else SD15
    torch.manual_seed(SEED)
    text = torch.randn(1, TEXT_TOKENS, config["cross_attention_dim"])
    with torch.device(device or torch.get_default_device()):
        unet = UNet2DConditionModel.from_config(config).eval().requires_grad_(False)
        backbone = WithoutVae(unet, DDIMScheduler(**SCHEDULE), StoredText({"": text}), name="random")
        plugins = [IdentityEncoder(normed=True, null="drop", scaled=True), Geometry(), Motion()]
        forge = Forge(backbone, plugins, defaults=Defaults(guidance=3.5))
    if device != "meta":
        for plugin in plugins:
            randomise(plugin, SEED)
    return forge


# Operations


class Cost(NamedTuple):
    """FLOPs of a clip: before the first step, and of every frame that a window shows in one step, both branches."""

    once: int
    frame: int


@torch.no_grad()
def of_faceforge(forge: Forge, frames: int, size: int) -> Cost:
    """Counted over one window; the portrait is new, and costs the same for any clip."""
    side = size // PIXELS_PER_LATENT
    latents = torch.empty(frames, forge.backbone.latent_channels, side, side, device=forge.device)
    portrait, maps = torch.zeros(3, size, size), torch.rand(frames, 3, size, size)
    spec = EditSpec(prompt="", guidance=3.5)
    requests = [Request(spec, {"source": portrait, **dict.fromkeys(MAPS, each)}) for each in maps]
    plugins, branches = list(forge.plugins.values()), [forge.guidance.needed(3.5)] * frames
    with counted() as both:
        rows = of_a_clip(rows_of(Encoder(forge.backbone, forge.cache), plugins, requests, branches))
        once = both.get_total_flops()
        made = calls(rows, frames, Windows(length=frames, overlap=0).over(frames))
        run = Run(forge.backbone, made, [spec] * frames, forge.guidance, torch.tensor([3.5] * frames), mover(plugins))
        run.predict(latents, TIME)
    return Cost(once, (both.get_total_flops() - once) // frames)


def of_release(forge: Forge, ours: Cost, size: int) -> Cost:
    """The release's arithmetic, from ours and the shapes of the sites that read the portrait.

    It projects the portrait's keys and values anew for every row, lets the unconditional rows read them too, throws
    that away and runs their self-attention once more without; and its identity network sees two equal rows.
    """
    identity: Any = forge.plugins["identity"]
    side = size // PIXELS_PER_LATENT
    latents = torch.empty(1, forge.backbone.latent_channels, side, side, device=forge.device)
    text = forge.backbone.text.embed("").to(latents)
    with torch.no_grad(), counted() as seen:
        sites = [tokens.shape[1:] for tokens in identity.observe(latents, text).values()]
    projecting = sum(4 * tokens * width * width for tokens, width in sites)
    reading = sum(4 * tokens * tokens * width for tokens, width in sites)
    attending = sum(8 * tokens * width * width + 4 * tokens * tokens * width for tokens, width in sites)
    frame = ours.frame + reading + 2 * projecting + attending
    return Cost(ours.once + seen.get_total_flops() - projecting, frame)


def print_operations(*, size: int, frames: int, steps: int, toy: bool) -> None:
    forge = magicportrait(toy=toy, device="meta")
    ours = of_faceforge(forge, LENGTH, size)
    theirs = of_release(forge, ours, size)
    print(f"| TFLOP, {size} px | release | FaceForge | ratio |\n|---|---|---|---|")
    _row("a frame of a window in one step, both branches", theirs.frame, ours.frame)
    _row(f"once for {LENGTH} frames: portrait and maps", theirs.once, ours.once)
    for name, cut in (("its windows", RELEASED), ("overlap 1", Windows(overlap=1)), ("the default", Windows())):
        seen = sum(len(window.items) for window in cut.over(frames))
        released = sum(len(window.items) for window in RELEASED.over(frames))
        _row(f"{frames} frames, {steps} steps, {name}", steps * released * theirs.frame, steps * seen * ours.frame)


def _row(name: str, theirs: int, ours: int) -> None:
    print(f"| {name} | {theirs / 1e12:.4g} | {ours / 1e12:.4g} | **{theirs / ours:.3f}x** |")


# Seams


class Seam(NamedTuple):
    """How a clip in windows differs from the same clip seen at once."""

    windows: int
    visits: float
    error: float  # of all latents, relative
    jump: float  # between the two frames around the worst seam, as a share of the whole clip's there
    inner: float  # the same inside of windows: the mean


def seams(forge: Forge, frames: int, *, steps: int, seeds: Sequence[int]) -> Iterator[tuple[str, Seam]]:
    """Every frame starts from the same noise and the maps move slowly, so that what jumps are the windows."""
    whole = [_denoised(forge, Windows(length=frames, overlap=0), steps, seed, frames) for seed in seeds]
    for name, cut in CUTS.items():
        windows = cut.over(frames)
        seen = [tuple(frame in window.items for window in windows) for frame in range(frames)]
        edges = torch.tensor([one != next_ for one, next_ in pairwise(seen)])
        found = [_denoised(forge, cut, steps, seed, frames) for seed in seeds]
        jumps = torch.stack([_jumps(a) / _jumps(b) for a, b in zip(found, whole, strict=True)])
        errors = [float((a - b).norm() / b.norm()) for a, b in zip(found, whole, strict=True)]
        visits = sum(len(window.items) for window in windows) / frames
        worst = float(jumps[:, edges].amax(1).mean())
        yield name, Seam(len(windows), visits, float(np.mean(errors)), worst, float(jumps[:, ~edges].mean()))


def _jumps(latents: Tensor) -> Tensor:
    return (latents[1:] - latents[:-1]).norm(dim=1)


def _denoised(forge: Forge, cut: Windows, steps: int, seed: int, frames: int, size: int = 64) -> Tensor:
    """Latents (frames, N) of a clip whose maps move from one random picture to another."""
    drawn = np.random.default_rng(seed)
    side = size // PIXELS_PER_LATENT
    noise = torch.randn(4, side, side, generator=torch.Generator().manual_seed(seed))
    source, *ends = drawn.integers(0, 256, (1 + 2 * len(MAPS), size, size, 3)).astype(float)
    jobs = []
    for share in np.linspace(0, 1, frames):
        pairs = zip(MAPS, ends[::2], ends[1::2], strict=True)
        maps = {name: _image(first * (1 - share) + last * share) for name, first, last in pairs}
        wish = {"steps": steps, "prompt": "", "size": size, "latents": noise}
        jobs.append(Job.of(_image(source), None, {"pictures": maps, **wish}))
    return torch.stack([result.latents for result in forge.animate(jobs, windows=cut)]).flatten(1)


def _image(pixels: Any) -> Image.Image:
    return Image.fromarray(pixels.round().astype(np.uint8))


def print_seams(frames: int, *, steps: int, seeds: Sequence[int]) -> None:
    print(f"\n| {frames} frames, windows of {LENGTH} | windows | visits | error | worst seam | inside |")
    print("|---" * 6 + "|")
    for name, found in seams(magicportrait(toy=True), frames, steps=steps, seeds=seeds):
        numbers = f"{found.windows} | {found.visits:.2f} | {found.error:.3f} | {found.jump:.2f} | {found.inner:.2f}"
        print(f"| {name} | {numbers} |", flush=True)


# Memory


def print_memory(lengths: Sequence[int]) -> None:
    """Each length in a process of its own, since memory is given back late."""
    print("\n| frames | most memory |\n|---|---|")
    for frames in lengths:
        command = [sys.executable, __file__, "--only-memory", str(frames)]
        print(f"| {frames} | {subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()} |")


def only_memory(frames: int) -> None:
    _denoised(magicportrait(toy=True), Windows(), 1, 0, frames)
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=6, help="of the clips that are really made")
    parser.add_argument("--seeds", type=int, default=3, help="clips per way of cutting")
    parser.add_argument("--size", type=int, default=512, help="of the operations that are counted")
    parser.add_argument("--toy", action="store_true", help="count a miniature, to see that everything is in place")
    parser.add_argument("--only-memory", type=int, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.only_memory:
        only_memory(wanted.only_memory)
        return
    print_operations(size=wanted.size, frames=100, steps=20, toy=wanted.toy)
    for frames in FRAMES:
        print_seams(frames, steps=wanted.steps, seeds=range(wanted.seeds))
    print_memory((12, 32, 256))


if __name__ == "__main__":
    main()
