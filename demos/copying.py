"""An edit as a line for the shell, and as lines of Python: both make the very same file again."""

from __future__ import annotations

import shlex
from pathlib import Path

from faceforge.spec import EditSpec

_OPTIONS = {"yaw_deg": "--yaw", "pitch_deg": "--pitch", "roll_deg": "--roll"}
_KNOWN = {*_OPTIONS, "aus", "gaze_yaw_deg", "gaze_pitch_deg", "light", "face"}


def output_name(source: str | None) -> str:
    """What the edited picture of a source is called; None is the sample."""
    return f"{Path(source or 'sample').stem}-edited.png"


def as_command(spec: EditSpec, source: str | None) -> str:
    """What to type beside the source; without one, the command edits the same sample."""
    said = ["faceforge", "edit", *([] if source is None else [_path(source)])]
    for code, value in spec.aus.items():
        said += ["--au", f"{code}={_plain(value)}"]
    for field, option in _OPTIONS.items():
        if getattr(spec, field):
            said += [option, _plain(getattr(spec, field))]
    if spec.gaze_yaw_deg or spec.gaze_pitch_deg:
        said += ["--gaze", f"{_plain(spec.gaze_yaw_deg)},{_plain(spec.gaze_pitch_deg)}"]
    if spec.light is not None:
        said += ["--light", spec.light if isinstance(spec.light, str) else ",".join(map(_plain, spec.light))]
    if spec.face != 1:
        said += ["--face", str(spec.face)]
    return shlex.join([*said, "-o", _path(output_name(source))])


def as_python(spec: EditSpec, source: str | None) -> str:
    """A script that does the same; it needs nothing but FaceForge."""
    fields = "".join(f", {name}={value!r}" for name, value in spec.model_dump(exclude_defaults=True).items())
    lines = ["import faceforge as ff", ""]
    if source is None:
        lines[:0] = ["from pathlib import Path", ""]
        lines.append('photograph = Path(ff.__file__).with_name("assets") / "sample.png"')
    else:
        lines.append(f"photograph = {source!r}")
    lines += [f"result = ff.load().edit(photograph{fields})", f"result.save({output_name(source)!r})"]
    return "\n".join(lines)


def unsayable(spec: EditSpec) -> set[str]:
    """Fields of a wish that `as_command` would leave out."""
    return set(spec.model_dump(exclude_defaults=True)) - _KNOWN


def _path(name: str) -> str:
    return f"./{name}" if name.startswith("-") else name


def _plain(value: float) -> str:
    """
    >>> _plain(2.0), _plain(-0.375)
    ('2', '-0.375')
    """
    return repr(float(value)).removesuffix(".0")
