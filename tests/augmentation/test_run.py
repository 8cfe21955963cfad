"""A run: everything accounted for, the same bytes whoever works on it, and labels that were looked at."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from faceforge.augmentation.blocks import Agenda
from faceforge.augmentation.layouts import LAYOUTS
from faceforge.augmentation.plan import Plan
from faceforge.augmentation.report import Report
from faceforge.augmentation.running import maker, run
from faceforge.errors import BadSpec, CannotWrite
from faceforge.io.provenance import read_provenance
from faceforge.spec import EditSpec
from tests.augmentation.sources import Roller, contents, faces, noise, plan
from tests.augmentation.test_items import picture, shard

BLIND: dict[str, Any] = {"gates": {"measure": False}}


def rows(folder: Path) -> list[dict[str, Any]]:
    tables = sorted(folder.glob("images/*/metadata.jsonl"))
    return [json.loads(line) for table in tables for line in table.read_text().splitlines()]


def test_every_variant_is_written_with_what_was_asked_and_what_is_seen(tmp_path: Path) -> None:
    written = run(plan(faces(tmp_path / "in")), tmp_path / "out")
    assert (written.report.pictures, written.new) == (4, 4)
    for row in rows(tmp_path / "out"):
        (path,) = (tmp_path / "out/images").glob(f"*/{row['file_name']}")
        told = read_provenance(path)
        assert EditSpec(**told["spec"]) == EditSpec.from_json(row["spec"])
        assert told["augmentation"]["source"] == row["source"]
        assert told["label"] == "AI-edited"
        assert 1 <= row["requested"]["AU12"] <= 3
        assert row["measured"]["AU12"] > 0.3
        assert row["identity"] > 0.7
        assert row["source_sha256"] == told["pictures"]["source"]["sha256"]


@pytest.mark.slow
def test_the_number_of_workers_changes_no_byte(tmp_path: Path) -> None:
    given = plan(faces(tmp_path / "in", 3), block=1, gates={"fidelity": 0.5, "attempts": 2}, output={"sources": True})
    for workers in (1, 2):
        run(given, tmp_path / str(workers), workers=workers)
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def test_nor_does_the_order_of_the_blocks_or_what_was_made_before(tmp_path: Path, roller: Roller) -> None:
    given = plan(noise(tmp_path / "in", 9), block=2, **BLIND)

    def backwards(work: Any, blocks: Any) -> Iterator[Report]:
        yield from map(work, reversed(list(blocks)))

    run(given, tmp_path / "one")
    run(given, tmp_path / "two", engine=backwards)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_variant_that_fails_a_gate_is_drawn_anew_and_given_up_with_its_reasons(tmp_path: Path) -> None:
    given = plan(faces(tmp_path / "in", 1), gates={"fidelity": 0.999, "identity": 0.1, "attempts": 2})
    report = run(given, tmp_path / "out").report
    lines = [json.loads(line) for line in (tmp_path / "out/rejected.jsonl").read_text().splitlines()]
    assert (report.pictures, report.failed) == (0, {"fidelity": 4})
    assert [(line["source"], line["variant"], line["reasons"]) for line in lines] == [
        ("p0.png", 0, ["fidelity"]),
        ("p0.png", 1, ["fidelity"]),
    ]
    assert rows(tmp_path / "out") == []


def test_a_second_attempt_is_another_draw_and_says_so(tmp_path: Path) -> None:
    folder = faces(tmp_path / "in", 1)
    both = {"aus": {"AU12": {"choice": [-4, 2]}}}  # a neutral mouth cannot smile less
    given = plan(folder, variants=6, edit=both, gates={"fidelity": 0.2, "attempts": 9})
    report = run(given, tmp_path / "out").report
    found = rows(tmp_path / "out")
    assert report.pictures == 6
    assert {row["requested"]["AU12"] for row in found} == {2.0}
    assert sum(row["attempt"] for row in found) == sum(report.failed.values()) > 0


@pytest.mark.parametrize("layout", ["images", "shards"])
def test_bad_sources_are_put_aside_and_the_run_goes_on(tmp_path: Path, roller: Roller, layout: str) -> None:
    folder = noise(tmp_path / "in", 3)
    (folder / "torn.png").write_bytes((folder / "n00.png").read_bytes()[:200])
    Image.new("RGB", (24, 24)).save(folder / "black.png")
    report = run(plan(folder, block=2, output={"layout": layout}, **BLIND), tmp_path / "out").report
    lines = [json.loads(line) for line in (tmp_path / "out/quarantined.jsonl").read_text().splitlines()]
    assert {line["source"]: "face" in line["reason"] for line in lines} == {"black.png": True, "torn.png": False}
    assert (report.sources, report.pictures) == (5, 6)


def test_a_variant_without_a_face_is_no_picture_of_one(tmp_path: Path, roller: Roller) -> None:
    report = run(plan(noise(tmp_path / "in", 1), gates={"attempts": 1}), tmp_path / "out").report
    assert (report.pictures, report.failed) == (0, {"face": 2})


def test_targets_are_reached_over_the_output_with_its_sources(tmp_path: Path, roller: Roller) -> None:
    folder = noise(tmp_path / "in", 6)
    table = "".join(json.dumps({"file_name": path.name, "smile": "no"}) + "\n" for path in sorted(folder.glob("*.png")))
    (folder / "metadata.jsonl").write_text(table)
    bins = {"yes": {"share": 1, "edit": {"aus": {"AU12": 3}}}, "no": {"share": 1, "labels": {"smile": "no"}}}
    given = plan(folder, edit={}, targets={"smile": bins}, output={"sources": True}, block=2, **BLIND)
    report = run(given, tmp_path / "out").report
    assert report.targets == {"smile": {"yes": 9, "no": 9}}
    for row in rows(tmp_path / "out"):
        assert (row["requested"]["AU12"] == 3) is (row["targets"]["smile"] == "yes")
        (path,) = (tmp_path / "out/images").glob(f"*/{row['file_name']}")
        assert (row["variant"] is None) is ("Description" not in Image.open(path).info)  # a source is not called edited


@pytest.mark.parametrize("layout", ["images", "shards"])
def test_a_finished_run_is_left_as_it_is_and_an_unfinished_one_completed(
    tmp_path: Path, roller: Roller, layout: str
) -> None:
    (noise(tmp_path / "in", 5) / "n03.png").write_bytes(b"torn")
    given = plan(tmp_path / "in", block=2, output={"layout": layout}, **BLIND)
    run(given, tmp_path / "out")
    before = contents(tmp_path / "out")
    assert run(given, tmp_path / "out").new == 0
    lost = LAYOUTS[layout](tmp_path / "out")
    for torn in (lost.path(1), lost.place / ".faceforge-1234.tar"):
        torn.rename(torn.with_name(".faceforge-torn")) if torn.exists() else torn.write_text("half")
    assert run(given, tmp_path / "out").new == 2
    assert contents(tmp_path / "out") == before


@pytest.mark.parametrize("layout", ["images", "shards"])
def test_what_workers_that_died_left_behind_is_gone_at_the_end(tmp_path: Path, roller: Roller, layout: str) -> None:
    given = plan(noise(tmp_path / "in", 2), output={"layout": layout}, **BLIND)

    def losing(work: Any, blocks: Any) -> Iterator[Report]:
        torn = tmp_path / f"out/{layout}/.faceforge-dead"
        torn.mkdir()
        (torn / "half.png").write_bytes(b"half")
        (tmp_path / "out/blocks/.faceforge-dead.json").write_text("{")
        yield from map(work, blocks)

    run(given, tmp_path / "whole")
    run(given, tmp_path / "out", engine=losing)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_names_in_a_shard_lead_nowhere(tmp_path: Path, roller: Roller) -> None:
    (tmp_path / "in").mkdir()
    hostile = ["../../outside", "/abs", "a/../../b", "con\n", "x" * 90]
    shard(tmp_path / "in/a.tar", {f"{name}.png": picture() for name in hostile})
    given = Plan.of({"input": {"shards": str(tmp_path / "in/*.tar")}, "variants": 1, **BLIND})
    assert run(given, tmp_path / "here/out").report.pictures == len(hostile)
    assert {path.name for path in tmp_path.iterdir()} == {"in", "here"}
    assert {path.name for path in (tmp_path / "here").iterdir()} == {"out"}
    assert all(row["file_name"].startswith("000000") for row in rows(tmp_path / "here/out"))


def test_another_plan_or_other_sources_in_the_same_folder_are_refused(tmp_path: Path, roller: Roller) -> None:
    folder = noise(tmp_path / "in", 2)
    run(plan(folder, **BLIND), tmp_path / "out")
    with pytest.raises(BadSpec, match="seed was None and is 5"):
        run(plan(folder, seed=5, **BLIND), tmp_path / "out")
    Image.effect_noise((24, 24), 9).save(folder / "new.png")
    with pytest.raises(BadSpec, match="sources was"):
        run(plan(folder, **BLIND), tmp_path / "out")


def test_a_folder_in_which_nothing_was_made_may_be_asked_for_something_else(tmp_path: Path, roller: Roller) -> None:
    folder = noise(tmp_path / "in", 2)

    def broken(work: Any, blocks: Any) -> Iterator[Report]:
        raise BadSpec("no such model")

    with pytest.raises(BadSpec, match="no such model"):
        run(plan(folder, model="typo", **BLIND), tmp_path / "out", engine=broken)
    assert run(plan(folder, **BLIND), tmp_path / "out").new == 4


@pytest.mark.slow
def test_networks_edit_in_batches_across_sources_whatever_was_made_before(tmp_path: Path) -> None:
    edit = {"prompt": {"choice": ["a smile", "a frown"]}, "steps": 2}
    given = plan(noise(tmp_path / "in", 6), model="tiny", edit=edit, block=3, variants=2, batch=4, **BLIND)

    def backwards(work: Any, blocks: Any) -> Iterator[Report]:
        yield from map(work, reversed(list(blocks)))

    assert run(given, tmp_path / "one").report.pictures == 12
    run(given, tmp_path / "two", engine=backwards)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_folder_with_somebody_else_s_files_is_left_alone(tmp_path: Path, roller: Roller) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.txt").write_text("mine")
    with pytest.raises(CannotWrite, match=r"thesis\.txt"):
        run(plan(noise(tmp_path / "in", 1), **BLIND), tmp_path / "out")
    assert contents(tmp_path / "out") == {"thesis.txt": b"mine"}


def test_a_plan_without_a_place_to_write_to_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSpec, match=r"output\.folder"):
        run(plan(noise(tmp_path / "in", 1)))


def test_blocks_hold_every_source_once(tmp_path: Path) -> None:
    agenda = Agenda.of(plan(noise(tmp_path / "in", 7), block=3))
    numbers = [source.number for block in range(len(agenda)) for source in agenda.block(block).sources]
    assert numbers == list(range(7))


def test_a_block_is_made_alike_alone_and_after_others(tmp_path: Path) -> None:
    agenda = Agenda.of(plan(faces(tmp_path / "in", 2), block=1, variants=1))
    own = maker(agenda.plan)
    after = [list(own.make(agenda.block(number), Report())) for number in (0, 1)][1]
    alone = list(maker(agenda.plan).make(agenda.block(1), Report()))
    assert [each.row for each in after] == [each.row for each in alone]
    assert [each.picture.image.tobytes() for each in after] == [each.picture.image.tobytes() for each in alone]  # type: ignore[union-attr]
