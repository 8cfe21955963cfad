"""The plan from Python: records, a transform, and a function for `datasets.map`."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import faceforge
from faceforge.augmentation.plan import Plan
from faceforge.augmentation.report import Report
from faceforge.augmentation.running import run
from faceforge.augmentation.training import Mapper, Transform
from faceforge.errors import BadSpec
from tests.augmentation.sources import Roller, noise, plan
from tests.augmentation.test_run import rows

BLIND: dict[str, Any] = {"gates": {"measure": False}}
SMILE: dict[str, Any] = {"edit": {"aus": {"AU12": {"uniform": [1.0, 3.0]}}}, **BLIND}


def test_records_are_the_pictures_and_rows_that_the_command_writes(tmp_path: Path, roller: Roller) -> None:
    given = plan(noise(tmp_path / "in", 5), block=2, output={"sources": True}, **BLIND)
    run(given, tmp_path / "out")
    records = list(faceforge.augment(given))
    assert [record.labels for record in records] == rows(tmp_path / "out")
    for record in records:
        (path,) = (tmp_path / "out/images").glob(f"*/{record.labels['file_name']}")
        assert np.array_equal(np.asarray(record.image), np.asarray(Image.open(path)))


def test_plans_come_as_mappings_and_files_too(tmp_path: Path, roller: Roller) -> None:
    noise(tmp_path / "in", 1)
    told = {"input": {"folder": "in"}, "variants": 1, **SMILE}
    (tmp_path / "plan.json").write_text(json.dumps(told))
    (from_file,) = faceforge.augment(tmp_path / "plan.json")
    (from_mapping,) = faceforge.augment({**told, "input": {"folder": str(tmp_path / "in")}})
    assert from_file.labels == from_mapping.labels


def test_what_does_not_come_is_told(tmp_path: Path, roller: Roller) -> None:
    folder = noise(tmp_path / "in", 1)
    (folder / "torn.png").write_bytes(b"torn")
    with pytest.warns(UserWarning, match="1 sources in quarantine"):
        list(faceforge.augment(plan(folder, **BLIND)))
    report = Report()
    list(faceforge.augment(plan(folder, **BLIND), report=report))
    assert [each["source"] for each in report.quarantined] == ["torn.png"]


def test_a_plan_that_is_refused_is_refused_before_any_picture() -> None:
    with pytest.raises(BadSpec, match="variants"):
        next(faceforge.augment({"varants": 3}))


def test_a_transform_follows_torch_s_seed_and_keeps_the_kind_of_its_picture(roller: Roller) -> None:
    transform, image = Transform(SMILE), Image.effect_noise((24, 24), 60).convert("RGB")
    torch.manual_seed(3)
    first, second = transform(image), transform(image)
    torch.manual_seed(3)
    again = transform(np.asarray(image))
    assert isinstance(first, Image.Image)
    assert isinstance(again, np.ndarray)
    assert np.array_equal(np.asarray(first), again)
    assert not np.array_equal(np.asarray(first), np.asarray(second))


def test_a_transform_edits_as_often_as_it_is_told_and_reports_what_it_could_not(roller: Roller) -> None:
    image = Image.effect_noise((24, 24), 60).convert("RGB")
    torch.manual_seed(0)
    seldom = Transform(SMILE, probability=0.25)
    kept = sum(seldom(image) is image for _ in range(80))
    assert 50 <= kept <= 70
    black = Image.new("RGB", (24, 24))
    faceless = Transform(SMILE)
    assert faceless(black) is black
    assert len(faceless.report.quarantined) == 1


def test_a_transform_brings_the_labels_of_its_edit_and_bins_by_chance(roller: Roller) -> None:
    bins = {"smile": {"share": 3, "edit": {"aus": {"AU12": 3.0}}}, "rest": {"share": 1, "edit": {"aus": {"AU12": 0.0}}}}
    transform = Transform({"targets": {"mouth": bins}, **BLIND})
    image = Image.effect_noise((24, 24), 60).convert("RGB")
    torch.manual_seed(0)
    found = [record.labels for _ in range(60) if (record := transform.record(image, {"sex": "female"}))]
    assert {(row["targets"]["mouth"], row["requested"]["AU12"]) for row in found} == {("smile", 3.0), ("rest", 0.0)}
    assert 0.6 < sum(row["targets"]["mouth"] == "smile" for row in found) / 60 < 0.9
    assert found[0]["source_labels"] == '{"sex": "female"}'


def test_transforms_and_mappers_go_to_other_processes(roller: Roller) -> None:
    transform = Transform(SMILE)
    transform(Image.effect_noise((24, 24), 60).convert("RGB"))
    assert "_maker" not in vars(pickle.loads(pickle.dumps(transform)))
    assert pickle.loads(pickle.dumps(Mapper(SMILE))).plan.plain() == Plan.of(SMILE).plain()


def test_a_mapper_makes_rows_of_variants_that_depend_on_the_row_alone(roller: Roller) -> None:
    pictures = [Image.effect_noise((24, 24), 60).convert("RGB") for _ in range(3)]
    mapper = Mapper({"variants": 2, **SMILE})
    batch = {"image": pictures, "sex": ["f", "m", "f"]}
    whole = mapper(batch, [0, 1, 2])
    alone = mapper({name: column[1:2] for name, column in batch.items()}, [1])
    assert whole["source"] == ["0", "0", "1", "1", "2", "2"]
    assert alone["spec"] == whole["spec"][2:4]
    assert [np.asarray(each).tobytes() for each in alone["image"]] == [
        np.asarray(each).tobytes() for each in whole["image"][2:4]
    ]
    with pytest.warns(UserWarning, match="quarantine"):
        nothing = mapper({"image": [b"torn"]}, [9])
    assert nothing == {name: [] for name in whole}
