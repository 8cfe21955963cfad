"""Numbers out of foreign .npz, .npy and pickle files, without numpy's own loader: nothing in them can run."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any

from faceforge.errors import BadWeights, FaceForgeError
from faceforge.io.files import existing_file
from faceforge.io.pickles import damaged, parsed
from faceforge.io.records import OBJECTS, Reading

_LARGEST_FILE = 512 << 20
_LONGEST_HEADER = 10_000
_MOST_MEMBERS = 4096

_MAGIC = b"\x93NUMPY"
# Written by numpy under Python 3, or under Python 2 with the L of a long integer.
_HEADER = re.compile(
    r"\{'descr': '([^']{1,12})', 'fortran_order': (True|False), 'shape': \(((?:\d+L?(?:, ?\d+L?)*,?)?)\),? ?\}\s*"
)


def read_arrays(path: str | Path) -> Any:
    """What a .npz, .npy or pickle file holds: arrays, numbers and text, in dictionaries, lists and tuples."""
    file = existing_file(path, BadWeights)
    try:
        if file.stat().st_size > _LARGEST_FILE:
            raise BadWeights(f"{str(path)!r} has more than {_LARGEST_FILE >> 20} MB. Check that it is the right file.")
        content = file.read_bytes()
    except OSError as reason:
        raise BadWeights(f"Cannot read {str(path)!r}: {reason.strerror}. Check its permissions.") from reason
    return arrays_of(content, str(path))


def arrays_of(content: bytes, where: str) -> Any:
    """The same from bytes; their kind is told by how they begin, never by a name. `where` is for the refusals."""
    try:
        if content.startswith(b"PK\x03\x04"):
            return _archive(content, Reading(where))
        if content.startswith(_MAGIC):
            return _npy(content, Reading(where))
        _refuse_stand_ins(content, where)
        return Reading(where).root(parsed(content, where))
    except FaceForgeError:
        raise
    except Exception as reason:  # whatever damaged bytes end in
        raise damaged(where) from reason


def _refuse_stand_ins(content: bytes, where: str) -> None:
    """What a download leaves when it did not fetch the data."""
    if not content:
        raise BadWeights(f"{where!r} is empty. Download it again.")
    if content.startswith(b"version https://git-lfs"):
        raise BadWeights(f"{where!r} is a Git LFS pointer, not the data. Run `git lfs pull` in its folder.")
    if content.lstrip().startswith(b"<"):
        raise BadWeights(f"{where!r} is a web page; the download may need a login. Open its address in a browser.")


def _archive(content: bytes, reading: Reading) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        members = opened.infolist()
        if len(members) > _MOST_MEMBERS or not all(member.filename.endswith(".npy") for member in members):
            raise BadWeights(f"{reading.where!r} is an archive, but not one of arrays. Give an .npz file.")
        found = {}
        for member in members:
            # What it claims to unpack to; no more than that is unpacked, which only these two ways of packing allow.
            reading.reserve(member.file_size)
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise reading.unsafe("arrays packed in another way than numpy does")
            with opened.open(member) as stream:
                found[member.filename.removesuffix(".npy")] = _npy(stream.read(member.file_size), reading)
    return found


def _npy(content: bytes, reading: Reading) -> Any:
    start = 10 if content[6:7] == b"\x01" else 12
    length = int.from_bytes(content[8:start], "little")
    if not content.startswith(_MAGIC) or len(content) < start + length or length > _LONGEST_HEADER:
        raise damaged(reading.where)
    header = _HEADER.fullmatch(content[start : start + length].decode("latin1"))
    if header is None:
        raise reading.unsafe("an array of a kind that is not read here, such as one of named fields")
    code, fortran, sizes = header.groups()
    data = content[start + length :]
    if OBJECTS.fullmatch(code):
        return reading.root(parsed(data, reading.where))
    shape = tuple(int(size.strip("L ")) for size in sizes.split(",") if size.strip())
    return reading.dense(code, shape, fortran == "True", data)
