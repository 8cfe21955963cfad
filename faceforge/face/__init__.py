"""Faces in photographs: where they are, how they are cut out, and how they are put back."""
