"""Editing methods as plugins, one per file, written against the public names of faceforge only."""
