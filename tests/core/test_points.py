"""Every hook point has its sentence, its law, a paragraph in the docs, and a merge that commutes or refuses."""

import inspect
import re
from pathlib import Path

import pytest

from faceforge.core import points
from faceforge.core.points import LAWS, HookPoint, Law

DOCS = Path(__file__).parents[2] / "docs" / "writing-a-plugin.md"


@pytest.mark.parametrize("point", HookPoint)
def test_a_hook_point_has_a_sentence_and_a_law_and_a_paragraph(point: HookPoint) -> None:
    assert re.search(rf"^    {point.name} = .*# \w+", inspect.getsource(points.HookPoint), re.MULTILINE)
    assert isinstance(LAWS[point], Law)
    assert f"### `{point.name}`" in DOCS.read_text()


def test_the_list_fits_on_one_screen() -> None:
    assert len(inspect.getsource(points).splitlines()) <= 60
