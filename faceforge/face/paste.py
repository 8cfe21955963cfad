"""An edited crop back into its picture, at the picture's own resolution and depth."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

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
    left, top, right, bottom = crop.reach((pixels.shape[1], pixels.shape[0]))
    if right <= left or bottom <= top:
        return result
    shift = np.array([[1, 0, left], [0, 1, top], [0, 0, 1.0]])
    back = (crop.matrix @ shift)[:2].ravel()
    size = (right - left, bottom - top)
    weight = _warped(mask, back, size)
    part = result[top:bottom, left:right]
    colours = part[..., :3] if part.shape[2] >= 3 else part[..., :1]
    if colours.shape[2] == 1:
        difference = difference @ np.array(GREY, np.float32)[:, None]
    full = np.iinfo(pixels.dtype).max
    for channel in range(colours.shape[2]):
        moved = weight * _warped(difference[..., channel], back, size) * (full / 255)
        level = np.clip(np.rint(colours[..., channel] + moved), 0, full)
        colours[..., channel] = np.where(weight > 0, level, colours[..., channel]).astype(pixels.dtype)
    return result


def paste_over(pixels: Pixels, drawn: Image.Image, crop: Crop, mask: Mask, share: Mask) -> Pixels:
    """A copy of pixels, alpha untouched, and in their place a drawn crop.

    Where that is say a mask of the crop (h, w) and a share of the picture (H, W), both together.
    """
    result = pixels.copy()
    left, top, right, bottom = crop.reach((pixels.shape[1], pixels.shape[0]))
    if right <= left or bottom <= top:
        return result
    back = (crop.matrix @ np.array([[1, 0, left], [0, 1, top], [0, 0, 1.0]]))[:2].ravel()
    size, part = (right - left, bottom - top), result[top:bottom, left:right]
    weight = share[top:bottom, left:right] * _warped(mask, back, size).clip(0, 1)
    levels = np.asarray(drawn.convert("RGB"), np.float32)
    colours = part[..., :3] if part.shape[2] >= 3 else part[..., :1]
    if colours.shape[2] == 1:
        levels = levels @ np.array(GREY, np.float32)[:, None]
    full = np.iinfo(pixels.dtype).max
    for channel in range(colours.shape[2]):
        wanted = _warped(levels[..., channel], back, size).clip(0, 255) * (full / 255)
        own = colours[..., channel]
        colours[..., channel] = np.where(weight > 0, np.rint(own + weight * (wanted - own)), own).astype(pixels.dtype)
    return result


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
