"""Measuring what one unit of an AU does: sign and slope are found, stored, and divided out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faceforge import dose, load
from faceforge.errors import BadPlugin, BadWeights
from faceforge.forge import Forge
from faceforge.mer.judges import Facts, judge
from tests.makes import forge_of, portrait


class Brightness:
    """A judge that reads AU12 off the mean level and AU4 not at all."""

    codes = ("AU12",)
    facts = Facts("brightness")

    def delta(self, source: Image.Image, edited: Image.Image) -> Sequence[float]:
        return [float(np.asarray(edited, float).mean() - np.asarray(source, float).mean())]


class FakeForge(Forge):
    """Edits whose brightness follows the number that the plugin finally receives, three levels per unit, downwards."""

    def sweep(self, image, *, au, values, **fields):  # type: ignore[no-untyped-def]
        for value in values:
            received = value / self.plugins["magicface"].dose.get(au, 1.0)
            level = 128 - 3 * received if au == "AU12" else 128
            yield type("Edit", (), {"image": Image.new("RGB", (16, 16), (round(level),) * 3)})


@pytest.fixture
def forge() -> Forge:
    made = forge_of("magicface")
    made.__class__ = FakeForge
    return made


def test_sign_and_slope_are_found(forge: Forge) -> None:
    assert dose.measure(forge, "magicface", portrait(), Brightness()) == pytest.approx({"AU12": -3.0})


def test_measuring_twice_gives_the_same(forge: Forge) -> None:
    forge.plugins["magicface"].dose = {"AU12": -3.0}
    assert dose.measure(forge, "magicface", portrait(), Brightness()) == pytest.approx({"AU12": -3.0})
    assert forge.plugins["magicface"].dose == {"AU12": -3.0}


def test_a_stored_dose_comes_back_with_the_plugin(tmp_path: Path) -> None:
    folder = forge_of("magicface").save(tmp_path / "saved")
    ignored = dose.store(folder, "magicface", {"AU12": -3.0, "AU4": 0.001})
    assert ignored == ["AU4"]
    assert load(folder).plugins["magicface"].dose == {"AU12": -3.0}


def test_what_cannot_be_measured_is_refused(forge: Forge, tmp_path: Path) -> None:
    with pytest.raises(BadPlugin, match="no action units"):
        dose.measure(forge, "text", portrait(), Brightness())
    with pytest.raises(BadWeights, match="Save the model first"):
        dose.store(tmp_path, "magicface", {"AU12": 1.0})
    with pytest.raises(BadPlugin, match="No judge is called 'nobody'"):
        judge("nobody")
