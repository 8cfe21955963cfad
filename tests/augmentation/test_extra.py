"""What needs the extra `augment`: Ray, Parquet, and the readers for whom the output is written."""

import os
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from faceforge.augmentation.cluster import LOCAL, on_ray
from faceforge.augmentation.plan import Plan
from faceforge.augmentation.report import Report
from faceforge.augmentation.running import run
from faceforge.augmentation.training import Mapper
from faceforge.errors import CannotWrite, MissingPackage
from tests.augmentation.sources import Roller, contents, faces, noise, plan

BLIND: dict[str, Any] = {"gates": {"measure": False}}
ROOT = Path(__file__).parents[2]


def needs(package: str) -> Any:
    return pytest.importorskip(package, reason=f"{package} is not installed: the test needs the extra augment")


@pytest.fixture
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is cached beside the user's own data sets."""
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A cluster of two workers on this machine."""
    ray = needs("ray")
    paths = [str(ROOT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    runtime = {"env_vars": {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "OMP_NUM_THREADS": "1"}}
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, runtime_env=runtime)
    yield ray
    ray.shutdown()


@pytest.mark.slow
def test_a_cluster_writes_the_same_bytes_though_a_worker_is_killed_in_the_middle(tmp_path: Path, cluster: Any) -> None:
    given = plan(faces(tmp_path / "in", 4), block=1, output={"sources": True})
    run(given, tmp_path / "here")
    engine, killed = on_ray(LOCAL, workers=2), list[int]()
    watcher = threading.Thread(target=_kill_one, args=(tmp_path / "there", killed))
    watcher.start()
    run(given, tmp_path / "there", engine=engine)
    watcher.join()
    assert len(killed) == 1
    assert contents(tmp_path / "there") == contents(tmp_path / "here")


def _kill_one(folder: Path, killed: list[int]) -> None:
    """Kill one of our two workers as soon as the first block is written, while the others are under way."""
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and not list(folder.glob("blocks/[!.]*")):
        time.sleep(0.02)
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            name = entry.read_bytes()
        except OSError:
            continue
        if b"MapBatches(_Worker)" in name:
            os.kill(int(entry.parent.name), 9)
            killed.append(int(entry.parent.name))
            return


@pytest.mark.slow
def test_what_a_worker_refuses_is_refused_here(cluster: Any) -> None:
    with pytest.raises(CannotWrite, match="no space for 3"):
        list(on_ray(LOCAL, workers=1)(_refuse, [3]))  # type: ignore[list-item, arg-type]


def _refuse(block: int) -> Report:
    raise CannotWrite(f"no space for {block}")


def test_an_engine_can_be_carried_out_without_blocks_left(cluster: Any) -> None:
    assert list(on_ray(LOCAL, workers=2)(partial(_refuse), [])) == []


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(MissingPackage, match=r"faceforge\[augment\]"):
        on_ray(LOCAL, 1)


TARGETS = {"pose": {"left": {"share": 1, "edit": {"yaw_deg": -9}}, "right": {"share": 1, "edit": {"yaw_deg": 9}}}}


def mixed(tmp_path: Path, layout: str) -> Plan:
    """A plan whose output has measured and empty columns, and blocks of one kind only."""
    (noise(tmp_path / "in", 5) / "n03.png").write_bytes(b"torn")
    return plan(tmp_path / "in", block=2, targets=TARGETS, output={"layout": layout, "sources": True}, **BLIND)


def test_datasets_reads_a_folder_of_images_as_it_is(tmp_path: Path, roller: Roller, apart: None) -> None:
    datasets = needs("datasets")
    run(mixed(tmp_path, "images"), tmp_path / "out")
    for found in (
        datasets.load_dataset("imagefolder", data_dir=str(tmp_path / "out/images"), split="train"),
        datasets.load_dataset(str(tmp_path / "out"), split="train"),
    ):
        assert found.num_rows == 12
        assert {(row["source"], row["image"].height) for row in found} == {(f"n0{n}.png", 24) for n in (0, 1, 2, 4)}
        assert {row["targets"]["pose"] for row in found} == {"left", "right", ""}
        assert found[0]["requested"].keys() >= {"AU12", "AU4"}


def test_datasets_reads_parquet_with_the_pictures_inside(tmp_path: Path, roller: Roller, apart: None) -> None:
    needs("pyarrow")
    datasets = needs("datasets")
    run(mixed(tmp_path, "parquet"), tmp_path / "out")
    found = datasets.load_dataset("parquet", data_files=str(tmp_path / "out/data/*.parquet"), split="train")
    assert found.num_rows == 12
    assert found[0]["image"].size == (24, 24)
    assert (found[0]["variant"], found[1]["variant"], found[0]["identity"]) == (None, 0, None)


def test_webdataset_reads_shards_as_they_are(tmp_path: Path, roller: Roller) -> None:
    webdataset = needs("webdataset")
    run(mixed(tmp_path, "shards"), tmp_path / "out")
    shards = sorted(map(str, tmp_path.glob("out/shards/*.tar")))
    found = list(webdataset.WebDataset(shards, shardshuffle=False).decode("pil"))
    assert len(found) == 12
    assert all(f"{each['__key__']}.png" == each["json"]["file_name"] for each in found)
    assert found[1]["png"].size == (24, 24)


def test_parquet_and_datasets_come_in_too(tmp_path: Path, roller: Roller, apart: None) -> None:
    needs("pyarrow")
    datasets = needs("datasets")
    run(mixed(tmp_path, "images"), tmp_path / "out")
    again = {
        "variants": 1,
        "edit": {},
        "when": [{"labels": {"source": "n00.png"}, "edit": {"aus": {"AU4": 1}}}],
        **BLIND,
    }
    run(Plan.of({**again, "input": {"dataset": str(tmp_path / "out")}}), tmp_path / "from-dataset")
    table = datasets.load_dataset(str(tmp_path / "out"), split="train").remove_columns("image")
    table.add_column("picture", sorted(str(path) for path in tmp_path.glob("out/images/*/*.png"))).to_parquet(
        tmp_path / "table.parquet"
    )
    run(
        Plan.of({**again, "input": {"table": str(tmp_path / "table.parquet"), "image": "picture"}}),
        tmp_path / "from-table",
    )
    for place in ("from-dataset", "from-table"):
        written = b"".join(path.read_bytes() for path in sorted(tmp_path.glob(f"{place}/images/*/metadata.jsonl")))
        assert written.count(b'\\"AU4\\":1.0') == 3, place


def test_a_mapper_goes_through_datasets_map(tmp_path: Path, roller: Roller, apart: None) -> None:
    datasets = needs("datasets")
    before = datasets.load_dataset("imagefolder", data_dir=str(noise(tmp_path / "in", 3)), split="train")
    mapper = Mapper({"variants": 2, "edit": {"aus": {"AU12": 2.0}}, "targets": TARGETS, **BLIND})
    after = before.map(mapper, batched=True, with_indices=True, batch_size=2, remove_columns=before.column_names)
    assert list(after["source"]) == ["0", "0", "1", "1", "2", "2"]
    assert after[5]["image"].height == 24
