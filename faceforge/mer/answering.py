"""Who says what a clip shows without being trained for it: a judge, or a detector with published weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import torch

from faceforge.errors import BadSpec, BadWeights
from faceforge.io.files import sha256
from faceforge.io.pictures import read_picture
from faceforge.mer.corpora.clips import Clip
from faceforge.mer.corpora.emotions import CLASSES
from faceforge.mer.corpora.flow import channels
from faceforge.mer.detectors.published import Published, published
from faceforge.mer.judges import Judge
from faceforge.mer.protocols import UNITS

_WEIGHTS = (".safetensors", ".pth", ".pt")


class Answerer(Protocol):
    """Answers of one kind: a logit for each code. A unit is present above 0; the class is the highest."""

    codes: Sequence[str]
    about: Mapping[str, Any]  # what the result says of who answered

    def answer(self, clip: Clip) -> list[float]: ...


class Judged:
    """What a judge sees set in between onset and apex, (12,): what is above the least change that it counts."""

    codes: Sequence[str] = UNITS

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        unseen = [unit for unit in UNITS if unit not in judge.codes]
        self.about: Mapping[str, Any] = {"judge": asdict(judge.facts), "units_never_seen": unseen}

    def answer(self, clip: Clip) -> list[float]:
        onset, apex = (read_picture(file).image for file in clip.pair)
        found = dict(zip(self.judge.codes, self.judge.delta(onset, apex), strict=True))
        return [float(found.get(unit, 0.0)) - self.judge.facts.least for unit in self.codes]


class Detected:
    """What a network with published weights sees in a flow picture, (3,).

    Weights are one file, or a folder with one for each subject that is left out, called as the subject's folder is.
    """

    codes: Sequence[str] = CLASSES

    def __init__(self, name: str, weights: Path) -> None:
        self.name, self.weights = name, weights
        files = sorted(each for each in weights.glob("*") if each.suffix in _WEIGHTS) if weights.is_dir() else [weights]
        if not files:
            raise BadWeights(f"{str(weights)!r} holds no weights ({', '.join(_WEIGHTS)}). Give the published files.")
        self._files = {file.stem: file for file in files}
        self._network = lru_cache(maxsize=2)(self._read)
        self._network(files[0])  # what does not fit is refused before anything is asked
        hashes = {file.name: sha256(file) for file in files}
        self.about: Mapping[str, Any] = {"detector": name, "weights": hashes, "per_subject": weights.is_dir()}

    def answer(self, clip: Clip) -> list[float]:
        seen = torch.from_numpy(channels(clip)).float()[None]
        with torch.inference_mode():
            return [float(each) for each in self._network(self._file(clip))(seen)[0]]

    def _file(self, clip: Clip) -> Path:
        if not self.weights.is_dir():
            return self.weights
        folder = clip.frames[0].parents[2].name
        if folder not in self._files:
            raise BadWeights(
                f"{str(self.weights)!r} has no weights for {folder!r}. Add {folder}.pth, or give one file."
            )
        return self._files[folder]

    def _read(self, file: Path) -> Published:
        return published(self.name, file, num_classes=len(self.codes))


def check_fits(answerer: Answerer, protocol: str, corpora: Sequence[str]) -> None:
    """Refuse who cannot answer what a protocol asks about these corpora."""
    if isinstance(answerer, Detected) and set(corpora) != {"flow"}:
        raise BadSpec(f"A detector reads flow pictures (corpus flow), not {', '.join(corpora)}. Use a judge for these.")
    if isinstance(answerer, Judged) and protocol == "megc2019":
        raise BadSpec("MEGC2019 asks for classes, a judge names action units. Use --detector with the corpus flow.")
    if isinstance(answerer, Judged) and (uncoded := sorted({"flow", "smic"} & set(corpora))):
        raise BadSpec(f"A judge names action units, and {', '.join(uncoded)} has none coded. Leave it out.")
