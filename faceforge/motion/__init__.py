"""Motion of faces: read from a video, a timeline or a table, kept in a file, handed to any face."""

from faceforge.motion.motion import Motion, Strengths

__all__ = ["Motion", "Strengths"]
