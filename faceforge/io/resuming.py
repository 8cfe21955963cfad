"""Folders that take long to fill: claimed by a card, written by one process at a time, continued after a kill."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from faceforge.errors import BadSpec, CannotWrite
from faceforge.io.files import UNFINISHED, replacing


def claim(root: Path, card: str, text: Callable[[], str], *, what: str = "dataset") -> bool:
    """Make a new or empty folder ours by writing its card; False where it is ours already."""
    if (root / card).is_file():
        return False
    if root.exists() and not root.is_dir():
        raise CannotWrite(f"Cannot write the {what} {str(root)!r}: a file has that name. Choose another name.")
    foreign = [name for name in os.listdir(root) if not name.startswith(UNFINISHED)] if root.exists() else []
    if foreign:
        raise CannotWrite(f"{str(root)!r} holds {foreign[0]!r} and is no {what} of ours. Choose a new folder.")
    root.mkdir(parents=True, exist_ok=True)
    save(root / card, text())
    return True


def compare(
    card: Path, asked: Mapping[str, Any], told: Callable[[Any], Mapping[str, Any]], *, what: str = "dataset"
) -> None:
    """Refuse to go on with a folder whose card tells of another wish; `code` is a digest of the code that makes it."""
    try:
        before = told(json.loads(card.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError) as reason:
        raise BadSpec(f"{str(card)!r} is damaged ({reason}). Choose a new folder.") from reason
    root = str(card.parent)
    apart = [name for name in {**asked, **before} if asked.get(name) != before.get(name)]
    if apart == ["code"]:
        raise BadSpec(f"{root!r} was begun by another version of FaceForge, which draws otherwise. Use a new folder.")
    if apart:
        words = (f"{name} was {before.get(name)!r} and is {asked.get(name)!r}" for name in apart if name != "code")
        raise BadSpec(f"{root!r} holds another {what}: {', '.join(words)}. Ask for the same, or use a new folder.")


def save(path: Path, text: str) -> None:
    """A text file that is whole or not there."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def sweep(folder: Path) -> None:
    """Remove what a killed writer left half done."""
    for torn in folder.glob(f"{UNFINISHED}*"):
        if torn.is_dir():
            shutil.rmtree(torn)
        else:
            torn.unlink(missing_ok=True)


@contextmanager
def refusing(root: Path, *, what: str = "dataset") -> Iterator[None]:
    """Whatever the system refuses to write, in one line."""
    try:
        yield
    except OSError as reason:
        raise CannotWrite(
            f"Cannot write the {what} {str(root)!r}: {reason.strerror or reason}. "
            f"Check its permissions and the free space; the same command then continues."
        ) from reason


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Refuse a second writer; the lock ends with the process, however that ends."""
    try:
        import fcntl
    except ImportError:  # Windows, where a folder cannot be locked so
        yield
        return
    handle = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as reason:
        raise CannotWrite(f"{str(root)!r} is being written by another process. Wait for it, or end it.") from reason
    finally:
        os.close(handle)
