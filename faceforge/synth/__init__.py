"""Synthetic portraits whose every label is exact."""

from faceforge.synth.portrait import Portrait, photograph, pictures, portrait
from faceforge.synth.series import clip, pair
from faceforge.synth.sitting import Sitting, sample

__all__ = ["Portrait", "Sitting", "clip", "pair", "photograph", "pictures", "portrait", "sample"]
