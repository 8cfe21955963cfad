"""Datasets made larger by a plan: from a folder of faces to edited ones with labels that were measured."""
