"""An edit as a line for the shell, and as lines of Python: both make the very same file again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from faceforge.loading import WARP
from faceforge.spec import EditSpec

_OPTIONS = {
    "yaw_deg": "--yaw",
    "pitch_deg": "--pitch",
    "roll_deg": "--roll",
    "prompt": "--prompt",
    "negative_prompt": "--negative-prompt",
    "seed": "--seed",
    "steps": "--steps",
    "guidance": "--guidance",
    "face": "--face",
}
_KNOWN = {*_OPTIONS, "aus", "gaze_yaw_deg", "gaze_pitch_deg", "light", "strength", "controls"}
NEW_FACE = "generated.png"


def output_name(source: str | None) -> str:
    """What the edited picture of a source is called; None is the sample."""
    return f"{Path(source or 'sample').stem}-edited.png"


def as_command(spec: EditSpec, source: str | None, model: str = WARP) -> str:
    """What to type beside the source; without one, the command edits the same sample."""
    pictures = [] if source is None else [_path(source)]
    return shlex.join(["faceforge", "edit", *pictures, *_said(spec, model), "-o", _path(output_name(source))])


def as_generate_command(spec: EditSpec, model: str) -> str:
    """What to type for a new face."""
    return shlex.join(["faceforge", "generate", *_said(spec, model), "-o", NEW_FACE])


def as_sweep_command(spec: EditSpec, source: str | None, model: str, rows: tuple[str, ...], values: str) -> str:
    """What to type for a contact sheet; `values` as its option takes them."""
    pictures = [] if source is None else [_path(source)]
    varied = [part for unit in rows for part in ("--au", unit)]
    output = _path(sheet_name(source))
    return shlex.join(
        ["faceforge", "sweep", *pictures, *varied, *_said(spec, model), f"--values={values}", "-o", output]
    )


def sheet_name(source: str | None) -> str:
    return f"{Path(source or 'sample').stem}-sweep.png"


def as_python(spec: EditSpec, source: str | None, model: str = WARP) -> str:
    """A script that does the same; it needs nothing but FaceForge."""
    lines = ["import faceforge as ff", ""]
    if source is None:
        lines[:0] = ["from pathlib import Path", ""]
        lines.append('photograph = Path(ff.__file__).with_name("assets") / "sample.png"')
    else:
        lines.append(f"photograph = {source!r}")
    lines += [
        f"result = {_loaded(model)}.edit(photograph{_fields(spec)})",
        f"result.save({output_name(source)!r})",
    ]
    return "\n".join(lines)


def as_generate_python(spec: EditSpec, model: str) -> str:
    fields = _fields(spec).removeprefix(", ")
    return f"import faceforge as ff\n\nresult = {_loaded(model)}.generate({fields})\nresult.save({NEW_FACE!r})"


def unsayable(spec: EditSpec) -> set[str]:
    """Fields of a wish that `as_command` would leave out."""
    return set(spec.model_dump(exclude_defaults=True)) - _KNOWN


def _said(spec: EditSpec, model: str) -> Iterator[str]:
    """Options for everything a wish says."""
    if model != WARP:
        yield from ("--model", model)
    for code, value in spec.aus.items():
        yield from ("--au", f"{code}={_plain(value)}")
    given = spec.model_dump(exclude_defaults=True)
    for field, option in _OPTIONS.items():
        if field in given:
            yield f"{option}={given[field]}" if isinstance(given[field], str) else option
            if not isinstance(given[field], str):
                yield _plain(given[field])
    if spec.gaze_yaw_deg or spec.gaze_pitch_deg:
        yield from ("--gaze", f"{_plain(spec.gaze_yaw_deg)},{_plain(spec.gaze_pitch_deg)}")
    if spec.light is not None:
        yield from ("--light", spec.light if isinstance(spec.light, str) else ",".join(map(_plain, spec.light)))
    for plugin, strength in spec.strength.items():
        assert isinstance(strength, float), "a schedule has no widget"
        yield from ("--strength", f"{plugin}={_plain(strength)}")
    for plugin, controls in spec.controls.items():
        for name, setting in controls.items():
            yield from ("--set", f"{plugin}.{name}={setting}")


def _loaded(model: str) -> str:
    return "ff.load()" if model == WARP else f"ff.load({model!r})"


def _fields(spec: EditSpec) -> str:
    return "".join(f", {name}={value!r}" for name, value in spec.model_dump(exclude_defaults=True).items())


def _path(name: str) -> str:
    return f"./{name}" if name.startswith("-") else name


def _plain(value: float) -> str:
    """
    >>> _plain(2.0), _plain(-0.375)
    ('2', '-0.375')
    """
    return repr(float(value)).removesuffix(".0")
