"""Tar files whose bytes depend on what is in them alone."""

import tarfile
from io import BytesIO


def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    """One more file, without time and owner."""
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, BytesIO(content))
