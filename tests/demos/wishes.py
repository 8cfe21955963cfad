"""What a visitor asks for."""

from typing import Any

from faceforge_demos.controls import resting


def wish(**moved: Any) -> dict[str, Any]:
    """All widgets at rest but a few."""
    return {**resting(), **moved}
