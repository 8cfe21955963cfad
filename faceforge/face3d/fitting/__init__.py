"""Fitting a head to a photograph: pose, person, expression and light."""

from faceforge.face3d.fitting.search import fit, fit_clip, follow

__all__ = ["fit", "fit_clip", "follow"]
