"""How much a flow stretches the skin: optical strain, as physics has it and as MEB's features have it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceforge.mer.flow import Flow

Field = NDArray[np.floating[Any]]  # (H, W)


def strain(flow: Flow) -> Field:
    """Strain by central differences, one-sided at the border; a rigid rotation has none."""
    return _magnitude(*(np.gradient(plane, axis=axis) for plane in flow for axis in (1, 0)))


def strain_backward(flow: Flow) -> Field:
    """Strain by differences to the pixel before, as the tools of ELRCN have it."""
    return _magnitude(*(_before(plane, axis) for plane in flow for axis in (1, 0)))


def strain_meb(flow: Flow) -> Field:
    """Strain as MEB publishes it: Sobel sums over zero padding, the axes swapped, the shears squared one by one."""
    u, v = flow
    stretch = _sobel(u, 0) ** 2 + _sobel(v, 1) ** 2
    return np.asarray(np.sqrt(stretch + (_sobel(u, 1) ** 2 + _sobel(v, 0) ** 2) / 2))


def _magnitude(u_x: Field, u_y: Field, v_x: Field, v_y: Field) -> Field:
    return np.asarray(np.sqrt(u_x**2 + v_y**2 + (u_y + v_x) ** 2 / 2))


def _before(plane: Field, axis: int) -> Field:
    return np.diff(plane, axis=axis, prepend=plane.take([0], axis))


def _sobel(plane: Field, axis: int) -> Field:
    """Sobel's sum of differences along an axis, gain 8."""
    along, across = np.moveaxis(np.pad(plane, 1), axis, 0), 1 - axis
    change = np.moveaxis(along[2:] - along[:-2], 0, axis)
    return _thirds(change, across)


def _thirds(field: Field, axis: int) -> Field:
    rolled = np.moveaxis(field, axis, 0)
    return np.moveaxis(rolled[:-2] + 2 * rolled[1:-1] + rolled[2:], 0, axis)
