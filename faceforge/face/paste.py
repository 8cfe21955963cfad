"""An edited crop back into its picture, at the picture's own resolution and depth."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from faceforge.errors import BadPicture
from faceforge.face.crops import Crop
from faceforge.face.masks import Mask
from faceforge.io.depth import GREY, Pixels
from faceforge.io.pictures import Picture

_COARSE = 64  # the side of the grid on which a shift of colour is followed
_REACH = 6.0  # of that grid: how far the rim's colours reach inwards
_MOST = 16.0  # levels of shift; more is meant, and the feather hides its rim


def paste_back(picture: Picture, edited: Image.Image, crop: Crop, mask: Mask, *, match: bool = True) -> Pixels:
    """The picture's own pixels with the crop's *change* added where the mask (h, w) says; the rest is as it was.

    What the crop could not resolve, such as pores and grain of a large face, stays. With `match`, a shift of colour
    that the edit shows along the mask's rim is taken out of it, so that there is no seam.
    """
    return paste_change(picture.pixels, change(picture.image, edited, crop, mask, match=match), crop, mask)


def change(
    seen: Image.Image, edited: Image.Image, crop: Crop, mask: Mask, *, match: bool = True
) -> NDArray[np.float32]:
    """What an edit changed in a crop (h, w, 3), in 8-bit levels; `seen` is the RGB picture that it was cut from."""
    if edited.size != crop.size or mask.shape != crop.size[::-1]:
        raise BadPicture(
            f"An edit of {edited.size} and a mask of {mask.shape[::-1]} pixels do not fit a crop of {crop.size}. "
            f"Resize them first."
        )
    before = np.asarray(crop.cut(seen), np.float32)
    difference = np.asarray(edited.convert("RGB"), np.float32) - before
    return difference - _rim_shift(difference, mask) if match else difference


def paste_change(pixels: Pixels, difference: NDArray[np.float32], crop: Crop, mask: Mask) -> Pixels:
    """A copy of pixels, alpha untouched, with a crop's change (h, w, 3), in 8-bit levels, added."""
    result = pixels.copy()
    part = _Part.of(result, crop)
    if part is not None:
        weight = part.seen(mask)
        part.put(difference, weight > 0, lambda own, change: own + weight * change)
    return result


def paste_over(pixels: Pixels, drawn: Image.Image, crop: Crop, mask: Mask, share: Mask) -> Pixels:
    """A copy of pixels, alpha untouched, and in their place a drawn crop, with an edge a little softer than asked.

    Where that is say a mask of the crop (h, w) and a share of the picture (H, W), both together.
    """
    result = pixels.copy()
    part = _Part.of(result, crop)
    if part is not None:
        weight = part.seen(mask).clip(0, 1) * _softened(share[part.place])
        levels = np.asarray(drawn.convert("RGB"), np.float32)
        part.put(levels, weight > 0, lambda own, level: own + weight * (level - own))
    return result


@dataclass(frozen=True)
class _Part:
    """The part of a picture that a crop covers."""

    colours: Pixels  # (h, w, 3), or 1 of a grey picture: a view
    place: tuple[slice, slice]
    back: NDArray[np.float64]  # from this part to the crop

    @classmethod
    def of(cls, pixels: Pixels, crop: Crop) -> "_Part | None":
        left, top, right, bottom = crop.reach((pixels.shape[1], pixels.shape[0]))
        if right <= left or bottom <= top:
            return None
        place = slice(top, bottom), slice(left, right)
        shift = np.array([[1, 0, left], [0, 1, top], [0, 0, 1.0]])
        return cls(pixels[place][..., : 3 if pixels.shape[2] >= 3 else 1], place, (crop.matrix @ shift)[:2].ravel())

    def seen(self, plane: NDArray[np.float32]) -> NDArray[np.float32]:
        """A plane of the crop as it lies here; 0 beyond the crop."""
        return _warped(plane, self.back, self.colours.shape[1::-1])

    def put(
        self,
        levels: NDArray[np.float32],
        where: NDArray[np.bool_],
        blend: Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float32]],
    ) -> None:
        """Blend a crop's 8-bit levels (h, w, 3) into each channel, at this picture's own depth."""
        if self.colours.shape[2] == 1:
            levels = levels @ np.array(GREY, np.float32)[:, None]
        full = np.iinfo(self.colours.dtype).max
        for channel in range(self.colours.shape[2]):
            own = self.colours[..., channel]
            mixed = blend(own.astype(np.float32), self.seen(levels[..., channel]) * (full / 255))
            own[...] = np.where(where, np.clip(np.rint(mixed), 0, full), own).astype(own.dtype)


def _softened(share: Mask) -> Mask:
    """A share (h, w) that reaches one pixel further and fades over two, so that no edge shows."""
    image = Image.fromarray(np.rint(share * 255).astype(np.uint8)).filter(ImageFilter.MaxFilter(3))
    soft = np.asarray(image.filter(ImageFilter.BoxBlur(1)).filter(ImageFilter.BoxBlur(1)), np.float32) / 255
    return np.maximum(share, soft)


def _warped(plane: NDArray[np.float32], back: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float32]:
    """A plane of the crop on a window of the picture; 0 beyond the crop."""
    six = tuple(float(each) for each in back)
    image = Image.fromarray(np.ascontiguousarray(plane, np.float32))
    return np.asarray(image.transform(size, Image.Transform.AFFINE, six, Image.Resampling.BICUBIC), np.float32)


def _rim_shift(difference: NDArray[np.float32], mask: Mask) -> NDArray[np.float32]:
    """The change along the mask's rim, carried smoothly inwards (h, w, 3)."""
    height, width = mask.shape
    at_rim = 4 * mask * (1 - mask)
    rim = _resized(at_rim, (_COARSE, _COARSE))
    near = _blurred(rim)
    shift = np.empty_like(difference)
    for channel in range(3):
        weighted = _resized(difference[..., channel] * at_rim, (_COARSE, _COARSE))
        mean: NDArray[np.floating[Any]] = np.clip(_blurred(weighted) / np.maximum(near, 1e-6), -_MOST, _MOST)
        shift[..., channel] = _resized(mean, (width, height))
    return shift


def _resized(plane: NDArray[np.floating[Any]], size: tuple[int, int]) -> NDArray[np.float32]:
    image = Image.fromarray(np.ascontiguousarray(plane, np.float32))
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR), np.float32)


def _blurred(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Gaussian, by one matrix for both axes."""
    place = np.arange(_COARSE)
    matrix = np.exp(-0.5 * ((place[:, None] - place) / _REACH) ** 2).astype(np.float32)
    return np.asarray(matrix @ plane @ matrix, np.float32)
