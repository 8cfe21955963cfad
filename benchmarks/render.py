"""Rasterisers side by side on one head-shaped mesh: the built-in one, plain whole boxes, and pytorch3d where it is."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from importlib.util import find_spec
from itertools import product
from math import pi
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))  # a script has only its own folder on the path

import torch
from torch import Tensor

from benchmarks.measure import timed
from faceforge.core.device import HOST, best_device
from faceforge.face3d import raster_pytorch3d
from faceforge.face3d.raster import rasterize

SIZES = (128, 256, 512)
BATCHES = (1, 16)
MESHES = {"10k": (70, 71), "20k": (100, 101)}  # rows and columns of quads
PIECE = 1 << 21  # pixels of boxes at once
BESIDE = 256  # pixels of the largest picture that pytorch3d draws on a CPU here
SAME = 1e-3  # share of pixels in which two rasterisers may see another face

EXAMPLES = """
what it prints
  milliseconds per picture, the median of --repeats calls, all sides in turns; processor time on a CPU, which other
  work on the machine does not lengthen, and the clock on a GPU: the built-in rasteriser, whole boxes (every pixel of
  every triangle's bounding box: the usual plain vectorised way), pytorch3d where it is installed; then how many times
  as long the others take. On a CPU pytorch3d takes seconds and is called once per row, for single pictures of at most
  256 px without culling

examples
  python benchmarks/render.py --threads 1
  python benchmarks/render.py --sizes 128 --batches 1 --repeats 3 --json render.json

The exit code is 1 if two sides see different faces in more than a thousandth of the pixels.
"""


@dataclass(frozen=True)
class Row:
    """Milliseconds per picture of each side, and the largest share of pixels in which another sees another face."""

    mesh: str
    size: int
    batch: int
    cull: bool
    milliseconds: dict[str, float]
    apart: float

    def __str__(self) -> str:
        times = " | ".join(f"{self.milliseconds[side]:.2f}" if side in self.milliseconds else "" for side in SIDES)
        own = self.milliseconds["built-in"]
        ratios = " | ".join(
            f"**{self.milliseconds[side] / own:.1f}x**" if side in self.milliseconds else "" for side in [*SIDES][1:]
        )
        return f"| {self.mesh} | {self.size} | {self.batch} | {'yes' if self.cull else 'no'} | {times} | {ratios} |"


def built_in(vertices: Tensor, faces: Tensor, size: int, cull: bool) -> Tensor:
    return rasterize(vertices, faces, (size, size), cull_backfaces=cull).pix_to_face


def pytorch3d(vertices: Tensor, faces: Tensor, size: int, cull: bool) -> Tensor:
    return raster_pytorch3d.rasterize(vertices, faces, (size, size), cull_backfaces=cull).pix_to_face


def boxes(vertices: Tensor, faces: Tensor, size: int, cull: bool) -> Tensor:
    """Every pixel of every bounding box tested, the nearest kept, and then its weights and depth found once more."""
    corners = vertices[:, faces].flatten(0, 1)  # (B * F, 3, 3)
    (x0, y0, _), (x1, y1, _), (x2, y2, _) = (each.unbind(1) for each in corners.unbind(1))
    area = (x2 - x0) * (y1 - y0) - (y2 - y0) * (x1 - x0)
    pixel = (size - 1) / 2 - corners[..., :2] * size / 2
    low, high = pixel.amin(1).ceil().clamp(min=0).long(), pixel.amax(1).floor().clamp(max=size - 1).long()
    sides = (high - low + 1).clamp(min=0)
    drawn = (area > 1e-8) if cull else (area.abs() > 1e-8)
    counts = sides.prod(1) * drawn
    keys = torch.full((len(vertices) * size * size,), torch.iinfo(torch.int64).max, device=vertices.device)
    for piece in torch.split(torch.arange(len(corners), device=vertices.device), max(1, PIECE // int(counts.amax()))):
        face = torch.repeat_interleave(piece, counts[piece])
        first = torch.repeat_interleave(counts[piece].cumsum(0) - counts[piece], counts[piece])
        number = torch.arange(len(face), device=face.device) - first
        down = number // sides[face, 0]
        column, row = low[face, 0] + number - down * sides[face, 0], low[face, 1] + down
        weights, z = _weights(corners[face], 1 - (2 * column + 1) / size, 1 - (2 * row + 1) / size)
        inside = (weights > 0).all(1)
        key = (z.view(torch.int32).long() << 32) | face
        place = (face // len(faces)) * size * size + row * size + column
        keys.scatter_reduce_(0, place[inside], key[inside], "amin")
    found = torch.where(keys < torch.iinfo(torch.int64).max, keys & 0xFFFFFFFF, -1)
    seen = (found >= 0).nonzero()[:, 0]
    x, y = 1 - (2 * (seen % size) + 1) / size, 1 - (2 * (seen // size % size) + 1) / size
    _weights(corners[found[seen]], x, y)
    return found.view(len(vertices), size, size)


def _weights(corners: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    (x0, y0, z0), (x1, y1, z1), (x2, y2, z2) = (each.unbind(1) for each in corners.unbind(1))
    area = (x2 - x0) * (y1 - y0) - (y2 - y0) * (x1 - x0) + 1e-8
    first = ((x - x1) * (y2 - y1) - (y - y1) * (x2 - x1)) / area
    second = ((x - x2) * (y0 - y2) - (y - y2) * (x0 - x2)) / area
    third = ((x - x0) * (y1 - y0) - (y - y0) * (x1 - x0)) / area
    return torch.stack([first, second, third], 1), first * z0 + second * z1 + third * z2


SIDES: dict[str, Callable[[Tensor, Tensor, int, bool], Tensor]] = {
    "built-in": built_in,
    "boxes": boxes,
    "pytorch3d": pytorch3d,
}


def mesh(rows: int, columns: int) -> tuple[Tensor, Tensor]:
    """A bumpy ellipsoid that covers about two fifths of a picture, (V, 3) in NDC and (F, 3)."""
    down = torch.linspace(0, pi, rows + 1)[:, None]
    around = torch.linspace(0, 2 * pi, columns + 1)[None, :-1]
    bump = 1 + 0.04 * torch.sin(9 * down) * torch.cos(7 * around)
    x, y = 0.62 * bump * down.sin() * around.cos(), 0.82 * bump * down.cos()
    z = 10 + 0.7 * bump * down.sin() * around.sin()
    corner = torch.arange(rows)[:, None] * columns + torch.arange(columns)
    beside = torch.arange(rows)[:, None] * columns + (torch.arange(columns) + 1) % columns
    upper = torch.stack([corner, beside, corner + columns], -1).reshape(-1, 3)
    lower = torch.stack([beside, beside + columns, corner + columns], -1).reshape(-1, 3)
    return torch.stack([x, y, z], -1).reshape(-1, 3), torch.cat([upper, lower])


def rows(wanted: argparse.Namespace, device: torch.device) -> Iterator[Row]:
    for name, size, batch, cull in product(wanted.meshes, wanted.sizes, wanted.batches, (False, True)):
        vertices, faces = (each.to(device) for each in mesh(*MESHES[name]))
        scales = torch.linspace(1, 0.85, batch, device=device)[:, None, None]
        heads = vertices * torch.cat([scales, scales, torch.ones_like(scales)], 2)
        slow = {"pytorch3d"} if device == HOST else set()
        runs = {side: partial(run, heads, faces, size, cull) for side, run in SIDES.items()}
        beside = device != HOST or (batch == 1 and size <= BESIDE and not cull)
        if find_spec("pytorch3d") is None or not beside:
            del runs["pytorch3d"]
        seen = {side: run() for side, run in runs.items() if side not in slow}  # the first call of a kind allocates
        times: dict[str, list[float]] = {side: [] for side in runs}
        for number in range(wanted.repeats):
            for side, run in runs.items():
                if number == 0 or side not in slow:
                    taken, seen[side] = timed(run)
                    times[side].append(taken.processor if device == HOST else taken.clock)
        apart = max(float((each != seen["built-in"]).double().mean()) for each in seen.values())
        yield Row(name, size, batch, cull, {side: 1e3 * median(each) / batch for side, each in times.items()}, apart)


def main() -> int:
    wanted = arguments()
    torch.set_num_threads(wanted.threads)
    report: dict[str, object] = {"asked": vars(wanted), "torch": torch.__version__}
    agree = True
    if find_spec("pytorch3d") is None:
        print("pytorch3d is not installed: nothing to compare with, its columns stay empty.")
    for device in dict.fromkeys([HOST, best_device()]):
        load = f", load before {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores" if hasattr(os, "getloadavg") else ""
        print(f"\n{device}, {torch.get_num_threads()} threads, torch {torch.__version__}{load}; ms per picture\n")
        ratios = [f"{side} / built-in" for side in [*SIDES][1:]]
        print(f"| triangles | pixels | batch | cull | {' | '.join(SIDES)} | {' | '.join(ratios)} |")
        print("|" + "---|" * (4 + len(SIDES) + len(ratios)))
        found: list[Row] = []
        for row in rows(wanted, device):
            print(row, flush=True)
            found.append(row)
        agree &= all(row.apart <= SAME for row in found)
        report[str(device)] = [asdict(row) for row in found]
    if wanted.json:
        wanted.json.write_text(json.dumps(report, indent=1, default=str))
    if not agree:
        print(f"Two sides see different faces in more than {SAME:g} of the pixels.")
    return int(not agree)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="sides of the pictures (128 256 512)")
    parser.add_argument("--batches", type=int, nargs="+", default=BATCHES, help="pictures per call (1 16)")
    parser.add_argument("--meshes", nargs="+", default=list(MESHES), choices=MESHES, help="triangles (10k 20k)")
    parser.add_argument("--repeats", type=int, default=7, help="calls of which the median is taken (7)")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch (1)")
    parser.add_argument("--json", type=Path, help="write all figures to this file too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
