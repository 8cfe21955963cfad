"""Pickles are read as data: what they ask to run is refused by name, what is damaged is said to be, nothing hangs."""

import codecs
import io
import pickle
import resource
import struct
import sys
import time
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faceforge.errors import BadWeights, UnsafePickle
from faceforge.io.arrays import arrays_of, read_arrays
from tests.face3d.heads import chumpy, flame

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
_seen: list[str] = []
_watching = False


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching and event.split(".")[0] in (
        "pickle",
        "os",
        "subprocess",
        "exec",
        "compile",
        "import",
        "open",
        "socket",
    ):
        _seen.append(f"{event} {str(arguments)[:80]}")


for codec in ("raw_unicode_escape", "cp437"):  # which Python imports when it first reads a text or an archive
    codecs.lookup(codec)
sys.addaudithook(_watch)


@contextmanager
def nothing_happens() -> Iterator[None]:
    """No import, no file, no process, no compiled code and no class looked up for a pickle within the block."""
    global _watching
    _seen.clear()
    _watching = True
    try:
        yield
    finally:
        _watching = False
    assert _seen == []


def same(one: Any, other: Any) -> bool:
    if isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in other)
    if isinstance(other, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    return bool(one == other)


ARRAYS = {
    "double": np.arange(6.0).reshape(2, 3),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "big endian": np.arange(3, dtype=">i4"),
    "half": np.ones(2, np.float16),
    "flags": np.array([True, False]),
    "empty": np.zeros((0, 3)),
    "one": np.array(7),
    "words": np.array(["jaw", "neck"]),
    "bytes": np.array([b"a", b"bcd"]),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_arrays_of_every_kind_come_back_from_every_protocol(protocol: int) -> None:
    content = {**ARRAYS, "text": "naïve", "number": -3, "large": 2**100, "ratio": 0.1, "flag": True, "none": None}
    content |= {"list": [1, [2.5, (3, b"\x00\xff")]], "scalar": np.float32(0.5), "whole": np.int64(-1)}
    found = arrays_of(pickle.dumps(content, protocol), "x.pkl")
    native = {name: array.astype(array.dtype.newbyteorder("=")) for name, array in ARRAYS.items()}
    assert same(found, {**content, **native})


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_sets_and_ordered_dictionaries_are_lists_and_dictionaries(protocol: int) -> None:
    found = arrays_of(pickle.dumps({"set": {1}, "order": OrderedDict(a=1, b=[2])}, protocol), "x.pkl")
    assert found == {"set": [1], "order": {"a": 1, "b": [2]}}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_sparse_matrices_are_read_without_scipy(protocol: int) -> None:
    dense = np.array([[0.0, 2.0, 0.0], [1.0, 0.0, 0.0]])
    content = pickle.dumps(scipy.sparse.csc_matrix(dense), protocol)
    assert np.array_equal(arrays_of(content, "x.pkl"), dense)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_chumpy_arrays_are_read_without_chumpy(protocol: int) -> None:
    values = np.arange(6.0).reshape(2, 3)
    with chumpy() as made:
        whole = made.Ch(_dirty_vars=set(), _itr=None, _depends_on_deps={}, x=values)
        part = made.Select(a=whole, idxs=np.array([5, 0]), preferred_shape=(2, 1))
        content = pickle.dumps({"whole": whole, "part": part}, protocol)
    assert "chumpy" not in sys.modules
    with nothing_happens():
        found = arrays_of(content, "x.pkl")
    assert same(found, {"whole": values, "part": np.array([[5.0], [0.0]])})


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int64, torch.uint8, torch.bool], ids=str)
def test_torch_tensors_are_read_without_its_loader(protocol: int, dtype: torch.dtype) -> None:
    tensor = torch.arange(12).reshape(3, 4).to(dtype)
    content = pickle.dumps({"whole": tensor, "view": tensor.T[1:, ::2]}, protocol)
    with nothing_happens():
        found = arrays_of(content, "x.pkl")
    assert same(found, {"whole": tensor.numpy(), "view": tensor.T[1:, ::2].numpy()})


def test_strings_of_python_2_hold_the_bytes_of_arrays() -> None:
    head = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I2\nt"
    head += b"cnumpy\ndtype\n(S'i2'\nI0\nI1\ntR"
    tail = b"(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\nS'\\x01\\x00\\xff\\xff'\ntb."
    assert same(arrays_of(head + tail, "x.pkl"), np.array([1, -1], np.int16))


def test_npz_and_npy_are_read_and_a_saved_dictionary_is_unwrapped(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **ARRAYS)
    np.savez_compressed(tmp_path / "b.npz", **ARRAYS)
    native = {name: array.astype(array.dtype.newbyteorder("=")) for name, array in ARRAYS.items()}
    assert same(read_arrays(tmp_path / "a.npz"), native)
    assert same(read_arrays(tmp_path / "b.npz"), native)
    np.save(tmp_path / "c.npy", ARRAYS["fortran"])
    assert same(read_arrays(tmp_path / "c.npy"), ARRAYS["fortran"])
    np.save(tmp_path / "d.npy", np.array({"a": [1, 2]}, object), allow_pickle=True)
    assert read_arrays(tmp_path / "d.npy") == {"a": [1, 2]}


# Hostile pickles in opcodes. The name is what they try; the word is what the refusal has to mention.
SYSTEM = b"cos\nsystem\n"
CANARY = b"U\x0ctouch canary"
ARRAY = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
HOSTILE: dict[str, tuple[bytes, str]] = {
    "a call": (SYSTEM + CANARY + b"\x85R.", "os.system"),
    "a class": (b"(" + CANARY + b"ios\nsystem\n.", "INST"),
    "an old object": (b"(" + SYSTEM + CANARY + b"o.", "os.system"),
    "a bare name": (b"cnumpy\ndtype\n.", "dtype"),
    "a name put together": (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "os.system"),
    "a dotted name": (b"\x80\x04\x8c\x05numpy\x8c\x10ndarray.__init__\x93.", "numpy.ndarray.__init__"),
    "a dotted module": (b"cnumpy.core.multiarray._reconstruct.__globals__\nget\n.", "__globals__"),
    "a name that is a number": (b"\x80\x04K\x01K\x02\x93.", "name"),
    "getattr": (b"c__builtin__\ngetattr\n.", "getattr"),
    "numpy's own loader": (b"cnumpy\nload\n.", "numpy.load"),
    "torch's own loader": (b"ctorch\nload\n.", "torch.load"),
    "joblib": (b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n.", "joblib"),
    "a new object of a class": (b"cnumpy\nndarray\n(I4\nt\x81.", "ndarray"),
    "keywords for a class": (b"\x80\x04cchumpy.ch\nCh\n)}\x92.", "NEWOBJ_EX"),
    "a persistent id": (b"Pos.system\n.", "PERSID"),
    "a persistent object": (b"\x80\x02U\x01aQ.", "reference"),
    "an extension": (b"\x80\x02\x82\x01.", "EXT1"),
    "a large extension": (b"\x80\x02\x84\x01\x00\x00\x00.", "EXT4"),
    "an outside buffer": (b"\x80\x05\x97.", "NEXT_BUFFER"),
    "a future protocol": (b"\x80\x09N.", "protocol"),
    "an opcode that is none": (b"\xfe.", "0xfe"),
    "state for a list": (b"]}b.", "BUILD"),
    "state for a name": (b"cnumpy\ndtype\n}b.", "BUILD"),
    "state twice": (b"cchumpy.ch\nCh\n)\x81}b}b.", "BUILD"),
    "items for a number": (b"K\x01U\x01aK\x02s.", "SETITEM"),
    "items for an array": (ARRAY + b"K\x02a.", "APPEND"),
    "a call of a string": (b"U\x02hi)R.", "no name"),
    "a call of a record": (ARRAY + b")R.", "no name"),
    "a call with a list": (b"cnumpy\ndtype\n]R.", "no name"),
    "an array that was never filled": (ARRAY + b".", "array"),
    "a subclass of arrays": (
        b"cnumpy.core.multiarray\n_reconstruct\ncchumpy.ch\nCh\nK\x00\x85C\x01b\x87R(t" + b"b.",
        "array",
    ),
    "an object array": (
        ARRAY
        + b"(K\x01K\x01\x85cnumpy\ndtype\nU\x02O8K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tb"
        b"\x89]NatbN0.",
        "O8",
    ),
    "an object scalar": (
        b"cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nU\x02O8\x85RC\x08\x00\x00\x00\x00\x00\x00\x00\x00\x86R.",
        "O8",
    ),
    "an array of fields": (
        ARRAY + b"(K\x01K\x01\x85cnumpy\ndtype\nU\x02V8K\x00K\x01\x87R\x89C\x08\x00\x00\x00\x00\x00\x00\x00\x00tb.",
        "V8",
    ),
    "a type as text with objects": (
        ARRAY + b"(K\x01K\x01\x85cnumpy\ndtype\nU\x08i4,O,i4 K\x00K\x01\x87R\x89C\x00tb.",
        "i4,O",
    ),
    "fields in a type's state": (
        ARRAY + b"(K\x01K\x01\x85cnumpy\ndtype\nU\x02f8\x85R(K\x03U\x01<N(U\x01at}tb\x89C\x00tb.",
        "fields",
    ),
    "a reconstruction of a builtin": (
        b"ccopy_reg\n_reconstructor\nc__builtin__\nlist\nc__builtin__\nobject\nN\x87R.",
        "class",
    ),
    "a reconstruction with a base": (
        b"ccopy_reg\n_reconstructor\ncchumpy.ch\nCh\nc__builtin__\nlist\n](K\x01e\x87R.",
        "nothing",
    ),
    "a class of one's own": (b"c__builtin__\ntype\n.", "type"),
    "text in a code": (b"c_codecs\nencode\nU\x02hiU\x06base64\x86R.", "latin1"),
    "chumpy without a value": (b"cchumpy.ch\nCh\n)\x81}b.", "x"),
    "chumpy of text": (b"cchumpy.ch\nCh\n)\x81}U\x01xU\x01ysb.", "array"),
    "a torch file that is a pickle of a call": (
        b"ctorch.storage\n_load_from_bytes\nC\x0c" + b"cos\nsystem\n)R" + b"\x85R.",
        "",
    ),
    "a list in itself": (b"]\x94h\x00a.", "without end"),
    "a dictionary in itself": (b"}\x94U\x01ah\x00s.", "without end"),
    "deep nesting": (b"]" * 100_000 + b"a" * 99_999 + b".", "without end"),
    "deep tuples": (b")" + b"\x85" * 200_000 + b".", "without end"),
    "a list as a key": (b"}]K\x01s.", "key"),
    "keys that share a hash": (b"}\x8a\x09" + (2**61 - 1 << 3).to_bytes(9, "little") + b"K\x01s.", "key"),
    "a number of a million digits": (b"I" + b"9" * 1_000_000 + b"\n.", "digits"),
    "a long number": (b"\x8b" + struct.pack("<I", 100_000) + b"\xff" * 100_000 + b".", "digits"),
}


@pytest.mark.parametrize("attempt", HOSTILE)
def test_what_asks_for_more_than_numbers_is_refused_and_not_run(attempt: str) -> None:
    content, word = HOSTILE[attempt]
    with nothing_happens(), pytest.raises(BadWeights) as refusal:
        arrays_of(content, "head.pkl")
    assert "'head.pkl'" in str(refusal.value)
    assert "nothing in it was executed" in str(refusal.value)
    assert word in str(refusal.value)
    if word:
        assert refusal.type is UnsafePickle


def bomb(levels: int) -> bytes:
    """Lists of ten references to the list before."""
    refer = b"".join(b"]\x94(" + (b"j" + struct.pack("<I", level)) * 10 + b"e" for level in range(levels))
    return b"\x80\x04]\x94K\x01a" + refer + b"."


def repeated_array(times: int, size: int) -> bytes:
    """The same bytes as many arrays."""
    made = ARRAY + b"(K\x01J" + struct.pack("<i", size) + b"\x85cnumpy\ndtype\nU\x02u1\x85R\x89h\x00tb"
    return b"\x80\x04B" + struct.pack("<I", size) + b"\x00" * size + b"\x940](" + made * times + b"e."


def sparse(rows: int, columns: int) -> bytes:
    matrix = scipy.sparse.csc_matrix((1, 1))
    content = pickle.dumps(matrix, 2)
    shape = pickle.dumps((1, 1), 2)[2:-3]
    assert shape in content
    return content.replace(shape, b"J" + struct.pack("<i", rows) + b"J" + struct.pack("<i", columns) + b"\x86")


BOMBS = {
    "laughing lists": bomb(30),
    "a memo of four thousand million": b"\x80\x02Nr\xff\xff\xff\xffj\xfe\xff\xff\xff.",
    "bytes that are not there": b"\x8e" + struct.pack("<Q", 1 << 62) + b".",
    "text that is not there": b"X\xff\xff\xff\x7fab.",
    "a frame that is not there": b"\x80\x04\x95" + struct.pack("<Q", 1 << 62) + b"N",
    "a huge shape": ARRAY + b"(K\x01J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86cnumpy\ndtype\nU\x02f8\x85R\x89C\x00tb.",
    "a shape below zero": ARRAY + b"(K\x01J\xff\xff\xff\xff\x85cnumpy\ndtype\nU\x02f8\x85R\x89C\x00tb.",
    "a shape of a hundred axes": ARRAY + b"(K\x01(" + b"K\x01" * 100 + b"tcnumpy\ndtype\nU\x02u1\x85R\x89C\x01atb.",
    "one array many times": repeated_array(40, 1 << 25),
    "a huge sparse matrix": sparse(2**31 - 1, 2**31 - 1),
    "many steps": b"N0" * 3_000_000 + b".",
    "many marks": b"(" * 1_000_000 + b".",
    "nothing": b"\x80\x02.",
    "an end too early": b"\x80\x02}",
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_soon_and_without_the_memory(name: str) -> None:
    started = time.process_time()
    with nothing_happens(), pytest.raises(BadWeights, match=r"'bomb\.pkl'"):
        arrays_of(BOMBS[name], "bomb.pkl")
    assert time.process_time() - started < 10


def zipped(name: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return stream.getvalue()


def npy(header: str, content: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode("latin1") + content


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (9999999999, 9999999999), }"), "damaged"),
        (npy("{'descr': [('a', 'O')], 'fortran_order': False, 'shape': (), }"), "named fields"),
        (npy("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", SYSTEM + CANARY + b"\x85R."), "os.system"),
        (npy("__import__('os').system('true')"), "kind"),
        (npy("(" * 9000), "kind"),
        (b"\x93NUMPY\x02\x00" + struct.pack("<I", 1 << 31), "damaged"),
        (b"\x93NUMPY", "damaged"),
        (b"PK\x03\x04nonsense", "damaged"),
        (zipped("data.pkl", b"N."), "archive"),
        (zipped("a.npy", b"no array"), "damaged"),
        (zipped("a.npy", npy("{'descr': '|O', 'fortran_order': False, 'shape': (), }", SYSTEM + b")R.")), "os.system"),
        (b"<!DOCTYPE html><html>log in</html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
        (b"", "empty"),
        (b"\x00" * 100, "opcode"),
    ],
)
def test_files_that_are_no_arrays_are_refused(content: bytes, says: str) -> None:
    with nothing_happens(), pytest.raises(BadWeights, match=says):
        arrays_of(content, "x")


def test_an_archive_that_unpacks_to_too_much_is_refused_before_it_is_unpacked() -> None:
    content = bytearray(zipped("a.npy", npy("{'descr': '|u1', 'fortran_order': False, 'shape': (4,), }", b"abcd")))
    size = content.rindex(b"PK\x01\x02") + 24
    content[size : size + 4] = struct.pack("<I", 3 << 30)
    with pytest.raises(UnsafePickle, match="MB"):
        arrays_of(bytes(content), "x.npz")


def test_an_archive_that_lies_about_its_size_unpacks_no_more_than_it_says() -> None:
    header = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (4,), }", b"abcd")
    content = bytearray(zipped("a.npy", header + b"\x00" * (256 << 20)))
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = content.rindex(mark) + offset
        content[at : at + 4] = struct.pack("<I", len(header))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(BadWeights):  # the sum of what was left out is missing
        arrays_of(bytes(content), "x.npz")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_an_archive_packed_as_numpy_never_does_is_refused() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a.npy", npy("{'descr': '|u1', 'fortran_order': False, 'shape': (4,), }", b"abcd"))
    with pytest.raises(UnsafePickle, match="packed"):
        arrays_of(stream.getvalue(), "x.npz")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.pkl"):
        with pytest.raises(BadWeights):
            read_arrays(path)
    with open(tmp_path / "large.pkl", "wb") as file:
        file.truncate(600 << 20)
    with pytest.raises(BadWeights, match="512 MB"):
        read_arrays(tmp_path / "large.pkl")


def _seeds() -> list[bytes]:
    model = {**flame(identity=2, expression=1), "J_regressor": scipy.sparse.csc_matrix(flame()["J_regressor"])}
    with chumpy() as made:
        model["weights"] = made.Ch(x=model["weights"], _depends_on_deps={}, _dirty_vars=set())
        pickles = [pickle.dumps({**model, "lmk": torch.ones(3)}, protocol) for protocol in PROTOCOLS]
    stream = io.BytesIO()
    np.savez(stream, **{name: value for name, value in flame(2, 1).items() if isinstance(value, np.ndarray)})
    return [*pickles, stream.getvalue()]


SEEDS = _seeds()
EDITS = st.lists(st.tuples(st.integers(0, 2**31), st.integers(0, 255), st.integers(0, 3)), min_size=1, max_size=12)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.sampled_from(range(len(SEEDS))), edits=EDITS, cut=st.one_of(st.none(), st.integers(0, 4000)))
def test_damage_is_refused_or_read_but_never_run(seed: int, edits: list[tuple[int, int, int]], cut: int | None) -> None:
    content = bytearray(SEEDS[seed])
    for place, value, kind in edits:
        at = place % len(content)
        if kind == 0:
            content[at] = value
        elif kind == 1:
            content[at] ^= 1 << value % 8
        elif kind == 2:
            del content[at : at + value % 16]
        else:
            content[at:at] = bytes([value])
    with nothing_happens():
        try:
            arrays_of(bytes(content[:cut]), "x.pkl")
        except BadWeights:
            return


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=300))
def test_noise_is_refused_or_read_but_never_run(noise: bytes) -> None:
    for start in (b"", b"\x80\x02", b"\x93NUMPY\x01\x00", b"PK\x03\x04"):
        with nothing_happens():
            try:
                arrays_of(start + noise, "x")
            except BadWeights:
                continue
