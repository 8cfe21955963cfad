"""MagicPortrait (arXiv 2504.21497): a portrait makes the expressions and head turns that maps of a head show.

Two plugins beside the built-in identity encoder: `geometry` reads depth, normals and a render of the posed head,
`motion` holds the frames of a clip together. `release` reads the published files.
"""
