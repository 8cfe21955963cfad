"""Finding plugins without importing them: their manifests are literals that are read from source."""

from __future__ import annotations

import ast
import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faceforge.core.manifest import Aus, Control, Manifest, Published, Weights
from faceforge.core.points import HookPoint
from faceforge.errors import BadPlugin, nearest

if TYPE_CHECKING:
    from faceforge.core.plugin import Plugin

GROUP = "faceforge.plugins"
BUILT_IN = {
    "text": "faceforge.core.text:TextPrompt",
    "identity": "faceforge.core.identity:IdentityEncoder",
    "attributes": "faceforge.core.attributes:AttributeController",
}
_WORDS = {"Manifest": Manifest, "Aus": Aus, "Control": Control, "Weights": Weights, "Published": Published}


@dataclass(frozen=True)
class Listing:
    """A plugin as found: its manifest, or the reason why it cannot be used."""

    name: str
    where: str
    manifest: Manifest | None = None
    broken: str = ""
    built_in: bool = False


def listings() -> list[Listing]:
    """Every plugin that is installed, broken ones with their reason; imports none of them."""
    found = [EntryPoint(name, value, GROUP) for name, value in BUILT_IN.items()]
    return [_listing(entry) for entry in (*found, *sorted(entry_points(group=GROUP), key=lambda entry: entry.name))]


def manifest_in(path: Path) -> Manifest:
    """The manifest of the one plugin class in a file, read without running it."""
    return _manifest(path, None)


def plugin_class(name: str, files: Mapping[str, Path] | None = None) -> type[Plugin]:
    """The class of an installed plugin, or of a loose file that was named explicitly."""
    if files and name in files:
        return class_in(files[name])
    entries = {entry.name: entry.value for entry in entry_points(group=GROUP)} | BUILT_IN
    if name not in entries:
        raise BadPlugin(f"No plugin is called {name!r}. {nearest(name, entries)} See `faceforge plugins`.")
    module, _, attribute = entries[name].partition(":")
    try:
        found: type[Plugin] = getattr(importlib.import_module(module), attribute)
    except Exception as error:
        raise BadPlugin(f"The plugin {name!r} does not import: {type(error).__name__}: {error}.") from error
    return found


def class_in(path: Path) -> type[Plugin]:
    """The one plugin class that a file defines; running the file is what the caller asked for by naming it."""
    from faceforge.core.plugin import Plugin

    if not path.is_file():
        raise BadPlugin(f"{str(path)!r} is not a file. Give the path of a plugin's .py file.")
    spec = importlib.util.spec_from_file_location(f"faceforge_file_{path.stem.replace('-', '_')}", path)
    if spec is None or spec.loader is None:
        raise BadPlugin(f"{path.name} is not a Python file. Give the path of a plugin's .py file.")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise BadPlugin(f"{path.name} does not import: {type(error).__name__}: {error}.") from error
    own = [
        each
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, Plugin) and each.__module__ == module.__name__
    ]
    if len(own) != 1:
        raise BadPlugin(f"{path.name} defines {len(own)} plugin classes. A plugin is one class in one file.")
    return own[0]


def _listing(entry: EntryPoint) -> Listing:
    module, _, attribute = entry.value.partition(":")
    built_in = entry.name in BUILT_IN
    try:
        spec = importlib.util.find_spec(module)
        if spec is None or spec.origin is None:
            return Listing(entry.name, module, broken=f"module {module!r} is not installed", built_in=built_in)
        manifest = _manifest(Path(spec.origin), attribute)
    except Exception as error:
        return Listing(entry.name, module, broken=f"{type(error).__name__}: {error}", built_in=built_in)
    return Listing(entry.name, spec.origin, manifest, built_in=built_in)


def _manifest(path: Path, attribute: str | None) -> Manifest:
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=path.name)
    _check_imports(tree)
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and attribute in (None, node.name):
            for line in node.body:
                if isinstance(line, ast.Assign) and [ast.unparse(target) for target in line.targets] == ["manifest"]:
                    found: Manifest = _value(line.value)
                    return found
    raise BadPlugin(f"{path.name} has no class {attribute or ''} with a line `manifest = Manifest(...)`.")


def _check_imports(tree: ast.Module) -> None:
    for node in tree.body:
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
        for name in names:
            package = name.partition(".")[0]
            if importlib.util.find_spec(package) is None:
                raise BadPlugin(f"it needs the package {package!r}, which is not installed")


def _value(node: ast.expr) -> Any:
    """A literal, or one of the manifest's own words called with literals."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _WORDS:
        keywords = {word.arg: _value(word.value) for word in node.keywords if word.arg}
        return _WORDS[node.func.id](*[_value(argument) for argument in node.args], **keywords)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "HookPoint":
        return HookPoint[node.attr]
    if isinstance(node, ast.Tuple | ast.List):
        return tuple(_value(each) for each in node.elts)
    if isinstance(node, ast.Dict):
        return {_value(key): _value(each) for key, each in zip(node.keys, node.values, strict=True) if key}
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise BadPlugin(f"its manifest is not literal: {ast.unparse(node)!r}") from None
