"""A generator that repairs the warp: the photograph's own pixels, moved, stay where it knows them."""

from torch import Tensor


def repaired(made: Tensor, warp: Tensor, again: Tensor, unknown: Tensor) -> Tensor:
    """The warp with what a model changed of it, and the model's own where a photograph cannot know; all in -1..1.

    What the autoencoder loses of the warp (`again`) it loses of the edit too: in their difference it cancels. `unknown`
    (..., 1, h, w) is in 0..1.
    """
    return (warp + made - again).clamp(-1, 1).lerp(made, unknown)
