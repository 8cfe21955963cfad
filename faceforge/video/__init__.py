"""Clips from end to end: a portrait that moves as another face does, and one wish for every frame of a video."""
