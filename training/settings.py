"""Recipes: TOML read into dataclasses, and refused with the nearest valid name before anything runs."""

import inspect
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    TypeAdapter,
    ValidationError,
    create_model,
)

from faceforge.errors import nearest
from faceforge_training.errors import BadRecipe
from faceforge_training.parts import OBJECTIVES, READERS, VALIDATIONS

Share = Annotated[float, Field(ge=0, lt=1)]


@dataclass(frozen=True)
class Optim:
    """How weights are changed, for how long."""

    lr: PositiveFloat
    steps: PositiveInt
    warmup: PositiveInt = 100  # steps
    weight_decay: NonNegativeFloat = 0.01
    clip: PositiveFloat = 1.0  # of the norm of all gradients together
    average: Share = 0.999  # of the averaged weights, what a step keeps
    accumulate: PositiveInt = 1  # batches whose gradients are summed up in a step
    kind: Literal["adamw", "adamw-8bit"] = "adamw"


@dataclass(frozen=True)
class Run:
    """What changes how a training runs, but not what is learned."""

    seed: int = 0
    precision: Literal["no", "bf16", "fp16"] = "no"  # as accelerate calls them
    workers: NonNegativeInt = 0  # processes that read
    save_every: PositiveInt = 500  # steps
    log_every: PositiveInt = 50
    validate_every: PositiveInt = 1000
    start: str = ""  # weights of an earlier training to begin with, a file or a run's folder


@dataclass(frozen=True)
class Recipe:
    """One model's training, all names and values checked."""

    name: str
    objective: Mapping[str, Any]  # name = one of OBJECTIVES, and its arguments
    data: Mapping[str, Any]  # reader = one of READERS, and its arguments
    optim: Optim
    run: Run = field(default_factory=Run)
    validation: Mapping[str, Any] = field(default_factory=dict)  # name = one of VALIDATIONS, and its arguments

    @property
    def learned(self) -> str:
        """Everything that the weights depend on, as text: two recipes with equal texts may share a checkpoint."""
        defaults = {each.name: each.default for each in fields(Optim)}
        optim = {name: value for name, value in vars(self.optim).items() if value != defaults[name]}
        return repr((self.objective, self.data, optim, self.run.seed, self.run.precision, self.run.start))

    def build(self) -> tuple[Any, Any, Any]:
        """The objective, its reader, and who validates, if anybody does."""
        objective, data, validation = dict(self.objective), dict(self.data), dict(self.validation)
        return (
            OBJECTIVES[objective.pop("name")](**objective),
            READERS[data.pop("reader")](**data),
            VALIDATIONS[validation.pop("name")](**validation) if validation else None,
        )


def recipes() -> list[str]:
    """The names of the recipes that ship."""
    shipped = (each.name for each in (files("faceforge_training") / "recipes").iterdir())
    return sorted(name.removesuffix(".toml") for name in shipped if name.endswith(".toml"))


def read(recipe: str | Path, changes: Sequence[str] = ()) -> Recipe:
    """A recipe by name or path; changes are texts such as `optim.lr=1e-4`."""
    name, text = _text(recipe)
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as reason:
        raise BadRecipe(f"{str(recipe)!r} is not TOML: {reason}. Correct that line.") from reason
    for change in changes:
        _change(table, change)
    return _checked(name, table)


def _text(recipe: str | Path) -> tuple[str, str]:
    path = Path(recipe)
    if path.suffix == ".toml":
        try:
            return path.stem, path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as reason:
            raise BadRecipe(f"The recipe {str(recipe)!r} cannot be read ({reason}). Check its path.") from reason
    if str(recipe) not in recipes():
        raise BadRecipe(f"No recipe is called {str(recipe)!r}. {nearest(str(recipe), recipes())}")
    return str(recipe), (files("faceforge_training") / "recipes" / f"{recipe}.toml").read_text(encoding="utf-8")


def _change(table: dict[str, Any], change: str) -> None:
    """Set one value; text that is no TOML value is taken as it is."""
    path, equals, text = change.partition("=")
    *outer, last = path.strip().split(".")
    if not equals or not last:
        raise BadRecipe(f"--set {change!r} is not NAME=VALUE. Write it like optim.lr=1e-4.")
    for name in outer:
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise BadRecipe(f"--set {change!r}: {name!r} is a value, not a table. Set it itself.")
    try:
        table[last] = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        table[last] = text


def _checked(name: str, table: dict[str, Any]) -> Recipe:
    known = ("objective", "data", "optim", "run", "validation")
    for key in table:
        if key not in known:
            raise BadRecipe(f"The recipe {name!r} has no setting {key!r}. {nearest(key, known)}")
    return Recipe(
        name=name,
        objective=_named(name, "objective", "name", OBJECTIVES, table),
        data=_named(name, "data", "reader", READERS, table),
        optim=_filled(name, "optim", Optim, table),
        run=_filled(name, "run", Run, table),
        validation=_named(name, "validation", "name", VALIDATIONS, table) if "validation" in table else {},
    )


def _named(
    name: str, section: str, key: str, known: Mapping[str, Callable[..., Any]], table: Mapping[str, Any]
) -> dict[str, Any]:
    """A section that chooses one of several makers, with its arguments."""
    given = _section(name, section, table)
    chosen = given.get(key)
    if not isinstance(chosen, str) or chosen not in known:
        raise BadRecipe(f"{name!r}: {section}.{key}={chosen!r} is not known. {nearest(str(chosen), known)}")
    rest = {each: value for each, value in given.items() if each != key}
    return {key: chosen, **_validated(f"{name!r}: {section}", known[chosen], rest)}


def _filled(name: str, section: str, kind: type[Any], table: Mapping[str, Any]) -> Any:
    return kind(**_validated(f"{name!r}: {section}", kind, _section(name, section, table)))


def _section(name: str, section: str, table: Mapping[str, Any]) -> Mapping[str, Any]:
    given = table.get(section, {})
    if not isinstance(given, Mapping):
        raise BadRecipe(f"{name!r}: {section}={given!r} is not a table. Write [{section}] and its settings under it.")
    return given


def _validated(where: str, maker: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as the maker's signature wants them; what it does not know, lacks or cannot use is refused."""
    wanted = inspect.signature(maker).parameters
    for key in given:
        if key not in wanted:
            raise BadRecipe(f"{where} has no setting {key!r}. {nearest(key, wanted)}")
    fields: Any = {
        key: (each.annotation, ... if each.default is each.empty else each.default) for key, each in wanted.items()
    }
    model = create_model("Settings", __config__=ConfigDict(strict=True), **fields)
    try:
        checked: Any = TypeAdapter(model).validate_python(dict(given))
    except ValidationError as reason:
        first = reason.errors()[0]
        setting = ".".join(str(part) for part in first["loc"])
        raise BadRecipe(
            f"{where}.{setting}={first['input']!r} cannot be used: {first['msg'].lower()}. Correct it in the recipe, "
            f"or by --set."
        ) from reason
    return {key: getattr(checked, key) for key in given}
