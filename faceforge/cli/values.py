"""How the texts of options are read: AU12=2, identity=0:1,0.5:0, 512x768, -3:3:1."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from faceforge.errors import BadSpec

Value = TypeVar("Value")
Strength = float | tuple[tuple[float, float], ...]

MOST_VALUES = 200


def read_by(read: Callable[[str], object]) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """A click callback that reads an option's text, or each text of a repeated one, and refuses it in one line."""

    def callback(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
        try:
            if isinstance(value, tuple):
                return tuple(read(each) for each in value)
            return None if value is None else read(value)
        except ValueError as error:
            raise click.BadParameter(str(error), context, parameter) from None

    return callback


def amount(text: str) -> tuple[str, float]:
    """
    >>> amount("AU12=2")
    ('AU12', 2.0)
    """
    name, value = _pair(text, "AU12=2")
    return name, _number(value)


def preset(text: str) -> tuple[str, float]:
    """
    >>> preset("surprise"), preset("surprise=0.5")
    (('surprise', 1.0), ('surprise', 0.5))
    """
    return amount(text) if "=" in text else (text, 1.0)


def strength(text: str) -> tuple[str, Strength]:
    """A constant, or a schedule as FRACTION:STRENGTH points.

    >>> strength("identity=0.5"), strength("identity=0:1,0.5:0")
    (('identity', 0.5), ('identity', ((0.0, 1.0), (0.5, 0.0))))
    """
    name, value = _pair(text, "identity=0.5 or identity=0:1,0.5:0")
    if ":" not in value:
        return name, _number(value)
    points = [point.partition(":") for point in value.split(",")]
    return name, tuple((_number(fraction), _number(level)) for fraction, _, level in points)


def setting(text: str) -> tuple[str, str, str]:
    """
    >>> setting("glow.colour=warm")
    ('glow', 'colour', 'warm')
    """
    target, value = _pair(text, "PLUGIN.FIELD=VALUE")
    plugin, dot, field = target.partition(".")
    if not (plugin and dot and field):
        raise ValueError(
            f"{text!r} names no field. Write PLUGIN.FIELD=VALUE; `faceforge plugins info PLUGIN` lists them."
        )
    return plugin, field, value


def named_file(text: str) -> tuple[str, Path]:
    """
    >>> named_file("background=room.png")[0]
    'background'
    """
    name, value = _pair(text, "background=room.png")
    return name, Path(value)


def size(text: str) -> int | tuple[int, int]:
    """
    >>> size("512"), size("512x768")
    (512, (512, 768))
    """
    width, cross, height = text.lower().partition("x")
    try:
        return (int(width), int(height)) if cross else int(width)
    except ValueError:
        raise ValueError(f"{text!r} is not a size. Write 512, or 512x768 for width and height.") from None


def two_angles(text: str) -> tuple[float, float]:
    """
    >>> two_angles("20,-5"), two_angles("20")
    ((20.0, -5.0), (20.0, 0.0))
    """
    across, _, up = text.partition(",")
    return _number(across), _number(up or "0")


def light(text: str) -> str | tuple[float, float]:
    """A preset, or degrees to the picture's right and up.

    >>> light("window"), light("-60,20")
    ('window', (-60.0, 20.0))
    """
    return two_angles(text) if text.lstrip("+-")[:1].isdigit() else text


def which_face(text: str) -> int | str:
    """
    >>> which_face("2"), which_face("all")
    (2, 'all')
    """
    if text != "all" and not text.isdigit():
        raise ValueError(f"{text!r} is not a face. Write 1 for the largest, 2 for the next, or all.")
    return text if text == "all" else int(text)


def intensities(text: str) -> tuple[float, ...]:
    """A list, or FIRST:LAST:STEP with both ends included.

    >>> intensities("0,1.5"), intensities("-1:1:1"), intensities("2:0:-1")
    ((0.0, 1.5), (-1.0, 0.0, 1.0), (2.0, 1.0, 0.0))
    """
    if ":" not in text:
        return tuple(_number(each) for each in text.split(","))
    parts = [_number(each) for each in text.split(":")]
    if len(parts) > 3:
        raise ValueError(f"{text!r} is not FIRST:LAST:STEP, such as -3:3:1.")
    first, last, step = (*parts, 1.0)[:3]
    count = (last - first) / step if step else -1.0
    if not 0 <= count < MOST_VALUES:
        raise ValueError(f"{text!r} gives no value, or more than {MOST_VALUES}. Write FIRST:LAST:STEP, such as -3:3:1.")
    return tuple(round(first + number * step, 9) for number in range(int(count + 1e-9) + 1))


def once(pairs: Iterable[tuple[str, Value]], where: str) -> dict[str, Value]:
    """Pairs as a dict; a name given twice is refused, because only one of the two could be meant."""
    found: dict[str, Value] = {}
    for name, value in pairs:
        if name in found:
            raise BadSpec(f"{where} names {name!r} twice. Keep one.")
        found[name] = value
    return found


def _pair(text: str, example: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not (name.strip() and sign and value.strip()):
        raise ValueError(f"{text!r} has no name and value. Write for example {example}.")
    return name.strip(), value.strip()


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number.") from None
