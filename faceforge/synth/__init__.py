"""Synthetic portraits whose every label is exact."""

from faceforge.synth.portrait import Portrait, photograph, pictures, portrait
from faceforge.synth.sitting import Sitting, clip, pair, sample

__all__ = ["Portrait", "Sitting", "clip", "pair", "photograph", "pictures", "portrait", "sample"]
