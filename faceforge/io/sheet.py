"""A contact sheet: one row per action unit, one column per intensity, every axis labelled."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont, ImageOps

PAPER, INK, FAINT = (255, 255, 255), (30, 30, 30), (120, 120, 120)
GAP = 4


class Sheet:
    """Pictures in rows and columns; each is shrunk when it is placed, so that a large sheet needs little memory."""

    def __init__(self, rows: Sequence[tuple[str, str]], columns: Sequence[str], cell: int) -> None:
        text = max(11, cell // 11)
        self._font = ImageFont.load_default(size=text)
        self._small = ImageFont.load_default(size=max(9, text * 3 // 4))
        self._cell = cell
        self._left = max(self._widest([title for title, _ in rows], [about for _, about in rows]) + 3 * GAP, 40)
        self._top = 2 * text + GAP
        size = self._left + len(columns) * (cell + GAP), self._top + len(rows) * (cell + GAP)
        self.image = Image.new("RGB", size, PAPER)
        self._draw = ImageDraw.Draw(self.image)
        for number, title in enumerate(columns):
            self._draw.text((self._x(number) + cell / 2, self._top / 2), title, INK, self._font, anchor="mm")
        for number, (title, about) in enumerate(rows):
            middle = self._y(number) + cell / 2
            self._draw.text((GAP, middle), title, INK, self._font, anchor="ls")
            self._draw.multiline_text((GAP, middle + GAP), _wrapped(about), FAINT, self._small)

    def place(self, row: int, column: int, picture: Image.Image, caption: str = "") -> None:
        """Put one picture into its cell, whole and centred, with a few words over its lower edge."""
        fitted = ImageOps.contain(picture, (self._cell, self._cell), Image.Resampling.LANCZOS)
        left = self._x(column) + (self._cell - fitted.width) // 2
        self.image.paste(fitted, (left, self._y(row) + (self._cell - fitted.height) // 2))
        at = self._x(column) + self._cell / 2, self._y(row) + self._cell - GAP
        self._draw.text(at, caption, INK, self._small, anchor="mb", stroke_width=2, stroke_fill=PAPER)

    def _x(self, column: int) -> int:
        return self._left + column * (self._cell + GAP)

    def _y(self, row: int) -> int:
        return self._top + row * (self._cell + GAP)

    def _widest(self, titles: Sequence[str], abouts: Sequence[str]) -> int:
        lines = [line for about in abouts for line in _wrapped(about).splitlines()]
        widths = [self._font.getlength(title) for title in titles] + [self._small.getlength(line) for line in lines]
        return round(max(widths))


def _wrapped(text: str) -> str:
    """One word a line: the margin stays narrow."""
    return text.replace(" ", "\n")
