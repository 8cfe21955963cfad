"""The findings of `doctor`: each function gives names and what to say about them, and works when parts are missing."""

from __future__ import annotations

import platform
import re
import shutil
import sys
import urllib.error
import urllib.request
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from faceforge import __version__

OPTIONAL = {
    "xformers": ("another attention kernel, switched on by optimize(xformers=True)", "pip install xformers"),
    "pytorch3d": (
        "another rasteriser for heads",
        'pip install --no-build-isolation "git+https://github.com/facebookresearch/pytorch3d.git@v0.7.9" '
        "(builds for half an hour; needs a C++ compiler, and nvcc for CUDA)",
    ),
    "mediapipe": ("finds faces and landmarks", "pip install mediapipe"),
    "ray": ("augmentation beyond one machine, and Parquet", "pip install 'faceforge[augment]'"),
    "opencv-contrib-python": ("optical flow for judges of motion", "pip install 'faceforge[mer]'"),
    "openpyxl": ("tables of labels in .xlsx", "pip install 'faceforge[mer]'"),
}


def system() -> dict[str, str]:
    return {"faceforge": __version__, "python": sys.version.split()[0], "platform": platform.platform()}


def packages() -> dict[str, str]:
    """What FaceForge cannot do without, by its own metadata."""
    try:
        requirements = requires("faceforge") or []
    except PackageNotFoundError:
        return {"faceforge": "MISSING from the installed packages; pip install -c constraints.txt -e . in its folder"}
    found = {}
    for requirement in requirements:
        if "extra ==" not in requirement:
            name, wanted = re.fullmatch(r"([\w.-]+)\s*([^;]*).*", requirement).groups()  # type: ignore[union-attr]
            found[name] = _version(name) or f'MISSING; pip install "{name}{wanted.strip()}"'
    return found


def optional() -> dict[str, str]:
    """What some things need, what for, and how to get it."""
    return {name: _version(name) or f"not installed; {purpose}: {how}" for name, (purpose, how) in OPTIONAL.items()}


def devices() -> dict[str, str]:
    """Where PyTorch computes here, and in which precisions."""
    try:
        import torch

        from faceforge.core.device import best_device
    except Exception as error:
        return {"none": f"PyTorch does not import: {type(error).__name__}: {error}"}
    device = best_device()
    found = {str(device): f"used unless --device says otherwise; {_precisions(device)}"}
    name = getattr(torch.get_device_module(device), "get_device_name", None)
    if name is not None:
        found["name"] = str(name(device))
    found["threads"] = str(torch.get_num_threads())
    return found


def plugins() -> dict[str, str]:
    """What is installed, and what is broken for which reason."""
    try:
        from faceforge.store.registry import listings
    except ImportError as error:
        return {"none": f"cannot be listed: {error}"}
    return {
        each.name: f"broken: {' '.join(each.broken.split())}" if each.manifest is None else each.manifest.version
        for each in listings()
    }


def storage() -> dict[str, str]:
    """Where things are kept, how large they are, and how much is free."""
    from faceforge.io.hub import cache_folder, home

    places = {"settings": home()}
    with suppress(ImportError):
        places["downloads"] = cache_folder()
    return {name: _place(path) for name, path in places.items()}


def hub() -> dict[str, str]:
    """Whether the hub answers."""
    from faceforge.io.hub import endpoint

    try:
        with urllib.request.urlopen(urllib.request.Request(endpoint(), method="HEAD"), timeout=10) as answer:
            return {endpoint(): f"answers ({answer.status})"}
    except urllib.error.HTTPError as error:
        return {endpoint(): f"answers ({error.code})"}
    except (OSError, ValueError) as error:
        return {endpoint(): f"cannot be reached ({error}); what is downloaded already still works"}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _precisions(device: object) -> str:
    import torch

    works = []
    for dtype in (torch.float32, torch.bfloat16, torch.float16):
        try:
            one = torch.ones(8, 8, device=device, dtype=dtype)  # type: ignore[call-overload]
            works += [str(dtype).removeprefix("torch.")] if bool(torch.isfinite(one @ one).all()) else []
        except RuntimeError:
            continue
    return ", ".join(works)


def _place(path: Path) -> str:
    if not path.is_dir():
        return f"{path} (does not exist yet)"
    size = sum(file.lstat().st_size for file in path.rglob("*") if file.is_file() and not file.is_symlink())
    return f"{path} ({size / 2**20:.1f} MiB, {shutil.disk_usage(path).free / 2**30:.0f} GiB free)"
