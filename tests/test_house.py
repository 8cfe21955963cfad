"""The house rules that a machine can check: format, lint, types, the direction of imports, where devices are named."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(ROOT.glob("faceforge/**/*.py"))


@pytest.mark.parametrize(
    "command", [("ruff", "check"), ("ruff", "format", "--check"), ("mypy", "faceforge", "plugins", "training", "demos")]
)
def test_the_tree_is_clean(command: tuple[str, ...]) -> None:
    found = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout[-3000:]


def imported(path: Path) -> set[str]:
    """Every module that a file imports anywhere, or only at its top where `top` asks for it."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}


def imported_at_top(path: Path) -> set[str]:
    body = ast.parse(path.read_text()).body
    plain = {alias.name for node in body if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module for node in body if isinstance(node, ast.ImportFrom) and node.module}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_faceforge_never_imports_what_stands_on_it(path: Path) -> None:
    above = ("faceforge_plugins", "faceforge_training", "faceforge_demos", "plugins", "training", "demos", "tests")
    assert not [name for name in imported(path) if name.split(".")[0] in above]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_heavy_or_optional_packages_come_only_when_used(path: Path) -> None:
    lazy = {
        "torchvision",
        "pytorch3d",
        "xformers",
        "mediapipe",
        "ray",
        "gradio",
        "accelerate",
        "peft",
        "cv2",
        "pyarrow",
        "datasets",
        "yaml",
        "openpyxl",
        "av",
    }
    assert not {name.split(".")[0] for name in imported_at_top(path)} & lazy


@pytest.mark.parametrize("path", sorted((ROOT / "plugins").rglob("*.py")), ids=lambda path: path.name)
def test_plugins_use_public_names_only_and_fit_in_a_file(path: Path) -> None:
    ours = {name for name in imported(path) if name.split(".")[0] == "faceforge"}
    assert ours <= {"faceforge", "faceforge.plugin"}
    assert len(path.read_text().splitlines()) <= 150


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_devices_are_named_in_one_place(path: Path) -> None:
    if path.name != "device.py":
        assert not re.findall(r"""["'](?:cuda|mps|cpu)(?::\d+)?["']""", path.read_text())


def test_the_core_can_be_read_in_an_hour() -> None:
    lines = [line for path in ROOT.glob("faceforge/core/*.py") for line in path.read_text().splitlines()]
    assert len([line for line in lines if line.strip()]) <= 1500


# Each may import what stands before it, and its own kind.
LAYERS = (
    ("errors", "aus"),
    ("io", "spec"),
    ("face", "face3d"),
    ("synth",),
    ("assets",),
    ("warp",),
    ("motion",),
    ("core",),
    ("store",),
    ("mer",),
    ("windows",),
    ("memory", "jobs", "result", "objective"),
    ("editor", "reading"),
    ("conditions",),
    ("aligning", "starting"),
    ("clips",),
    ("forge", "warper"),
    ("models", "testing", "dose", "plugin", "evaluation", "video"),
    ("loading",),
    ("augmentation",),
    ("cli",),
    ("__main__",),
)


def layer(module: str) -> int:
    part = module.split(".")[1] if "." in module else "errors"
    return next(number for number, parts in enumerate(LAYERS) if part in parts)


def runtime_imports(tree: ast.Module) -> set[str]:
    """Modules of FaceForge that a file imports when it runs, at its top or inside a function."""
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    nodes = [node for node in ast.walk(tree) if id(node) not in typing_only]
    return {
        node.module
        for node in nodes
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("faceforge.")
    }


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    own = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    if own != "faceforge.__init__":
        assert [name for name in runtime_imports(ast.parse(path.read_text())) if layer(name) > layer(own)] == []
