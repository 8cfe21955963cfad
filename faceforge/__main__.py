"""`python -m faceforge` is the `faceforge` command."""

from faceforge.cli import main

main()
