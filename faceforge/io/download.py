"""One file from its official address: fetched once, checked, kept under FaceForge's own folder."""

import hashlib
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from faceforge.errors import CannotWrite, HubError
from faceforge.io.files import replacing, sha256
from faceforge.io.hub import home, offline

_PATIENCE_S = 10.0
_PIECE = 1 << 16


@dataclass(frozen=True)
class Remote:
    """A file of which every byte is known beforehand."""

    url: str
    sha256: str
    size: int

    @property
    def place(self) -> Path:
        """Where it is kept."""
        return home() / "files" / self.sha256[:12] / self.url.rsplit("/", 1)[-1]


def fetched(remote: Remote) -> Path:
    """The file on this disk, after its download where it was not here; nothing wrong ever gets its name."""
    if remote.place.is_file() and sha256(remote.place) == remote.sha256:
        return remote.place
    if offline():
        raise _missing(remote, "HF_HUB_OFFLINE is set")
    try:
        remote.place.parent.mkdir(parents=True, exist_ok=True)
        with replacing(remote.place) as temporary:
            temporary.write_bytes(_downloaded(remote))
    except (CannotWrite, PermissionError, FileExistsError) as reason:
        raise HubError(f"Cannot keep {remote.url!r} ({reason}). Set FACEFORGE_HOME to a writable folder.") from reason
    return remote.place


def _downloaded(remote: Remote) -> bytes:
    data = bytearray()
    try:
        with urllib.request.urlopen(remote.url, timeout=_PATIENCE_S) as answer:
            while len(data) <= remote.size and (piece := answer.read(_PIECE)):
                data += piece
    except (OSError, ValueError) as reason:  # unreachable, refused, not an address
        raise _missing(remote, f"{type(reason).__name__}: {' '.join(str(reason).split())[:120]}") from reason
    if hashlib.sha256(data).hexdigest() != remote.sha256:
        raise HubError(
            f"{remote.url!r} gave other bytes than the known file ({len(data)} instead of {remote.size}, or altered). "
            f"Nothing was kept; try another network."
        )
    return bytes(data)


def _missing(remote: Remote, reason: str) -> HubError:
    return HubError(
        f"{remote.url!r} is not on this machine and cannot be fetched ({reason}). Connect once and repeat the call, or "
        f"copy it to {str(remote.place)!r}."
    )
