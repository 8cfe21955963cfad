"""What tensors of the 3-D layer must be before anything is made of them: of the right shape, and finite."""

from collections.abc import Sequence
from math import isfinite

from torch import Tensor

from faceforge.errors import BadMesh


def check_tensor(what: str, tensor: Tensor, shape: Sequence[int | str]) -> None:
    """Refuse another shape, in which words stand for any size, and numbers that are not finite."""
    fits = tensor.ndim == len(shape) and all(
        isinstance(side, str) or side == given for side, given in zip(shape, tensor.shape, strict=True)
    )
    if not fits:
        raise BadMesh(f"{what} of shape {tuple(tensor.shape)}; expected ({', '.join(map(str, shape))}).")
    if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
        place = (~tensor.isfinite()).nonzero()[0].tolist()
        raise BadMesh(f"{what}: number {place} is {float(tensor[tuple(place)])!r}; expected finite ones.")


def check_rows(what: str, tensor: Tensor, count: int) -> None:
    """Refuse anything but one row for all, or one for each of `count`."""
    if len(tensor) not in (1, count):
        raise BadMesh(f"{what}: {len(tensor)} rows for {count} meshes; expected one for all or one each.")


def check_index(what: str, index: Tensor, count: int) -> None:
    """Refuse indices beyond `count`."""
    if index.is_floating_point() or (index.numel() and not 0 <= int(index.min()) <= int(index.max()) < count):
        raise BadMesh(
            f"{what}: an index is beyond the {count} that there are, counted from 0. Give whole numbers below."
        )


def check_number(what: str, value: float, *, above: float = -float("inf"), below: float = float("inf")) -> None:
    """Refuse what is no finite number strictly between two."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise BadMesh(f"{what}={value!r} is not a number; expected a finite one.")
    if not above < value < below:
        raise BadMesh(f"{what}={value!r} is out of range; expected more than {above:g} and less than {below:g}.")
