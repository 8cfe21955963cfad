"""Motion as a value: exact where nothing changes, refused where it cannot be, the same after a file."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from faceforge import EditSpec, Motion
from faceforge.errors import BadMotion, FaceForgeError
from faceforge.motion import Strengths
from faceforge.motion.motion import JAW
from faceforge.motion.smoothing import smoothed
from faceforge.motion.turns import between, matrices

STILL = EditSpec()


def motion(frames: int = 6, seed: int = 0, *, relative: bool = False, cut: int | None = None) -> Motion:
    draws = np.random.default_rng(seed)
    return Motion(
        times=np.cumsum(draws.uniform(0.02, 0.08, frames)),
        end=9.0,
        codes=("AU12L", "AU12R", "AU26L", "AU26R", "AU4L"),
        aus=draws.uniform(0, 5, (frames, 5)),
        pose_deg=draws.uniform(-30, 30, (frames, 3)),
        gaze_deg=draws.uniform(-20, 20, (frames, 2)),
        relative=relative,
        seen=draws.uniform(size=frames) > 0.3,
        shots=np.arange(frames) >= (frames if cut is None else cut),
        source={"kind": "video", "name": "Ädä.mp4"},
        notes=("No face was found in 2 of 6 frames.",),
    )


def same(one: Motion, other: Motion) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in vars(one))


@pytest.mark.parametrize("relative", [False, True])
def test_saving_and_loading_gives_the_same(tmp_path: Path, relative: bool) -> None:
    before = motion(relative=relative, cut=3)
    after = Motion.load(before.save(tmp_path / "m.npz"))
    assert same(before, after)
    assert after.sha256 == before.sha256
    assert after.save(tmp_path / "again.npz").read_bytes() == (tmp_path / "m.npz").read_bytes()


def test_the_digest_tells_motions_apart() -> None:
    assert motion(seed=0).sha256 == motion(seed=0).sha256 != motion(seed=1).sha256


def test_nothing_of_a_motion_can_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        motion().aus[0] = 1


@pytest.mark.parametrize("which", ["first", "neutral"])
def test_the_reference_frame_asks_for_nothing(which: str) -> None:
    found = motion(cut=4).relative_to(which).specs()  # type: ignore[arg-type]
    assert found.count(STILL) == 2, "one in each shot"
    if which == "first":
        assert found[0] == found[4] == STILL


def test_a_face_set_against_itself_asks_for_nothing() -> None:
    own = motion(frames=1)
    assert own.against(own).specs() == [STILL]


def test_against_a_face_ends_where_the_driver_is() -> None:
    """Also for units that only one of the two shows."""
    driver, own = motion(), replace(motion(1, seed=5), codes=("AU12L", "AU12R", "AU26L", "AU26R", "AU9R"))
    found = driver.against(own)
    assert found.codes[-1] == "AU9R"
    assert found.aus[:, -1] == pytest.approx(-own.aus[0, -1])
    assert found.aus[:, 0] + own.aus[0, 0] == pytest.approx(driver.aus[:, 0])
    assert matrices(found.pose_deg) @ matrices(own.pose_deg) == pytest.approx(matrices(driver.pose_deg), abs=1e-6)


def test_zero_strength_is_stillness() -> None:
    found = motion().relative_to("first").scaled(Strengths(0, 0, 0, 0)).specs()
    assert set(map(EditSpec.to_json, found)) == {STILL.to_json()}


@pytest.mark.parametrize("part", ["expression", "pose", "gaze", "jaw"])
def test_each_strength_has_a_part_of_its_own(part: str) -> None:
    spec = motion().relative_to("first").scaled(Strengths(**{"expression": 0, "pose": 0, "gaze": 0, "jaw": 0, part: 1}))
    moved = spec.specs()[-1]
    parts = {
        "expression": any(code.rstrip("LR") not in JAW for code in moved.aus),
        "jaw": any(code.rstrip("LR") in JAW for code in moved.aus),
        "pose": any((moved.yaw_deg, moved.pitch_deg, moved.roll_deg)),
        "gaze": any((moved.gaze_yaw_deg, moved.gaze_pitch_deg)),
    }
    assert parts == {name: name == part for name in parts}


def test_half_a_turn_twice_is_the_turn() -> None:
    turn = np.array([[20.0, -10.0, 5.0]])
    assert matrices(turn / 2) @ matrices(turn / 2) == pytest.approx(matrices(turn), abs=1e-7)
    assert between(turn / 2, turn) == pytest.approx(turn / 2, abs=1e-6)


def test_specs_stand_on_the_wish_for_all_frames() -> None:
    moving = Motion.of_specs([EditSpec(aus={"AU12": 1}, yaw_deg=5), EditSpec(aus={"AU12L": 2})])
    one, two = moving.specs(EditSpec(aus={"AU12": 1.5}, yaw_deg=2, light="window"))
    assert one == EditSpec(aus={"AU12": 2.5}, yaw_deg=7, light="window")
    assert two == EditSpec(aus={"AU12": 1.5, "AU12L": 2}, yaw_deg=2, light="window")


def test_a_list_of_wishes_comes_back() -> None:
    wishes = [EditSpec(aus={"AU12": 1, "AU4L": -2}), EditSpec(pitch_deg=-3, gaze_yaw_deg=4), EditSpec()]
    assert Motion.of_specs(wishes, fps=10).specs() == wishes
    assert Motion.of_specs(wishes, fps=10).durations == pytest.approx([0.1] * 3)


def test_smoothing_keeps_stillness_and_parabolas_and_calms_noise() -> None:
    times, shots = np.arange(40) / 25, np.zeros(40, int)
    still = np.full((40, 1), 0.1)
    assert np.array_equal(smoothed(times, still, shots, 0.05), still)
    curve = (3 * times**2 - times)[:, None]
    assert smoothed(times, curve, shots, 0.05) == pytest.approx(curve, abs=1e-9)
    noise = np.random.default_rng(0).normal(size=(400, 1))
    calmed = smoothed(np.arange(400) / 25, noise, np.zeros(400, int), 0.08)
    assert np.diff(calmed, axis=0).std() < 0.5 * np.diff(noise, axis=0).std()


def test_smoothing_does_not_reach_over_a_cut() -> None:
    times, shots = np.arange(20) / 25, (np.arange(20) >= 10).astype(int)
    step = (shots * 5.0)[:, None]
    assert np.array_equal(smoothed(times, step, shots, 0.1), step)


def test_smoothing_leaves_no_intensity_below_nothing() -> None:
    assert motion(40).smoothed(0.1).aus.min() >= 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"times": np.zeros(6)}, "do not rise"),
        ({"end": 0.0}, "do not rise"),
        ({"times": np.zeros((6, 1))}, "no frames"),
        ({"aus": np.zeros((6, 2))}, r"aus has shape \(6, 2\), expected \(6, 5\)"),
        ({"pose_deg": np.full((6, 3), np.nan)}, "pose_deg holds NaN"),
        ({"codes": ("AU12", "AU12R", "AU26L", "AU26R", "AU4L")}, "Name every unit once, by its side"),
        ({"codes": ("AU12L", "AU12L", "AU26L", "AU26R", "AU4L")}, "Name every unit once"),
        ({"codes": ("AU13L", "AU12R", "AU26L", "AU26R", "AU4L")}, "is not an action unit"),
        ({"shots": np.arange(6)[::-1]}, "out of order"),
    ],
)
def test_what_cannot_be_a_motion_is_refused(change: dict[str, object], says: str) -> None:
    with pytest.raises(BadMotion, match=says):
        replace(motion(), **change)  # type: ignore[arg-type]


def test_kinds_of_motion_are_not_mixed_up() -> None:
    with pytest.raises(BadMotion, match="Only relative motion can be asked of a face"):
        motion().specs()
    with pytest.raises(BadMotion, match="Only absolute motion can be made relative"):
        motion(relative=True).relative_to("first")


@pytest.mark.parametrize("value", [-0.1, 4.1, float("nan")])
def test_strengths_are_checked(value: float) -> None:
    with pytest.raises(BadMotion, match="The strength of the pose"):
        Strengths(pose=value)


def arrays(path: Path, **change: object) -> Path:
    """A motion file of which something is changed; None leaves it out."""
    with np.load(motion().save(path)) as held:
        found = {**held, **change}
    np.savez(path, **{name: value for name, value in found.items() if value is not None})  # type: ignore[arg-type]
    return path


def text(path: Path, content: str) -> Path:
    path.write_text(content)
    return path


def zipped(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("times.npy", "nothing")
    return path


def halved(path: Path) -> Path:
    whole = motion().save(path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path, "no file"),
        (lambda path: text(path, ""), "is empty"),
        (lambda path: text(path, "no motion"), "no motion file"),
        (zipped, "no motion file"),
        (halved, "no motion file"),
        (lambda path: arrays(path, times=None), "holds no 'times'"),
        (lambda path: arrays(path, tims=np.zeros(6)), "'tims', which no motion has. Did you mean 'times'"),
        (lambda path: arrays(path, version=2), "of version 2"),
        (lambda path: arrays(path, aus=np.array([{}], object)), "no motion file"),
        (lambda path: arrays(path, times=np.array(["a"] * 6)), "which does not fit"),
        (lambda path: arrays(path, end=np.zeros(2)), "which does not fit"),
        (lambda path: arrays(path, aus=np.full((6, 5), np.inf)), "cannot be used"),
        (lambda path: arrays(path, about=np.frombuffer(b"{", np.uint8)), "damaged motion file"),
        (lambda path: text(path.with_suffix(".json"), "{"), "not JSON"),
        (lambda path: text(path.with_suffix(".json"), '{"aus": {}}'), "a list of edit specs"),
        (lambda path: text(path.with_suffix(".json"), "[]"), "no wishes"),
        (lambda path: text(path.with_suffix(".json"), '[{"aus": {"AU13": 1}}]'), "not an action unit"),
        (lambda path: text(path.with_suffix(".json"), '[{"light": "window"}]'), "'light', which is no motion"),
        (lambda path: text(path.with_suffix(".txt"), ""), "no motion file"),
    ],
)
def test_bad_files_are_refused_in_one_line(tmp_path: Path, make: object, says: str) -> None:
    path = make(tmp_path / "in.npz")  # type: ignore[operator]
    with pytest.raises(FaceForgeError, match=says) as refused:
        Motion.load(path)
    assert "\n" not in str(refused.value)


def test_wishes_are_read_from_json(tmp_path: Path) -> None:
    wishes = [{"aus": {"AU12": 2}}, {"yaw_deg": 3}]
    found = Motion.load(text(tmp_path / "w.json", json.dumps(wishes)), fps=5)
    assert found.specs() == [EditSpec(aus={"AU12": 2}), EditSpec(yaw_deg=3)]
    assert found.end == pytest.approx(0.4)
