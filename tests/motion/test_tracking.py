"""Reading the motion of a film whose actor is known exactly: followed, smoothed, gaps and cuts told."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("av", reason="videos need the extra video")

from faceforge import Motion
from faceforge.errors import NoFace
from faceforge.io.video import Frame, read_video
from faceforge.motion.driving import read_motion
from faceforge.motion.tracking import Sight, Tracker
from tests.io.videos import wrote
from tests.motion.scripted import FPS, SIZE, Knowing, acted, empty, other


def film(path: Path, pictures: Sequence[np.ndarray]) -> Path:
    return wrote(path, pictures, [number / FPS for number in range(len(pictures))])


def pictures() -> list[np.ndarray]:
    return [each.image for each in acted()]


def frames(shown: Sequence[np.ndarray]) -> list[Frame]:
    return [Frame(number, number / FPS, 1 / FPS, each) for number, each in enumerate(shown)]


def sights(shown: Sequence[np.ndarray]) -> list[Sight]:
    tracker = Tracker(Knowing())
    return [tracker.look(frame) for frame in frames(shown)]


def test_the_motion_of_a_film_is_what_was_acted(tmp_path: Path) -> None:
    found = read_motion(film(tmp_path / "in.mp4", pictures()), finder=Knowing(), smoothing=0)
    truth = [each.sitting for each in acted()]
    turned = found.relative_to("first")
    yaw = np.array([each.yaw_deg - truth[0].yaw_deg for each in truth])
    smile = np.array([each.aus.get("AU12", 0.0) for each in truth])
    assert found.seen.all()
    assert found.notes == ()
    assert found.times == pytest.approx(np.arange(6) / FPS, abs=1e-4)
    assert np.abs(turned.pose_deg[:, 0] - yaw).max() < 3
    assert np.abs(found.aus[:, found.codes.index("AU12L")] - smile).max() < 1.5
    assert found.source["kind"] == "video"


def test_frames_without_a_face_lie_between_their_neighbours(tmp_path: Path) -> None:
    shown = pictures()
    shown[2] = empty()
    found = read_motion(film(tmp_path / "in.mp4", shown), finder=Knowing(), smoothing=0)
    assert [*found.seen] == [True, True, False, True, True, True]
    assert "No face was found in 1 of 6 frames (0.20 s)" in found.notes[0]
    for part in (found.aus, found.pose_deg, found.gaze_deg):
        between = (part[1] + part[3]) / 2
        assert found.shots[3] > 0 or part[2] == pytest.approx(between)


def test_a_cut_begins_a_shot_of_its_own() -> None:
    shown = [*pictures()[:2], *[other().image] * 2]
    found = sights(shown)
    assert [each.shot for each in found] == [0, 0, 1, 1]
    first, second = found[1].head, found[2].head
    assert first is not None
    assert second is not None
    assert not np.array_equal(first.numbers[-10:], second.numbers[-10:]), "another person"


def test_a_face_that_jumps_is_a_cut_too() -> None:
    wide = [np.concatenate([other().image, empty()], 1), np.concatenate([empty(), other().image], 1)]
    assert [each.shot for each in sights(wide)] == [0, 1]


def test_the_same_one_of_two_faces_is_followed() -> None:
    """Wherever the finder lists it."""
    both = [np.concatenate([one.image, other().image], 1) for one in acted()[:3]]
    found = sights(both)
    sides = [each.box[0] > SIZE for each in found if each.box]
    assert len(set(sides)) == 1
    assert [each.faces for each in found] == [2, 2, 2]


def test_several_faces_and_cuts_are_told(tmp_path: Path) -> None:
    both = [np.concatenate([one.image, other().image], 1) for one in acted()[:2]]
    alone = [np.concatenate([other().image, empty()], 1)] * 2
    found = read_motion(film(tmp_path / "in.mp4", both + alone), finder=Knowing(), smoothing=0)
    assert any("Several faces were found in 2 of 4 frames (0.00-0.10 s)" in note for note in found.notes)
    assert any("There are cuts at 0.20 s" in note for note in found.notes)
    assert found.cuts == (2,)


def test_a_film_without_a_face_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoFace, match=r"No face was found in any of 3 frames of 'in.mp4'"):
        read_motion(film(tmp_path / "in.mp4", [empty()] * 3), finder=Knowing())


def test_one_frame_is_a_motion(tmp_path: Path) -> None:
    found = Motion.of_video(film(tmp_path / "in.mp4", pictures()[:1]), finder=Knowing())
    assert len(found) == 1
    assert len(found.relative_to("first").specs()) == 1


def test_a_head_comes_back_from_json_to_the_last_digit() -> None:
    import json

    for before in sights([*pictures()[:2], empty()]):
        after = Sight.of_plain(json.loads(json.dumps(before.plain())))
        assert (before.time, before.shot, before.faces, before.box) == (after.time, after.shot, after.faces, after.box)
        assert (before.head is None) == (after.head is None)
        if before.head is not None and after.head is not None:
            one, two = before.head.fit((SIZE, SIZE)), after.head.fit((SIZE, SIZE))
            assert one.aus == two.aus
            assert one.params.neck is not None
            assert two.params.neck is not None
            assert bool((one.params.neck == two.params.neck).all())
            assert bool((one.light == two.light).all())


def test_a_tracker_goes_on_where_another_stopped(tmp_path: Path) -> None:
    video = read_video(film(tmp_path / "in.mp4", pictures()))
    whole = [tracker.look(frame) for tracker in [Tracker(Knowing())] for frame in video.frames()]
    tracker, found = Tracker(Knowing()), list[Sight]()
    for frame in video.frames():
        if frame.number < 3:
            tracker.remember(frame, whole[frame.number])
        else:
            found.append(tracker.look(frame))
    assert [each.plain() for each in found] == [each.plain() for each in whole[3:]]
