"""Side by side on the same random weights: the releases' arithmetic, and FaceForge with MagicFace's plugins."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # waiting threads would count as processor time; set before torch
sys.path.insert(0, str(Path(__file__).parents[1]))  # a script has only its own folder on the path

import torch

from benchmarks.cases import GUIDED, IDLE, Case, by_faceforge, by_release, sweep_of
from benchmarks.flops import Flops, flops, per_row
from benchmarks.measure import Compared, compared
from benchmarks.release import Release
from benchmarks.setup import Latents, Scene, magicface
from faceforge import Forge
from faceforge.core.device import best_device, peak_memory

TOLERANCE = 1e-4  # of the largest value, in float32
REACHED = 0.9  # of what a sweep has to compute at least, as a share of what FaceForge computes
COUNTED_SIZES = (256, 512)
TOY_SIZES = (64, 128)

EXAMPLES = """
what it prints
  counted    FLOPs of one row of a UNet call, and of whole edits of --edit-steps steps, from shapes alone
  memory     the peak of each side, in a process of its own
  measured   both sides in turns on this machine: 1.25x says that the release takes 1.25 times as long,
             by the clock (median and range over --repeats pairs) and in processor time; beside it the same
             ratio in FLOPs at this size and number of steps, and the most that it could be

examples
  python benchmarks/denoiser.py --toy                            a miniature: is everything in place? (a minute)
  python benchmarks/denoiser.py --json cpu.json                  SD-1.5 size at 256 px on a CPU (half an hour)
  python benchmarks/denoiser.py --size 512 --steps 50 --compile  SD-1.5 size on a GPU

The exit code is 1 if the two sides differ by more than 1e-4 of the largest value in float32, or if more than a tenth
of what FaceForge computes in an edit could be left out.
"""


@dataclass(frozen=True)
class Setting:
    """One way to run the denoiser, reached from the one before it; both sides run on the weights it leaves."""

    name: str
    prepare: Callable[[Forge], object]
    tolerance: float = TOLERANCE
    compiled: bool = False


PLAIN = Setting("float32", lambda forge: None)
CHANNELS_LAST = Setting("channels_last", lambda forge: forge.optimize(channels_last=True))
BFLOAT16 = Setting("bfloat16", lambda forge: forge.optimize(dtype=torch.bfloat16), tolerance=float("inf"))
COMPILED = Setting("compiled", lambda forge: forge.optimize(dtype=torch.float32, compile=True), compiled=True)


@dataclass(frozen=True)
class Row:
    """One line of the measured table."""

    setting: str
    case: str
    compared: Compared
    flops: Flops
    agrees: bool

    def __str__(self) -> str:
        found = self.compared
        theirs, ours = (median(each.clock for each in side) for side in (found.release, found.faceforge))
        ratio = f"**{median(found.ratios):.2f}x** ({min(found.ratios):.2f} to {max(found.ratios):.2f})"
        times = f"{theirs:.2f} s | {ours:.2f} s | {ratio} | {found.processor_ratio:.2f}x"
        return f"| {self.setting} | {self.case} | {times} | {ratios(self.flops)} | {found.difference:.1e} |"


def main() -> int:
    wanted = arguments()
    shown = f"{wanted.size} px, {wanted.steps} steps, {wanted.repeats} repeats" + ", toy" * wanted.toy
    print(f"{machine()}\nbenchmarks/denoiser.py: {shown}\n")
    cases = [GUIDED, IDLE, sweep_of(wanted.edits)]
    report: dict[str, Any] = {"machine": machine(), "asked": vars(wanted)}
    report["per_row"] = print_rows(wanted.sizes, toy=wanted.toy)
    report["edits"] = print_edits(cases, wanted.sizes, steps=wanted.edit_steps, toy=wanted.toy)
    report["memory"] = print_memory([GUIDED, cases[-1]], size=wanted.size, toy=wanted.toy)
    rows = list(print_measured(cases, wanted))
    report["measured"] = [asdict(row) for row in rows]
    if wanted.json:
        wanted.json.write_text(json.dumps(report, indent=1, default=str))
    failures = [
        f"{row.setting}, {row.case}: the sides differ by more than {TOLERANCE:g} of the largest value."
        for row in rows
        if not row.agrees
    ]
    failures += [
        f"{each['case']} at {each['size']} px: {each['at_least'] / each['faceforge']:.2f} of the work is needed."
        for each in report["edits"]
        if each["at_least"] < REACHED * each["faceforge"]
    ]
    print(*failures, sep="\n")
    return int(bool(failures))


def print_rows(sizes: Sequence[int], *, toy: bool) -> dict[int, object]:
    print("| one row of a UNet call | plain UNet | release | FaceForge | ratio |\n|---|---|---|---|---|")
    found: dict[int, object] = {}
    for size in sizes:
        found[size] = row = per_row(size, toy=toy)
        plain, theirs, ours = (f"{row[name] / 1e9:.4g} GFLOP" for name in ("plain", "release", "faceforge"))
        print(f"| {size} px | {plain} | {theirs} | {ours} | **{row['release'] / row['faceforge']:.3f}x** |")
    return found


def print_edits(cases: Sequence[Case], sizes: Sequence[int], *, steps: int, toy: bool) -> list[dict[str, Any]]:
    print(f"\n| {steps} steps | release | FaceForge | at least | ratio | at most | needed of FaceForge's |")
    print("|---|---|---|---|---|---|---|")
    found: list[dict[str, Any]] = []
    for size in sizes:
        for case in cases:
            one = flops(case, size=size, steps=steps, toy=toy)
            found.append({"size": size, "case": case.name, **asdict(one)})
            theirs, ours, least = (f"{each / 1e12:.4g} TFLOP" for each in (one.release, one.faceforge, one.at_least))
            needed = f"{one.at_least / one.faceforge:.3f}"
            print(f"| {case.name}, {size} px | {theirs} | {ours} | {least} | {ratios(one)} | {needed} |", flush=True)
    return found


def ratios(one: Flops) -> str:
    """How much more the release computes than FaceForge does, and than has to be."""
    return f"**{one.release / one.faceforge:.3f}x** | {one.release / one.at_least:.3f}x"


def print_memory(cases: Sequence[Case], *, size: int, toy: bool) -> list[object]:
    print("\n| memory | weights | release, peak beyond them | FaceForge, peak beyond them |\n|---|---|---|---|")
    found: list[object] = []
    for case in cases:
        one = partial(peak, case=case, size=size, toy=toy)
        theirs, ours = (in_its_own_process(partial(one, side)) for side in ("release", "faceforge"))
        found.append({"case": case.name, "release": theirs, "faceforge": ours})
        weights, release, faceforge = (f"{each / 1e9:.2f} GB" for each in (ours[0], theirs[1], ours[1]))
        print(f"| {case.name} | {weights} | {release} | {faceforge} |", flush=True)
    return found


def print_measured(cases: Sequence[Case], wanted: argparse.Namespace) -> Iterator[Row]:
    print("\n| setting | case | release | FaceForge | ratio (range) | processor time | FLOPs | at most | difference |")
    print("|---|---|---|---|---|---|---|---|---|")
    forge, scene = magicface(toy=wanted.toy, device=best_device()), Scene.random(wanted.size)
    for setting in [PLAIN, CHANNELS_LAST, BFLOAT16, *([COMPILED] if wanted.compile else [])]:
        setting.prepare(forge)
        release, given = Release(forge), Latents.of(scene, forge.backbone)
        if setting.compiled:
            release.denoiser.compile()
        for case in cases if setting is PLAIN else cases[:2]:
            theirs, ours = partial(by_release, release, given, case), partial(by_faceforge, forge, scene, case)
            theirs(1), ours(1)  # the first call of a kind allocates, hashes and compiles
            found = compared(partial(theirs, wanted.steps), partial(ours, wanted.steps), wanted.repeats)
            counted = flops(case, size=wanted.size, steps=wanted.steps, toy=wanted.toy)
            row = Row(setting.name, case.name, found, counted, found.difference <= setting.tolerance)
            print(row, flush=True)
            yield row


def peak(side: str, *, case: Case, size: int, toy: bool) -> tuple[int, int]:
    """Bytes of the weights, and the most held beyond them during one step per edit."""
    device = best_device()
    forge, scene = magicface(toy=toy, device=device), Scene.random(size)
    release, given = Release(forge), Latents.of(scene, forge.backbone)
    before = peak_memory(device)
    if side == "release":
        by_release(release, given, case, 1)
    else:
        by_faceforge(forge, scene, case, 1)
    parts = [forge.backbone.unet, *forge.plugins.values()]
    weights = sum(each.numel() * each.element_size() for part in parts for each in part.parameters())
    return weights, peak_memory(device) - before


def in_its_own_process(run: Callable[[], tuple[int, int]]) -> tuple[int, int]:
    """Used before this process holds weights: on Linux a child's peak begins at its parent's."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(run).result()


def machine() -> str:
    name = torch.get_device_module().get_device_name() if torch.accelerator.is_available() else processor()
    return f"{name}, {torch.get_num_threads()} threads, torch {torch.__version__}"


def processor() -> str:
    """The model of the CPU, where Linux tells it."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.is_file() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "CPU")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=256, help="side of the picture where times are measured (256)")
    parser.add_argument("--steps", type=int, default=2, help="denoising steps of a measured edit (2)")
    parser.add_argument("--repeats", type=int, default=3, help="pairs of which the median is taken (3)")
    parser.add_argument("--edits", type=int, default=16, help="edits in the sweep (16)")
    parser.add_argument("--edit-steps", type=int, default=50, help="denoising steps of a counted edit (50)")
    parser.add_argument("--toy", action="store_true", help="a miniature network instead of SD-1.5 size")
    parser.add_argument("--compile", action="store_true", help="also under torch.compile, which takes minutes")
    parser.add_argument("--json", type=Path, help="write all figures to this file too")
    wanted = parser.parse_args()
    wanted.sizes = TOY_SIZES if wanted.toy else COUNTED_SIZES
    return wanted


if __name__ == "__main__":
    sys.exit(main())
