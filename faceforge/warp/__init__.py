"""Editing a photograph by moving its own pixels: a fitted head says where each of them goes."""
