"""Plugins and models on disk: found without being imported, saved and loaded as one thing, read from releases."""
