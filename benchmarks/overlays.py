"""Photographs beside the heads that were fitted to them, as one picture to look at."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # a script has only its own folder on the path

import numpy as np
from PIL import Image, ImageDraw

from faceforge.face.crops import face_crop
from faceforge.io.pictures import read_picture
from faceforge.reading import Photograph, Reader, Reading
from faceforge.warp.plate import Plate

SIDE = 320
_SHOWN = 0.62  # of the head, over the photograph
_MARK = 2.5  # pixels of the tile


def overlaid(photograph: Photograph, reading: Reading) -> Image.Image:
    """The photograph with the fitted head over it, grey and lit from the viewer, without hair or shoulders."""
    plate: Plate = photograph.plate(reading)
    seen = plate.shown_at_rest
    facing = seen.mixed(plate.facing(plate.at_rest)[:, None])[:, 0].clamp(0, 1)
    here = plate.window.rectangle
    grey = Image.fromarray((seen.spread(0.25 + 0.7 * facing).numpy() * 255).astype(np.uint8))
    size = (here.width, here.height)
    shown = Image.fromarray((seen.spread(facing * 0 + _SHOWN).numpy() * 255).astype(np.uint8)).resize(size)
    result = photograph.picture.image.copy()
    result.paste(grey.resize(size).convert("RGB"), (here.left, here.top), shown)
    return result


def tile(path: str | Path, reader: Reader) -> Image.Image:
    """The face of a photograph, and the same with landmarks as found and the head as fitted."""
    photograph = reader.read(read_picture(path))
    reading = photograph.readings(1)[0]
    crop = face_crop(reading.face)
    pair = Image.new("RGB", (2 * SIDE, SIDE))
    for number, image in enumerate((photograph.picture.image, overlaid(photograph, reading))):
        pair.paste(crop.cut(image).resize((SIDE, SIDE), Image.Resampling.LANCZOS), (number * SIDE, 0))
    draw = ImageDraw.Draw(pair)
    for x, y in crop.to_crop(reading.face.landmarks) * (SIDE / crop.size[0]) + (SIDE, 0):
        draw.ellipse((x - _MARK, y - _MARK, x + _MARK, y + _MARK), fill=(255, 220, 0))
    return pair


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photographs", nargs="+", type=Path, help="pictures with one face each")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the picture to write")
    parser.add_argument("--finder", help="mediapipe or embedded; without one the default")
    parser.add_argument("--columns", type=int, default=2, help="pairs in a row (2)")
    wanted = parser.parse_args()
    reader = Reader(wanted.finder)
    tiles = [tile(path, reader) for path in wanted.photographs]
    rows = -(-len(tiles) // wanted.columns)
    sheet = Image.new("RGB", (2 * SIDE * min(len(tiles), wanted.columns), SIDE * rows), "white")
    for number, each in enumerate(tiles):
        sheet.paste(each, (number % wanted.columns * 2 * SIDE, number // wanted.columns * SIDE))
    sheet.save(wanted.output, quality=80)
    return 0


if __name__ == "__main__":
    sys.exit(main())
