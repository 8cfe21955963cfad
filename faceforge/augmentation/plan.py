"""The plan: what comes in, what is drawn, what is good enough, and how it is written; the whole of a run as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from faceforge.augmentation.conditions import Condition, Labels, fits
from faceforge.augmentation.edit import Edit, Wish
from faceforge.augmentation.samplers import Odometer, Weight
from faceforge.augmentation.strict import Strict, read_mapping
from faceforge.errors import BadSpec, nearest
from faceforge.mer.judges import judges
from faceforge.mer.preservation import embeddings
from faceforge.synth.draws import Draws

CARD = "augmentation.json"  # lies in every output, and says that what is beside it was made by a plan


class Input(Strict):
    """Where the pictures are: exactly one place."""

    folder: str | None = Field(
        default=None, description="A folder, searched deeply; metadata.jsonl files bring labels."
    )
    glob: str | None = Field(default=None, description="A pattern of files, such as 'faces/**/*.jpg'.")
    table: str | None = Field(
        default=None, description="A .csv, .jsonl or .parquet file; its other columns are labels."
    )
    shards: str | None = Field(
        default=None, description="A pattern of WebDataset .tar files; .json members bring labels."
    )
    dataset: str | None = Field(default=None, description="A folder or hub id that Hugging Face's `datasets` loads.")
    image: str = Field(default="", description="The column with pictures, of a table or dataset.  [file_name; image]")
    split: str = Field(default="train", description="Which part of a dataset.")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        places = ("folder", "glob", "table", "shards", "dataset")
        given = [name for name in places if getattr(self, name)]
        if len(given) != 1:
            raise ValueError(f"the pictures lie in one of {', '.join(places)}; given: {', '.join(given) or 'none'}.")
        return self


class Output(Strict):
    """How the edited pictures are written."""

    folder: str = Field(default="", description="Where to; -o says it on the command line.")
    layout: Literal["images", "shards", "parquet"] = Field(
        default="images", description="Pictures with metadata.jsonl, WebDataset tars, or Parquet files."
    )
    picture: Literal["png", "webp", "jpg"] = Field(default="png", description="PNG and WebP lose nothing.")
    sources: bool = Field(default=False, description="Write the unedited pictures too.")


class Gates(Strict):
    """What a variant must pass; one that does not is drawn anew."""

    identity: Annotated[float, Field(ge=-1, le=1)] | None = Field(
        default=None, description="Least cosine with the source."
    )
    fidelity: Annotated[float, Field(le=1)] | None = Field(
        default=None, description="Least share of the request that is seen: 1 is all of it, 0 as wrong as nothing."
    )
    leakage: Annotated[float, Field(ge=0)] | None = Field(
        default=None, description="Most that units nobody asked for change on average, in the judge's units."
    )
    attempts: int = Field(default=3, ge=1, le=100, description="How often a variant is drawn before it is given up.")
    measure: bool = Field(
        default=True, description="Look at every variant; without it nothing is measured and all pass."
    )
    judge: str = "intensity"
    embedding: str = "embedded"

    @model_validator(mode="after")
    def _possible(self) -> Self:
        asked = [name for name in ("identity", "fidelity", "leakage") if getattr(self, name) is not None]
        if asked and not self.measure:
            raise ValueError(f"{asked[0]!r} needs to look at every variant. Leave out 'measure: false'.")
        for what, name, known in (("judge", self.judge, judges()), ("embedding", self.embedding, embeddings())):
            if name not in known:
                raise BadSpec(f"No {what} is called {name!r}. {nearest(name, known)}")
        return self


class Rule(Strict):
    """An edit for sources whose labels are such; the first rule that fits goes over the plan's own edit."""

    labels: Condition = Field(min_length=1)
    edit: Edit


class Bin(Strict):
    """A part of the output: its share, the edit that leads there, and which sources belong to it already."""

    share: Weight
    edit: Edit = Edit()
    labels: Condition = Field(
        default={}, description="Sources with these labels count, where the output holds them too."
    )


@dataclass(frozen=True)
class Place:
    """Which variant of which source, and the how manieth attempt at it."""

    number: int
    variant: int
    attempt: int = 0


class Plan(Strict):
    """A dataset of faces made larger, the same bytes whoever carries it out."""

    input: Input | None = Field(default=None, description="Where the pictures are; not for transforms of training.")
    output: Output = Output()
    variants: int = Field(default=4, ge=1, le=10_000, description="Edited pictures of each source.")
    seed: int = Field(default=0, ge=0, lt=2**63)
    model: str = Field(default="warp", description="The editor: warp, a model by name, a folder or a hub id.")
    finder: str = Field(default="embedded", description="Who finds faces in the sources.")
    edit: Edit = Edit()
    when: tuple[Rule, ...] = ()
    targets: dict[str, Annotated[dict[str, Bin], Field(min_length=2)]] = Field(
        default={}, description="What is balanced -> bin -> its share of the output."
    )
    gates: Gates = Gates()
    block: int = Field(default=16, ge=1, le=10_000, description="Sources whose variants are written as one whole.")
    batch: int = Field(default=4, ge=1, le=256, description="Pictures that go through a network together.")
    _base: Path = PrivateAttr(default=Path())  # what relative paths start from

    @model_validator(mode="after")
    def _possible(self) -> Self:
        for name, bins in self.targets.items():
            if not sum(each.share for each in bins.values()) > 0:
                raise BadSpec(f"All shares of {name!r} are 0. Give one of them more.")
        return self

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """The plan in a .yaml or .json file; paths in it are relative to its folder."""
        return cls.of(read_mapping(path)).at(Path(path).parent)

    def at(self, base: Path) -> Self:
        """The same plan with relative paths that start from a folder."""
        moved = self.model_copy()
        moved._base = base
        return moved

    def path(self, text: str) -> Path:
        return self._base / text

    def plain(self) -> dict[str, Any]:
        """The plan as plain data, without the place that it writes to."""
        found: dict[str, Any] = self.model_dump(mode="json", exclude_defaults=True)
        found.get("output", {}).pop("folder", None)
        return {name: value for name, value in found.items() if value != {}}

    @property
    def units(self) -> tuple[str, ...]:
        """Every action unit that some variant may be asked for."""
        edits = [self.edit, *(rule.edit for rule in self.when), *(each.edit for each in self._bins())]
        return tuple(dict.fromkeys(code for edit in edits for code in edit.units))

    def edit_of(self, labels: Labels, bins: Mapping[str, str]) -> Edit:
        """The plan's edit, with what the source's labels and the variant's bins say instead."""
        found = self.edit
        rule = next((each for each in self.when if fits(labels, each.labels)), None)
        found = rule.edit.over(found) if rule else found
        for axis, name in bins.items():
            found = self.targets[axis][name].edit.over(found)
        return found

    def wish(self, key: str, labels: Labels, bins: Mapping[str, str], place: Place) -> Wish:
        """The edit of one attempt at one variant of one source, wherever and whenever it is made."""
        draws = Draws(self.seed, key, str(place.variant), str(place.attempt))
        return self.edit_of(labels, bins).draw(draws, Odometer(place.number * self.variants + place.variant))

    def chance_bins(self, draws: Draws) -> dict[str, str]:
        """Bins of a variant that is made alone, as likely as their shares."""
        return {
            axis: draws.child(axis).choice(list(bins), [each.share for each in bins.values()])
            for axis, bins in self.targets.items()
        }

    def _bins(self) -> list[Bin]:
        return [each for bins in self.targets.values() for each in bins.values()]
