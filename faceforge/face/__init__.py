"""Faces in photographs: where they are, how they are cut out, and how they are put back."""

from faceforge.face.finding import Finder, choose, find_faces
from faceforge.face.found import Face

__all__ = ["Face", "Finder", "choose", "find_faces"]
