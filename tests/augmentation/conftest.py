"""An editor that costs nothing, for tests of everything around it."""

import pytest

from faceforge.augmentation import running
from tests.augmentation.sources import Roller


@pytest.fixture
def roller(monkeypatch: pytest.MonkeyPatch) -> Roller:
    """The editor of every plan, in this process."""
    made = Roller()
    monkeypatch.setattr(running, "_editor", lambda *_: made)
    return made
