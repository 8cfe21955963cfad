import os
import pickle
import resource
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from faceforge.errors import BadWeights, CannotWrite, FaceForgeError
from faceforge.io.weights import hash_of, read_tensors, tensor_hashes, without_prefix, write_tensors

SUFFIXES = (".safetensors", ".ckpt", ".pt", ".pth", ".bin")
DTYPES = (torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.bool, torch.uint8)


def some_tensors() -> dict[str, Tensor]:
    return {"proj.weight": torch.arange(6.0).reshape(2, 3), "scale": torch.tensor(0.5, dtype=torch.bfloat16)}


def assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) and one[name].dtype == other[name].dtype for name in one)


def save(content: Any, path: Path) -> Path:
    if path.suffix == ".safetensors":
        save_file(content, path)
    else:
        torch.save(content, path)
    return path


class Touch:
    """A pickle of this creates a file when it is loaded carelessly."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch '{self.path}'",)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_suffix_is_read(tmp_path: Path, suffix: str) -> None:
    assert_same(read_tensors(save(some_tensors(), tmp_path / f"w{suffix}")), some_tensors())


def test_the_old_format_of_pytorch_is_read(tmp_path: Path) -> None:
    torch.save(some_tensors(), tmp_path / "w.ckpt", _use_new_zipfile_serialization=False)
    assert_same(read_tensors(tmp_path / "w.ckpt"), some_tensors())


def test_nested_dicts_are_flattened_with_dots(tmp_path: Path) -> None:
    nested = {"image_proj": {"proj": {"0.weight": torch.ones(2)}}, "ip_adapter": {"1": torch.zeros(3)}}
    flat = {"image_proj.proj.0.weight": torch.ones(2), "ip_adapter.1": torch.zeros(3)}
    assert_same(read_tensors(save(nested, tmp_path / "ip.bin")), flat)


def test_an_outer_state_dict_is_unwrapped_and_what_lies_beside_it_is_ignored(tmp_path: Path) -> None:
    checkpoint = {"epoch": 3, "state_dict": some_tensors(), "optimizer": {"lr": 0.1}}
    assert_same(read_tensors(save(checkpoint, tmp_path / "w.ckpt")), some_tensors())


def test_parameters_become_plain_tensors_without_gradients(tmp_path: Path) -> None:
    parameter = torch.nn.Parameter(torch.ones(3))
    assert not read_tensors(save({"w": parameter}, tmp_path / "w.pt"))["w"].requires_grad


@pytest.mark.parametrize(
    "nested", [{"a": {"b": torch.ones(1)}, "a.b": torch.ones(1)}, {1: torch.ones(1), "1": torch.ones(1)}]
)
def test_two_tensors_of_one_name_are_refused(tmp_path: Path, nested: dict[Any, Any]) -> None:
    with pytest.raises(BadWeights, match="two tensors called"):
        read_tensors(save(nested, tmp_path / "w.pt"))


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        ({"a": torch.ones(1), "epoch": 3}, "a int at 'epoch'"),
        ({"layers": {"a": None}}, "a NoneType at 'layers.a'"),
        ([torch.ones(1)], "a list at ''"),
        ({"a": torch.eye(3).to_sparse()}, "only dense tensors"),
        ({"a": torch.zeros(1).expand(10**12)}, "only dense tensors"),
        ({}, "holds no tensors"),
    ],
)
def test_anything_but_dense_tensors_is_refused_by_name(tmp_path: Path, content: Any, refusal: str) -> None:
    with pytest.raises(BadWeights, match=refusal):
        read_tensors(save(content, tmp_path / "w.pt"))


def test_a_dict_that_contains_itself_is_refused(tmp_path: Path) -> None:
    endless: dict[str, Any] = {"a": torch.ones(1)}
    endless["b"] = endless
    with pytest.raises(BadWeights, match="without end"):
        read_tensors(save(endless, tmp_path / "w.pt"))


@pytest.mark.parametrize("how", ["zip", "old", "bare"])
def test_a_hostile_pickle_is_refused_and_does_nothing(tmp_path: Path, how: str) -> None:
    path, trace = tmp_path / "w.ckpt", tmp_path / "trace"
    content = {"state_dict": {"a": torch.ones(1), "b": Touch(trace)}}
    if how == "bare":
        path.write_bytes(pickle.dumps({"b": Touch(trace)}, protocol=2))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=how == "zip")
    with pytest.raises(BadWeights, match=r"'posix\.system'.*nothing in the file was executed") as refusal:
        read_tensors(path)
    assert not trace.exists()
    assert "\n" not in str(refusal.value)
    with suppress(RuntimeError):  # the proof that the file was dangerous
        torch.load(path, weights_only=False)
    assert trace.exists()


def test_a_pickle_of_somebodys_class_is_refused_with_its_name(tmp_path: Path) -> None:
    save({"a": Fraction(1, 2)}, tmp_path / "w.pt")
    with pytest.raises(BadWeights, match=r"'fractions\.Fraction'"):
        read_tensors(tmp_path / "w.pt")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kept", [0.02, 0.5, 0.99])
def test_a_truncated_file_is_refused(tmp_path: Path, suffix: str, kept: float) -> None:
    path = save({"a": torch.randn(1000)}, tmp_path / f"w{suffix}")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(BadWeights, match="cut off"):
        read_tensors(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_a_failed_download_leaves_behind_is_recognised(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"w{suffix}"
    for content, refusal in {
        b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n": "Git LFS pointer.*git lfs pull",
        b"\n<!DOCTYPE html><html><body>Log in</body></html>": "is a web page",
        b"<html>403</html>": "is a web page",
        b"": "is empty",
    }.items():
        path.write_bytes(content)
        with pytest.raises(BadWeights, match=refusal):
            read_tensors(path)


def test_missing_files_folders_and_other_suffixes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "w.onnx").write_bytes(b"x")
    for path, refusal in {
        tmp_path / "w.pt": "There is no file",
        tmp_path: "is a folder",
        tmp_path / "w.onnx": r"ends in \.safetensors, \.ckpt",
    }.items():
        with pytest.raises(BadWeights, match=refusal):
            read_tensors(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    data=st.binary(max_size=200), suffix=st.sampled_from(SUFFIXES), magic=st.sampled_from([b"", b"\x80\x02", b"PK\3\4"])
)
def test_random_bytes_are_a_refusal_and_nothing_else(tmp_path: Path, data: bytes, suffix: str, magic: bytes) -> None:
    path = tmp_path / f"w{suffix}"
    path.write_bytes(magic + data)
    with pytest.raises(FaceForgeError) as refusal:
        read_tensors(path)
    assert "\n" not in str(refusal.value)


def test_prefixes_are_removed_in_turn_where_they_are() -> None:
    one = torch.ones(1)
    names = ["module.unet.a", "unet.b", "module.c", "d"]
    assert list(without_prefix(dict.fromkeys(names, one), "module.", "unet.")) == ["a", "b", "c", "d"]


def test_a_prefix_whose_removal_merges_two_tensors_is_refused() -> None:
    with pytest.raises(BadWeights, match=r"'a' once 'module\.a'"):
        without_prefix({"a": torch.ones(1), "module.a": torch.ones(1)}, "module.")


def test_written_tensors_and_metadata_come_back(tmp_path: Path) -> None:
    write_tensors(tmp_path / "w.safetensors", some_tensors(), {"plugin": "à-tokens"})
    assert_same(read_tensors(tmp_path / "w.safetensors"), some_tensors())
    with safe_open(tmp_path / "w.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt", "plugin": "à-tokens"}


def test_tied_sliced_and_transposed_tensors_are_written_as_their_values(tmp_path: Path) -> None:
    base = torch.randn(4, 6)
    views = {"whole": base, "tied": base, "top": base[:2], "turned": base.T, "parameter": torch.nn.Parameter(base)}
    write_tensors(tmp_path / "w.safetensors", views)
    assert_same(read_tensors(tmp_path / "w.safetensors"), {name: view.detach() for name, view in views.items()})


def test_tensors_read_from_a_file_survive_its_replacement(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    write_tensors(path, {"a": torch.ones(1000)})
    read = read_tensors(path)
    write_tensors(path, {"a": read["a"] * 2})
    assert read["a"].sum() == 1000
    assert read_tensors(path)["a"].sum() == 2000


def test_weights_cut_short_by_the_system_keep_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    write_tensors(path, some_tensors())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, limits[1]))
    try:
        with pytest.raises(CannotWrite, match="File too large"):
            write_tensors(path, {"a": torch.zeros(10_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert_same(read_tensors(path), some_tensors())
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("dtype", DTYPES)
def test_hashes_survive_a_round_trip(tmp_path: Path, dtype: torch.dtype) -> None:
    tensors = {"a": torch.tensor([[0, 1], [2, 3]]).to(dtype), "empty": torch.zeros(0, 4, dtype=dtype)}
    write_tensors(tmp_path / "w.safetensors", tensors)
    assert tensor_hashes(read_tensors(tmp_path / "w.safetensors")) == tensor_hashes(tensors)
    assert all(len(digest) == 16 for digest in tensor_hashes(tensors).values())


def test_a_view_hashes_like_its_copy() -> None:
    base = torch.randn(4, 6)
    assert tensor_hashes({"a": base.T}) == tensor_hashes({"a": base.T.clone(memory_format=torch.contiguous_format)})


def test_dtype_shape_bytes_and_name_all_count() -> None:
    zeros = torch.zeros(2, 3)
    others = [zeros.to(torch.int32), zeros.reshape(3, 2), zeros + 1e-30, torch.tensor(0.0)]
    hashes = {hash_of({"a": tensor}) for tensor in [zeros, *others]} | {hash_of({"b": zeros})}
    assert len(hashes) == 6


def test_the_combined_hash_ignores_the_order_of_names() -> None:
    tensors = some_tensors()
    assert hash_of(tensors) == hash_of(dict(reversed(tensors.items())))
    swapped = dict(zip(tensors, reversed(tensors.values()), strict=True))
    assert hash_of(tensors) != hash_of(swapped)
