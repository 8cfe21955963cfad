"""Heads in three dimensions: models, cameras, light, a rasteriser, and the maps that releases are conditioned on."""
