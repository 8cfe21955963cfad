"""Synthetic portraits whose every label is exact."""
