"""How well a model does on people it never saw: figures against true outcomes, and pictures of them.

The first figure of each validation is the one by which the best weights are kept; higher is better.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from pydantic import NonNegativeInt, PositiveInt
from torch import Tensor

from faceforge.errors import NoFace
from faceforge.forge import Forge
from faceforge.jobs import to_image
from faceforge.mer.agreement import mean, pcc
from faceforge.mer.judges import Judge, judge
from faceforge.mer.looking import looker
from faceforge_training.autoencoder import VaeObjective
from faceforge_training.diffusion import DenoiseObjective
from faceforge_training.editing import PIXELS, Captioned, face_edits, face_portraits
from faceforge_training.edits import EACH, HELD_OUT, UNITS, Edit, edits, taken
from faceforge_training.known import DRAWN, Known
from faceforge_training.portraits import kept
from faceforge_training.sampling import again, composed, made_of, psnr, repaired, sampled, sheet

Figures = dict[str, float]


def edit_validation(
    folder: str,
    pairs: PositiveInt = 64,
    *,
    first: NonNegativeInt = HELD_OUT.start,
    pixels: PositiveInt = PIXELS,
    steps: PositiveInt = 8,
    faces: PositiveInt = 2,
    units: list[str] = list(UNITS),  # noqa: B006  read as a recipe's default, never changed
    dose: float = 3.0,
    by: str = "landmarks",
) -> "EditValidation":
    """Mixed edits of held-out people and a grid of faces x units; `by` names the judge of action units."""
    known = face_edits(folder, pairs, first=first, pixels=pixels).known
    grid = Grid.drawn(Path(folder).expanduser(), first, faces, tuple(units), dose, pixels)
    return EditValidation(known, grid, steps, judge(by))


def portrait_validation(
    folder: str,
    pairs: PositiveInt = 16,
    *,
    first: NonNegativeInt = HELD_OUT.start,
    pixels: PositiveInt = PIXELS,
    steps: PositiveInt = 8,
) -> "PortraitValidation":
    """Captions of held-out people."""
    return PortraitValidation(face_portraits(folder, pairs, first=first, pixels=pixels, batch=pairs), steps)


def vae_validation(
    folder: str, pairs: PositiveInt = 32, *, first: NonNegativeInt = HELD_OUT.start, pixels: PositiveInt = PIXELS
) -> "VaeValidation":
    """Photographs of held-out people."""
    return VaeValidation(face_edits(folder, pairs, first=first, pixels=pixels).known)


@dataclass(frozen=True, eq=False)
class Grid:
    """Every face with every unit at one dose, and how each should look."""

    known: Known
    faces: int
    units: tuple[str, ...]

    @classmethod
    def drawn(cls, folder: Path, first: int, faces: int, units: tuple[str, ...], dose: float, pixels: int) -> "Grid":
        """Drawn once into the folder; the faces are neutral and face the camera."""
        name = f"grid{DRAWN}-{pixels}-{first}-{faces}-{'.'.join(units)}-{dose:g}.npz"
        wanted = [
            Edit(before, replace(before, aus={unit: dose}))
            for before in (_facing(first + number * EACH) for number in range(faces))
            for unit in units
        ]
        return cls(Known.of(kept(folder, [name], lambda _: taken(wanted, pixels), len(wanted))), faces, units)


@dataclass(frozen=True, eq=False)
class EditValidation:
    """Edits against the pictures that they should have been."""

    known: Known
    grid: Grid
    steps: int
    judge: Judge

    def __call__(self, objective: DenoiseObjective, pictures: Path) -> Figures:
        return self.of(objective.forge, pictures)

    def of(self, forge: Forge, pictures: Path) -> Figures:
        """A model's figures; its edits are drawn into a folder."""
        made = sampled(forge, self.known, self.steps)
        shown = {name: each.permute(0, 3, 1, 2).float() / 127.5 - 1 for name, each in self.known.seen.items()}
        target, face = shown["target"], self.known.rest["face"] > 127
        unknown = face & (self.known.rest["unknown"] > 127)
        found = {name: psnr(each, target, face) for name, each in (("edit", made), *shown.items())}
        hidden = {name: psnr(each, target, unknown) for name, each in (("edit", made), ("warp", shown["warp"]))}
        share = self.known.rest["unknown"][:, None].float() / 255
        whole = composed(made, shown["warp"], again(forge.backbone, shown["warp"]), share)
        gain = found["edit"] - found["warp"]
        self._draw(pictures, made, shown, gain, sampled(forge, self.grid.known, self.steps))
        return {
            "face_psnr": _mean(found["edit"]),
            "over_source": _mean(found["edit"] - found["source"]),
            "over_warp": _mean(gain),
            "unknown_over_warp": _mean(hidden["edit"] - hidden["warp"]),
            "repaired_over_warp": _mean(psnr(repaired(made, shown["warp"], share), target, face) - found["warp"]),
            "composed_over_warp": _mean(psnr(whole, target, face) - found["warp"]),
            "ceiling": _mean(psnr(again(forge.backbone, target), target, face)),
            **judged(self.judge, self.known, made),
        }

    def _draw(self, folder: Path, made: Tensor, shown: Mapping[str, Tensor], gain: Tensor, grid: Tensor) -> None:
        """Best, median and worst edits (source, warp, edit, outcome), and the grid with its outcomes below."""
        order = gain.nan_to_num(0).argsort(descending=True).tolist()
        middle = len(order) // 2
        chosen = dict.fromkeys((*order[:2], *order[middle : middle + 2], *order[-2:]))
        rows = [[shown["source"][n], shown["warp"][n], made[n], shown["target"][n]] for n in chosen]
        sheet(rows, folder / "edits.png")
        truth = self.grid.known.seen["target"].permute(0, 3, 1, 2).float() / 127.5 - 1
        width = len(self.grid.units)
        parts = [part for n in range(self.grid.faces) for part in (grid, truth) for part in [part[n * width :][:width]]]
        sheet([list(part) for part in parts], folder / "grid.png")


@dataclass(frozen=True, eq=False)
class PortraitValidation:
    """Faces from captions: how well noise is told apart on held-out pictures, and how many show a face."""

    captioned: Captioned
    steps: int

    def __call__(self, objective: DenoiseObjective, pictures: Path) -> Figures:
        forge, batch = objective.forge, self.captioned.batch(0)
        torch.manual_seed(0)
        with torch.no_grad():
            loss = float(objective(batch)["denoise"])
        made = made_of(forge, {name: batch[name] for name in ("prompts", "aus")}, self.steps)
        sheet([list(made[n : n + 4]) for n in range(0, len(made), 4)], pictures / "portraits.png")
        return {"minus_loss": -loss, "faces": float(np.mean([_has_face(each) for each in made]))}


@dataclass(frozen=True, eq=False)
class VaeValidation:
    """Photographs through the autoencoder and back."""

    known: Known

    def __call__(self, objective: VaeObjective, pictures: Path) -> Figures:
        target = self.known.seen["target"].permute(0, 3, 1, 2).float() / 127.5 - 1
        made = again(objective.forge.backbone, target)
        sheet([[one, other] for one, other in zip(target[:4], made[:4], strict=True)], pictures / "again.png")
        face = self.known.rest["face"] > 127
        return {"face_psnr": _mean(psnr(made, target, face)), "psnr": _mean(psnr(made, target, face | True))}


def judged(by: Judge, known: Known, made: Tensor) -> Figures:
    """Correlation of asked and seen changes over edits, the mean of all units, and the share that showed a face."""
    order = [UNITS.index(code) for code in by.codes if code in UNITS]
    asked = (known.rest["after"] - known.rest["before"])[:, order].double().numpy()
    seen = np.full(asked.shape, np.nan)
    for row, picture in enumerate(made):
        source = Image.fromarray(known.seen["source"][row].numpy())
        try:
            change = by.delta(source, to_image(picture))
        except NoFace:
            continue
        seen[row] = [each for code, each in zip(by.codes, change, strict=True) if code in UNITS]
    correlation: NDArray[np.float64] = pcc(asked, seen)
    return {"au_pcc": float(mean(correlation)), "faces": float((~np.isnan(seen).any(1)).mean())}


def _facing(seed: int) -> Any:
    """A sitting without expression, turned to the camera."""
    straight = dict.fromkeys(("yaw_deg", "pitch_deg", "roll_deg", "gaze_yaw_deg", "gaze_pitch_deg"), 0.0)
    return replace(edits(seed)[0].before, aus={}, occluder=None, **straight)


def _has_face(picture: Tensor) -> bool:
    try:
        looker().look(to_image(picture))
    except NoFace:
        return False
    return True


def _mean(values: Tensor) -> float:
    return float(values.nanmean())
