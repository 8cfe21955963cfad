"""Plans: strict, safe to read, and drawn from by seed and key alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from faceforge import assets
from faceforge.augmentation.conditions import fits
from faceforge.augmentation.items import items
from faceforge.augmentation.plan import Place, Plan
from faceforge.augmentation.strict import read_mapping
from faceforge.errors import BadSpec

INPUT = {"input": {"folder": "faces"}}


def specs(given: dict[str, Any], count: int = 40, labels: dict[str, Any] | None = None) -> list[Any]:
    plan = Plan.of({**INPUT, "variants": 1, **given})
    return [plan.wish(f"p{n}", labels or {}, {}, Place(n, 0)).spec for n in range(count)]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"variant": 3}, r"'variant' is not a key here. Did you mean 'variants'\?"),
        ({"edit": {"aus": {"AU12": {"unifrom": [0, 1]}}}}, r"edit.aus.AU12.*Did you mean 'uniform'\?"),
        ({"targets": {"pose": {"l": {"shre": 1}, "r": {"share": 1}}}}, r"targets.pose.l.*Did you mean 'share'\?"),
        ({"edit": {"aus": {"AU13": 1}}}, r"'AU13' is not an action unit"),
        ({"edit": {"aus": {"AU12": 1, "12": 2}}}, "AU12 is given twice"),
        ({"edit": {"size": 0}}, "greater than or equal to 1"),
        ({"edit": {"aus": {"AU12": {"uniform": [0, 99]}}}}, "out of range"),
        ({"edit": {"aus": {"AU12": float("nan")}}}, "finite"),
        ({"edit": {"yaw_deg": {"normal": [80, 10]}}}, "yaw_deg=110"),
        ({"edit": {"yaw_deg": {"uniform": [1, 0]}}}, "the wrong way round"),
        ({"edit": {"yaw_deg": {"uniform": [0, 1], "grid": [1]}}}, "uniform and grid"),
        ({"edit": {"yaw_deg": "ten"}}, "'ten' does not fit"),
        ({"edit": {"light": "windw"}}, r"Did you mean 'window'\?"),
        ({"edit": {"light": {"choice": ["window"], "weights": [1, 2]}}}, "do not fit 1 choices"),
        ({"edit": {"expression": {"presets": ["suprise"]}}}, r"Did you mean 'surprise'\?"),
        ({"input": {"folder": "a", "glob": "b"}}, "folder, glob"),
        ({"variants": "8"}, "variants='8' does not fit"),
        ({"gates": {"measure": False, "identity": 0.5}}, "'identity' needs to look"),
        ({"targets": {"pose": {"l": {"share": 0}, "r": {"share": 0}}}}, "All shares of 'pose' are 0"),
    ],
    ids=str,
)  # fmt: skip
def test_what_no_plan_says_is_refused_with_its_place(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(BadSpec, match=told):
        Plan.of({**INPUT, **wrong})


def test_a_plan_without_pictures_is_refused_with_where_to_get_one() -> None:
    with pytest.raises(BadSpec, match=r"names no input.*augment init"):
        items(Plan.of({"variants": 2}))


@pytest.mark.parametrize(
    "text",
    [
        "a: &x [1]\nb: *x",
        "variants: 1\nvariants: 2",
        "!!python/object/apply:os.system ['touch hacked']",
        "- 1",
        "a: [",
        "a: " + "[" * 5000,
    ],
    ids=["anchors", "twice", "python", "list", "torn", "deep"],
)
def test_yaml_is_data_and_nothing_else(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.yaml").write_text(text)
    with pytest.raises(BadSpec, match=r"plan\.yaml"):
        read_mapping("plan.yaml")
    assert not (tmp_path / "hacked").exists()


def test_json_says_the_same_as_yaml(tmp_path: Path) -> None:
    yaml = Path(assets.__file__).with_name("augment.yaml")
    (tmp_path / "plan.json").write_text(json.dumps(read_mapping(yaml)))
    assert Plan.read(tmp_path / "plan.json").plain() == Plan.read(yaml).plain()


def test_the_shipped_example_is_a_plan_and_paths_start_beside_it() -> None:
    example = Path(assets.__file__).with_name("augment.yaml")
    plan = Plan.read(example)
    assert plan.variants == 8
    assert plan.path("faces") == example.parent / "faces"


def test_a_plan_survives_as_plain_data() -> None:
    plan = Plan.read(Path(assets.__file__).with_name("augment.yaml"))
    again = Plan.of(json.loads(json.dumps(plan.plain())))
    assert again.plain() == plan.plain()
    assert [again.wish("p", {}, {"pose": "left"}, Place(n, 0)) for n in range(9)] == [
        plan.wish("p", {}, {"pose": "left"}, Place(n, 0)) for n in range(9)
    ]


def test_where_it_writes_to_is_no_part_of_what_it_makes() -> None:
    here, there = (Plan.of({**INPUT, "output": {"folder": name, "layout": "shards"}}) for name in ("here", "there"))
    assert here.plain() == there.plain() == {"input": {"folder": "faces"}, "output": {"layout": "shards"}}


def test_a_wish_depends_on_seed_key_variant_and_attempt_alone() -> None:
    plan = Plan.of({**INPUT, "edit": {"aus": {"AU12": {"uniform": [0, 3]}}}})
    first = plan.wish("p", {}, {}, Place(0, 0)).spec
    assert plan.wish("p", {}, {}, Place(7, 0)).spec == first
    others = [("q", Place(0, 0)), ("p", Place(0, 1)), ("p", Place(0, 0, attempt=1))]
    assert len({plan.wish(key, {}, {}, place).spec.aus["AU12"] for key, place in others} | {first.aus["AU12"]}) == 4
    assert plan.model_copy(update={"seed": 1}).wish("p", {}, {}, Place(0, 0)).spec != first


def test_one_more_field_moves_no_other() -> None:
    sampled = {"aus": {"AU12": {"uniform": [0, 3]}}, "light": {"choice": ["window", "studio", "top"]}}
    before = specs({"edit": sampled})
    after = specs({"edit": {**sampled, "aus": {**sampled["aus"], "AU4": {"uniform": [0, 1]}}, "roll_deg": 5.0}})
    assert [(each.aus["AU12"], each.light, each.seed) for each in before] == [
        (each.aus["AU12"], each.light, each.seed) for each in after
    ]


def test_a_grid_is_walked_over_sources_and_variants() -> None:
    plan = Plan.of(
        {**INPUT, "variants": 2, "edit": {"aus": {"AU12": {"grid": [1, 2]}}, "yaw_deg": {"grid": [-5, 0, 5]}}}
    )
    drawn = [plan.wish("p", {}, {}, Place(number, variant)).spec for number in range(3) for variant in range(2)]
    assert {(each.aus["AU12"], each.yaw_deg) for each in drawn} == {(a, y) for a in (1, 2) for y in (-5, 0, 5)}


def test_mixtures_and_single_units_add_up_and_end_at_what_can_be_asked() -> None:
    edit = {"expression": {"presets": ["polite-smile"]}, "aus": {"AU12": 9, "AU4": 1}}
    assert specs({"edit": edit}, 1)[0].aus == {"AU12": 10.0, "AU4": 1.0}


def test_labels_choose_the_first_rule_that_fits() -> None:
    given = {
        "edit": {"aus": {"AU12": 1, "AU4": 1}},
        "when": [
            {"labels": {"smile": {"least": 0.5}}, "edit": {"aus": {"AU12": -2}}},
            {"labels": {"sex": ["female", "male"]}, "edit": {"yaw_deg": 9}},
        ],
    }
    assert specs(given, 1, {"smile": "0.7", "sex": "female"})[0].aus == {"AU12": -2.0, "AU4": 1.0}
    assert specs(given, 1, {"smile": "0.1", "sex": "female"})[0].yaw_deg == 9.0
    assert specs(given, 1, {})[0].aus == {"AU12": 1.0, "AU4": 1.0}


@pytest.mark.parametrize(
    ("labels", "fit"),
    [({"age": 30}, True), ({"age": "30"}, True), ({"age": 61}, False), ({"age": "old"}, False), ({}, False)],
    ids=str,
)
def test_a_range_asks_for_numbers(labels: dict[str, Any], fit: bool) -> None:
    rule = Plan.of({**INPUT, "when": [{"labels": {"age": {"least": 18, "most": 60}}, "edit": {}}]}).when[0]
    assert fits(labels, rule.labels) is fit


def test_lights_come_by_name_or_from_directions() -> None:
    for light in ({"right": {"uniform": [-60, 60]}, "up": 20}, {"choice": ["window", "top"]}, "studio"):
        drawn = {each.light for each in specs({"edit": {"light": light}})}
        assert (len(drawn) > 1) is (light != "studio")


def test_what_only_generators_read_is_set_only_where_the_plan_says_so() -> None:
    (plain,), (full,) = specs({}, 1), specs({"edit": {"prompt": "a portrait", "strength": {"x": 0.5}, "steps": 4}}, 1)
    assert plain.model_fields_set == {"aus", "seed"}
    assert (full.prompt, full.strength, full.steps) == ("a portrait", {"x": 0.5}, 4)
