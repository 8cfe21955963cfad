"""Models that come with FaceForge: a saved folder each, among the assets."""

from pathlib import Path

from faceforge import assets


def shipped() -> dict[str, Path]:
    """Their folders by name."""
    return {file.parent.name: file.parent for file in sorted(Path(assets.__file__).parent.glob("*/model.json"))}
