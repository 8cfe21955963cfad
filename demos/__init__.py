"""Demonstrations: the studio, where faces are edited in a browser."""
