"""What the documents show, runs."""

import re
from pathlib import Path

import pytest
from PIL import Image

from faceforge.cli.repeat import SAMPLE
from faceforge.jobs import Defaults
from faceforge.store.registry import class_in
from faceforge.testing import contract
from tests.makes import forge_of, portrait

ROOT = Path(__file__).parents[1]
DOCUMENTS = [path.relative_to(ROOT).as_posix() for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])]


def blocks(document: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / document).read_text(), re.DOTALL)


def test_the_readme_s_python_runs_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.open(SAMPLE).save(tmp_path / "ada.png")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks("README.md"):
        exec(compile(block, "README.md", "exec"), names)
    assert (tmp_path / "ada-smiling.png").is_file()
    assert "fineface" not in names["forge"].plugins  # type: ignore[attr-defined]


def test_the_plugin_page_s_plugin_keeps_the_contract(tmp_path: Path) -> None:
    file = tmp_path / "warmth.py"
    file.write_text(blocks("docs/writing-a-plugin.md")[0])
    broken = [result for result in contract(class_in(file)).results if not result.passed]
    assert not broken


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    here = (ROOT / document).parent
    links = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / document).read_text())
    assert [link for link in links if not (here / link).exists()] == []


def test_the_clip_page_s_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("models").mkdir()
    forge_of("identity", "geometry", "motion", defaults=Defaults(steps=1)).save("models/magicportrait")
    portrait().save("portrait.png")
    Path("maps").mkdir()
    for name in ("depth", "normal", "render"):
        for number in range(2):
            portrait(number).save(f"maps/{name}-{number}.png")
    _, first, second = blocks("docs/video.md")
    names: dict[str, object] = {}
    exec(compile(first.replace("range(48)", "range(2)"), "docs/video.md", "exec"), names)
    assert sorted(path.name for path in Path("out").iterdir()) == ["0.png", "1.png"]
    exec(compile(second, "docs/video.md", "exec"), names)
    assert len(list(names["smoother"])) == len(list(names["circle"])) == 2  # type: ignore[call-overload]


def test_the_clip_page_moves_a_portrait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("av", reason="videos need the extra video")
    Image.open(SAMPLE).resize((192, 192)).save(tmp_path / "ada.png")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(blocks("docs/video.md")[0], "docs/video.md", "exec"), names)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ada.png", "smile.npz", "smiling.mp4"]
    assert names["made"].frames == 3  # type: ignore[attr-defined]
