"""Plugins are found without being imported, and a broken one breaks nothing else."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from faceforge.core.manifest import Control, Manifest
from faceforge.errors import BadPlugin, BadSpec
from faceforge.store.registry import class_in, listings, manifest_in, plugin_class
from faceforge.testing import LAWS, Bench, Law

STRANGER = Path(__file__).parents[1] / "stranger" / "faceforge_warmth.py"


def installed(folder: Path, name: str, source: str) -> None:
    """A distribution that offers one plugin, as an installer would leave it."""
    (folder / f"their_{name}.py").write_text(textwrap.dedent(source))
    info = folder / f"their_{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: their-{name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[faceforge.plugins]\n{name} = their_{name}:Theirs\n")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import a_package_nobody_has\n", "it needs the package 'a_package_nobody_has'"),
        ("def broken(:\n", "SyntaxError"),
        ("class Theirs: ...\n", "no class Theirs with a line `manifest = Manifest(...)`"),
        ("class Theirs:\n    manifest = Manifest(name=compute(), version='1')\n", "not literal: 'compute()'"),
        ("class Theirs:\n    manifest = Manifest(name='Bad Name', version='1')\n", "name"),
        ("class Theirs:\n    manifest = Manifest(name='x', version='1', needs=('pixels',))\n", "cannot be read"),
    ],
)
def test_a_broken_plugin_is_listed_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, reason: str
) -> None:
    installed(tmp_path, "odd", source)
    monkeypatch.syspath_prepend(tmp_path)
    found = {listing.name: listing for listing in listings()}
    assert reason in found["odd"].broken
    assert not found["magicface"].broken


def test_a_plugin_that_fails_to_import_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, "sour", "1 / 0\nclass Theirs:\n    manifest = Manifest(name='sour', version='1')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BadPlugin, match="'sour' does not import: ZeroDivisionError"):
        plugin_class("sour")


def test_listing_plugins_imports_neither_torch_nor_them() -> None:
    code = (
        "import sys; from faceforge.store.registry import listings; found = listings(); "
        "assert all(not each.broken for each in found), found; "
        "print([name for name in ('torch', 'diffusers', 'faceforge_plugins.magicface') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize("name", [listing.name for listing in listings()])
def test_a_manifest_read_from_source_is_the_one_the_class_has(name: str) -> None:
    listing = next(each for each in listings() if each.name == name)
    assert listing.manifest == plugin_class(name).manifest


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_a_stranger_s_plugin_keeps_every_law(law: Law) -> None:
    law(Bench(class_in(STRANGER)))


def test_a_loose_file_is_read_without_running_it(tmp_path: Path) -> None:
    file = tmp_path / "loose.py"
    file.write_text(STRANGER.read_text() + "\nraise SystemExit('this file was run')\n")
    assert manifest_in(file).name == "warmth"


def test_a_file_holds_exactly_one_plugin(tmp_path: Path) -> None:
    file = tmp_path / "none.py"
    file.write_text("x = 1\n")
    with pytest.raises(BadPlugin, match="defines 0 plugin classes"):
        class_in(file)


def test_a_plugin_may_read_only_what_it_declares() -> None:
    from faceforge.core.requests import Requests
    from faceforge.store.backbones import tiny
    from faceforge.testing import request_for

    manifest = Manifest(name="curious", version="1")
    view = Requests([request_for(manifest, 0)], manifest, tiny())
    with pytest.raises(BadPlugin, match=r"'curious' reads 'pictures.source' but does not declare it"):
        view.pictures("source")


@pytest.mark.parametrize(
    ("control", "value", "words"),
    [
        (Control(default=0.5, minimum=0, maximum=1, help="h"), 2, "from 0 to 1"),
        (Control(default=0.5, help="h"), float("nan"), "out of range"),
        (Control(default=0.5, help="h"), "much", "not a number"),
        (Control(default=True, help="h"), "perhaps", "does not fit"),
        (Control(default="rose", choices=("rose", "gold"), help="h"), "gald", "Did you mean 'gold'"),
    ],
)
def test_a_control_checks_its_values(control: Control, value: object, words: str) -> None:
    with pytest.raises(BadSpec, match=words):
        control.checked("warmth.x", value)


@pytest.mark.parametrize(
    ("control", "value", "expected"),
    [
        (Control(default=0.5, help="h"), "0.25", 0.25),
        (Control(default=3, help="h"), "4", 4),
        (Control(default=False, help="h"), "yes", True),
        (Control(default="x", help="h"), "any text", "any text"),
    ],
)
def test_a_control_understands_what_a_command_line_says(control: Control, value: object, expected: object) -> None:
    found = control.checked("warmth.x", value)
    assert found == expected
    assert type(found) is type(expected)
