"""Writing so that a name holds either the old content or the whole new one, never half of it."""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faceforge.errors import CannotWrite, FaceForgeError

# Lists the files of a folder we wrote, so that a later write can tell ours from what somebody added.
INVENTORY = ".faceforge-files"
UNFINISHED = ".faceforge-"  # how the names begin of what is not finished yet

_NO_SPACE = "Free some space or write to another disk."
_NOT_ALLOWED = "Choose a folder that you may write to."
_ADVICE = {
    errno.ENOSPC: _NO_SPACE,
    errno.EDQUOT: _NO_SPACE,
    errno.EFBIG: "Raise the file size limit (ulimit -f) or write to another disk.",
    errno.EACCES: _NOT_ALLOWED,
    errno.EPERM: _NOT_ALLOWED,
    errno.EROFS: _NOT_ALLOWED,
    errno.ENOENT: "Create its folder first.",
    errno.ENOTDIR: "One of its folders is a file; choose another path.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
}


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary file beside the target; it takes the target's name when the block ends, or vanishes if it fails."""
    target = _destination(path)
    with _refusing(path):
        # Renaming over a device such as /dev/null would replace the device itself.
        if target.exists() and not target.is_file():
            raise CannotWrite(f"Cannot write {str(path)!r}: it is not a file. Name a file in it, or another path.")
        temporary = _sibling(target)
        temporary.touch(exist_ok=False)
        try:
            yield temporary
            _sync(temporary)
            if target.exists():
                shutil.copymode(target, temporary)
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: str | Path, *, overwrite: bool = False) -> Iterator[Path]:
    """A temporary folder beside the target that takes its name when the block ends; strangers' files are kept safe.

    An existing folder is replaced if it is empty or holds only files of an earlier `replacing_folder`.
    """
    target = _destination(path)
    with _refusing(path):
        if target.exists() and not target.is_dir():
            raise CannotWrite(f"Cannot write the folder {str(path)!r}: a file has that name. Choose another name.")
        if not overwrite and (foreign := _foreign_file(target)):
            raise CannotWrite(
                f"Cannot replace the folder {str(path)!r}: it holds {foreign!r}, which FaceForge did not write. "
                f"Choose a new folder, or pass overwrite=True to delete what is there."
            )
        with whole_folder(target) as temporary:
            yield temporary
            (temporary / INVENTORY).write_text("\n".join(sorted(_files_in(temporary))), encoding="utf-8")


@contextmanager
def whole_folder(path: str | Path) -> Iterator[Path]:
    """A temporary folder that replaces the one of that name when the block ends, or vanishes if it fails."""
    target = _destination(path)
    with _refusing(path):
        temporary = _sibling(target)
        temporary.mkdir()
        try:
            yield temporary
            for name in _files_in(temporary):
                _sync(temporary / name)
            _swap(temporary, target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def existing_file(path: str | Path, refusal: type[FaceForgeError]) -> Path:
    """The path of an ordinary file that is there; anything else is refused in the reader's own kind of error."""
    if os.path.isfile(path):
        return Path(path)
    if os.path.isdir(path):
        raise refusal(f"{str(path)!r} is a folder. Name one file in it.")
    if os.path.exists(path):
        raise refusal(f"{str(path)!r} is a device or a pipe. Save its content to a file first.")
    raise refusal(f"There is no file {str(path)!r}. Check the spelling and the folder.")


def sha256(source: str | Path | bytes) -> str:
    """The hex digest of some bytes, or of the file at a path.

    >>> sha256(b"")[:8]
    'e3b0c442'
    """
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    with open(source, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _destination(path: str | Path) -> Path:
    """Where the bytes really go: behind symbolic links, which stay links."""
    return Path(os.path.realpath(path))


def _sibling(target: Path) -> Path:
    return target.with_name(f"{UNFINISHED}{os.urandom(6).hex()}{target.suffix}")


@contextmanager
def _refusing(path: str | Path) -> Iterator[None]:
    try:
        yield
    except OSError as reason:
        advice = _ADVICE.get(reason.errno or 0, "Choose another path.")
        raise CannotWrite(f"Cannot write {str(path)!r}: {reason.strerror or reason}. {advice}") from reason


def _sync(file: Path) -> None:
    with file.open("r+b") as opened:
        os.fsync(opened.fileno())


def _files_in(folder: Path) -> Iterator[str]:
    return (file.relative_to(folder).as_posix() for file in folder.rglob("*") if not file.is_dir())


def _foreign_file(folder: Path) -> str | None:
    inventory = folder / INVENTORY
    ours = {INVENTORY}
    if inventory.is_file():
        ours.update(inventory.read_text(encoding="utf-8", errors="replace").splitlines())
    return next((name for name in _files_in(folder) if name not in ours), None)


def _swap(new: Path, target: Path) -> None:
    """Two renames, because no portable call exchanges folders; the old one returns if the second fails."""
    if not target.exists():
        os.rename(new, target)
        return
    old = _sibling(target)
    os.rename(target, old)
    try:
        os.rename(new, target)
    except OSError:
        os.rename(old, target)
        raise
    shutil.rmtree(old, ignore_errors=True)
