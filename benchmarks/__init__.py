"""Benchmarks: each is a script that compares two ways to compute the same thing, in one run, on the same weights."""
