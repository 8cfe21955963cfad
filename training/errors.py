"""What training refuses."""

from faceforge.errors import FaceForgeError


class BadRecipe(FaceForgeError):
    """A recipe with names or values that no training can use."""


class Diverged(FaceForgeError):
    """A loss that is no number; the batch that led there was kept."""
