"""Published weights with what belongs to them: the order and the scale of the channels they were trained on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from faceforge.errors import BadPicture, BadWeights
from faceforge.io.files import sha256
from faceforge.io.weights import read_tensors, without_prefix
from faceforge.mer.detectors import detector


@dataclass(frozen=True)
class Expects:
    """Which of u, v and strain a network sees, in its order, and what 1 is to it."""

    order: tuple[int, ...] = (0, 1, 2)
    scale: float = 1.0


EXPECTS: Mapping[str, Expects] = {
    "ststnet": Expects((2, 1, 0), 255.0),  # the authors read 8-bit files by OpenCV, blue first
    "offapexnet": Expects((0, 1)),
}


@dataclass(frozen=True)
class Published:
    """A network with published weights, for flow as the preset `meb` gives it."""

    network: nn.Module
    expects: Expects
    sha256: str

    def __call__(self, channels: Tensor) -> Tensor:
        """Horizontal flow, vertical flow and strain (B, 3, side, side), from 0 to 1, to what the network answers."""
        if channels.ndim != 4 or channels.shape[1] != 3:
            raise BadPicture(f"u, v and strain are (B, 3, side, side), not {tuple(channels.shape)}.")
        if float(channels.min()) < 0 or float(channels.max()) > 1:
            raise BadPicture(
                f"Channels are from 0 to 1, as the preset 'meb' gives them; these are from {float(channels.min()):.3g} "
                f"to {float(channels.max()):.3g}."
            )
        answer: Tensor = self.network(channels[:, self.expects.order] * self.expects.scale)
        return answer


def published(name: str, file: Path, expects: Expects | None = None, **settings: Any) -> Published:
    """A detector filled from a file, every key in its place; nothing in the file is executed.

    `expects` is for weights trained on something else than the authors' own, such as STSTNet by the public benchmark:
    `Expects()`.
    """
    network = detector(name, **settings)
    try:
        network.load_state_dict(without_prefix(read_tensors(file), "module."))
    except RuntimeError as reason:
        raise BadWeights(f"{str(file)!r} does not fit {name} with {settings or 'its defaults'}: {reason}") from reason
    return Published(network.eval(), expects or EXPECTS.get(name, Expects()), sha256(file))
