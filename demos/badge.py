"""A badge that everybody sees, whatever becomes of a file's metadata."""

from __future__ import annotations

from dataclasses import replace

from PIL import Image, ImageDraw, ImageFont

from faceforge.result import Result

_SHARE = 1 / 28  # of the shorter side: the height of the letters
_LEAST = 10


def badged(result: Result) -> Result:
    """The same with its label in the lower right corner, in eight bits and without transparency."""
    assert result.image is not None, "a model without pictures is refused"
    label = str(result.provenance["label"])
    return replace(
        result, image=_drawn(result.image, label), own=None, provenance={**result.provenance, "badge": label}
    )


def _drawn(image: Image.Image, label: str) -> Image.Image:
    size = max(_LEAST, round(min(image.size) * _SHARE))
    font, room = ImageFont.load_default(size=size), size // 2
    right, bottom = image.width - room, image.height - room
    left, top = round(right - font.getlength(label) - 2 * room), bottom - size - 2 * room
    shade = Image.new("L", image.size, 0)
    ImageDraw.Draw(shade).rounded_rectangle((left, top, right, bottom), room, fill=170)
    drawn = Image.composite(Image.new("RGB", image.size), image.convert("RGB"), shade)
    middle = ((left + right) / 2, (top + bottom) / 2)
    ImageDraw.Draw(drawn).text(middle, label, (255, 255, 255), font, anchor="mm")
    return drawn
