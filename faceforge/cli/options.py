"""The options that edit, sweep and generate share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from pathlib import Path
from typing import Any

import click

from faceforge.aus import PRESETS
from faceforge.cli.asked import Asked
from faceforge.cli.sections import Command, option
from faceforge.cli.values import (
    amount,
    light,
    named_file,
    preset,
    read_by,
    setting,
    size,
    strength,
    two_angles,
    which_face,
)

CHANGE, LOOK, MODEL, OUTPUT = "What to change", "How to draw it", "Which model", "Output"
DTYPES = ("float32", "bfloat16", "float16")

Add = Callable[[Any], Any]
Read = Callable[[str], object]


def _one(section: str, flag: str, metavar: str, help: str, kind: Any = None, **more: Any) -> Add:
    return option(flag, metavar=metavar, help=help, type=kind, section=section, **more)


def _many(section: str, flag: str, metavar: str, read: Read | None, help: str, name: str = "") -> Add:
    names = [flag, name] if name else [flag]
    return option(
        *names, metavar=metavar, help=help, multiple=True, section=section, callback=read_by(read) if read else None
    )


def _flag(section: str, flag: str, help: str, *short: str) -> Add:
    return option(*short, flag, is_flag=True, help=help, section=section)


_SHARED = (
    _many(CHANGE, "--au", "AU=NUMBER", None, "An action unit and by how much, in FACS units; may be repeated."),
    _many(CHANGE, "--preset", "NAME[=AMOUNT]", preset, f"A mixture, added to --au: {', '.join(PRESETS)}."),
    _one(CHANGE, "--yaw", "DEGREES", "Turn the head, to the picture's right.", float),
    _one(CHANGE, "--pitch", "DEGREES", "Raise the head.", float),
    _one(CHANGE, "--roll", "DEGREES", "Lean the head, clockwise.", float),
    _one(CHANGE, "--gaze", "RIGHT[,UP]", "Turn the eyes, in degrees.", None, callback=read_by(two_angles)),
    _one(
        CHANGE,
        "--light",
        "NAME|RIGHT[,UP]",
        "A light by name (studio, window, left, top, ...), or from where it comes, in degrees from the front.",
        None,
        callback=read_by(light),
    ),
    _one(
        CHANGE,
        "--face",
        "NUMBER|all",
        "Which face, the largest being 1.  [default: 1]",
        None,
        callback=read_by(which_face),
    ),
    _one(CHANGE, "--prompt", "TEXT", "The picture in words."),
    _one(CHANGE, "--negative-prompt", "TEXT", "What it should not look like."),
    _many(CHANGE, "--measured", "AU=NUMBER", amount, "What the source shows, for plugins that want absolute numbers."),
    _many(
        CHANGE,
        "--picture",
        "NAME=FILE",
        named_file,
        "A further picture: background=room.png; expression=FILE or light=FILE takes that from another photograph.",
        "pictures",
    ),
    _many(
        CHANGE, "--vector", "NAME=FILE", named_file, "Numbers: .npy, .safetensors or .pt with one tensor.", "vectors"
    ),
    _many(CHANGE, "--set", "PLUGIN.FIELD=VALUE", setting, "A control that a plugin brings along.", "settings"),
    _many(
        CHANGE,
        "--strength",
        "PLUGIN=NUMBER",
        strength,
        "How much of a plugin, 1 being all; or a schedule, FRACTION:STRENGTH points: identity=0:1,0.5:0.",
    ),
    option(
        "--from",
        "repeat",
        type=click.Path(path_type=Path),
        metavar="PICTURE",
        section=CHANGE,
        help="Repeat a picture that FaceForge made (or its .json); options given here replace what it recorded.",
    ),
    _one(LOOK, "--seed", "NUMBER", "Same seed, same pixels.  [default: 0]", int),
    _one(LOOK, "--steps", "NUMBER", "Denoising steps.  [default: the model's]", int),
    _one(LOOK, "--guidance", "NUMBER", "How strictly to follow the wish; 1 costs half the time.", float),
    _one(LOOK, "--size", "PIXELS", "512, or 512x768 for width and height.", None, callback=read_by(size)),
    _one(LOOK, "--start", "NAME", "Which of the pictures to start from.  [default: source]"),
    _one(LOOK, "--start-at", "FRACTION", "0 starts from noise; 0.6 keeps much of that picture.", float),
    _flag(
        MODEL, "--draft", "Only move the photograph's own pixels, whatever the model: at once, and without a generator."
    ),
    _one(
        MODEL, "--model", "NAME|FOLDER|HUB_ID", "What makes the picture.  [default: warp, the photograph's own pixels]"
    ),
    _one(MODEL, "--finder", "NAME", "Who finds faces: mediapipe, embedded.  [default: the best installed]"),
    _one(MODEL, "--base", "FOLDER|HUB_ID", "Another base for a published release.", default=""),
    _many(MODEL, "--plugin", "NAME|FILE.py|FOLDER", None, "One more plugin: installed, loose or saved.", "plugins"),
    _many(MODEL, "--lora-scale", "PLUGIN=NUMBER", amount, "Another factor for a plugin's LoRA than it has."),
    _flag(MODEL, "--parity", "Reproduce the quirks of published releases."),
    _flag(MODEL, "--commercial", "Refuse weights whose owners do not allow commercial use."),
    _one(MODEL, "--device", "NAME", "Where to compute, as PyTorch calls it.  [default: the fastest]"),
    _one(MODEL, "--dtype", "|".join(DTYPES), "Precision.", click.Choice(DTYPES)),
    _flag(MODEL, "--low-memory", "Need less memory and more time; prints the peak."),
    _flag(OUTPUT, "--dry-run", "Say what would be done; load nothing, write nothing."),
    _flag(OUTPUT, "--verbose", "Say what is loaded, and let the libraries talk.", "-v"),
)


def shared(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the shared options; it receives them together as `asked`."""
    names = [field.name for field in fields(Asked)]

    @wraps(function)
    def gathered(*arguments: Any, **given: Any) -> Any:
        asked = Asked(**{name: given.pop(name) for name in names})
        return function(*arguments, asked=asked, **given)

    command: Callable[..., Any] = gathered
    for add in reversed(_SHARED):
        command = add(command)
    return command


def single_output(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command that makes one picture its `output` and `sidecar`."""
    about = "The picture to write: .png, .jpg or .webp. It carries the wish and where it came from."
    path = click.Path(path_type=Path)
    output = option("-o", "--output", required=True, type=path, metavar="FILE", section=OUTPUT, help=about)
    sidecar = option("--sidecar", is_flag=True, section=OUTPUT, help="Write the same beside it, as FILE.json.")
    command: Callable[..., Any] = output(sidecar(function))
    return command


class PictureCommand(Command):
    """A command whose help ends with the controls that installed plugins bring along."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from faceforge.store.registry import listings

        super().format_options(ctx, formatter)
        rows = [
            (f"--set {listing.name}.{name}=VALUE", control.help)
            for listing in listings()
            if listing.manifest
            for name, control in listing.manifest.controls.items()
        ]
        if rows:
            with formatter.section("Controls of installed plugins"):
                formatter.write_dl(rows)
