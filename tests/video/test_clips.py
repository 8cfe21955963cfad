"""Clips from end to end: portraits that move, videos that are edited, and what a crash leaves to go on with."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("av", reason="videos need the extra video")

import faceforge as ff
from faceforge.errors import BadMotion, BadSpec, CannotWrite, NoFace
from faceforge.io.video import read_video
from faceforge.motion import Strengths
from faceforge.video import filmed, reenact
from faceforge.video.edit import edit_clip
from faceforge.video.reenact import Playing
from faceforge.warper import Warper
from tests.io.videos import packets, wrote
from tests.motion.scripted import FPS, SIZE, Knowing, acted, empty, other

SMILE = "AU12: 0s=0, 0.3s=3"
STILL = Playing(strengths=Strengths(0, 0, 0, 0), smoothing=0)


@pytest.fixture
def portrait(tmp_path: Path) -> Path:
    Image.fromarray(other().image).save(tmp_path / "ada.png")
    return tmp_path / "ada.png"


def film(path: Path, pictures: Sequence[np.ndarray] = (), **more: object) -> Path:
    shown = pictures or [each.image for each in acted()[:4]]
    return wrote(path, shown, [number / FPS for number in range(len(shown))], **more)  # type: ignore[arg-type]


def warper() -> Warper:
    return Warper(finder=Knowing())


def pixels(path: Path) -> np.ndarray:
    return np.stack([frame.pixels for frame in read_video(path).frames()])


def apart(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(int) - other).mean())


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


class Kept:
    """The frames as they were before the encoder saw them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: object) -> None:
        self.frames: list[np.ndarray] = []
        real = filmed.film

        def noted(work, *arguments, **more):  # type: ignore[no-untyped-def]
            self.frames = [work.kept(number) for number in range(len(arguments[1][0]))]
            return real(work, *arguments, **more)

        monkeypatch.setattr(module, "film", noted)


def test_a_portrait_moves_and_its_border_stays(portrait: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, output = Kept(monkeypatch, reenact), portrait.with_name("out.mp4")
    made = ff.reenact(portrait, ff.Motion.of_timeline(SMILE, 10), output, warper=warper())
    assert made.frames == 4
    assert np.array_equal(kept.frames[0], other().image), "nothing is asked of the first frame"
    moved = [apart(frame, other().image) for frame in kept.frames]
    assert moved == sorted(moved)
    assert moved[-1] > 0.3
    assert all(np.array_equal(frame[:4], other().image[:4]) for frame in kept.frames)
    video = read_video(output)
    assert video.size == (SIZE, SIZE)
    assert [round(frame.time, 3) for frame in video.frames()] == [0.0, 0.1, 0.2, 0.3]
    assert names(portrait.parent) == ["ada.png", "out.mp4"]


def test_the_file_says_where_it_comes_from(portrait: Path) -> None:
    made = ff.reenact(
        portrait, ff.Motion.of_timeline(SMILE, 10), portrait.with_name("out.mp4"), spec=ff.EditSpec(light="window"),
        warper=warper(),
    )  # fmt: skip
    told = read_video(made.path).provenance
    assert told["label"] == "AI-edited"
    assert told["spec"] == {"light": "window"}
    assert told["motion"]["text"].startswith("AU12: ")
    assert told["motion"]["strengths"]["pose"] == 1.0
    assert told["pictures"]["source"]["name"] == "ada.png"


def test_no_strength_gives_a_still_clip(portrait: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept(monkeypatch, reenact)
    driver = film(portrait.with_name("driver.mp4"))
    ff.reenact(portrait, driver, portrait.with_name("out.mp4"), playing=STILL, warper=warper())
    assert len(kept.frames) == 4
    assert all(np.array_equal(frame, other().image) for frame in kept.frames)


def test_a_driving_video_gives_times_and_sound(portrait: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, output = Kept(monkeypatch, reenact), portrait.with_name("out.mp4")
    driver = film(portrait.with_name("driver.mp4"), sound="aac")
    made = ff.reenact(portrait, driver, output, compare=True, keep_motion=portrait.with_name("m.npz"), warper=warper())
    shown, driving = read_video(output), read_video(driver)
    assert [frame.time for frame in shown.frames()] == pytest.approx(
        [frame.time for frame in driving.frames()], abs=1e-4
    )
    assert packets(output) == packets(driver)
    assert shown.size == (SIZE, 2 * SIZE)
    assert apart(pixels(output)[:, :, :SIZE], pixels(driver)) < 4
    assert apart(kept.frames[-1], other().image) > 0.5, "the driver smiles"
    assert np.array_equal(kept.frames[0], other().image)
    again = ff.reenact(portrait, portrait.with_name("m.npz"), portrait.with_name("two.mp4"), warper=warper())
    assert again.frames == made.frames
    assert again.provenance["motion"]["numbers"] == made.provenance["motion"]["numbers"]


def test_two_faces_of_the_driver_are_told_of(portrait: Path) -> None:
    both = [np.concatenate([each.image, other().image], 1) for each in acted()[:2]]
    driver = film(portrait.with_name("driver.mp4"), both)
    made = ff.reenact(portrait, driver, portrait.with_name("out.mp4"), warper=warper())
    assert any("Several faces" in note for note in made.notes)


def test_what_a_face_cannot_do_is_told_once(portrait: Path) -> None:
    lots = ff.Motion.of_timeline("AU12: 0s=9, 0.3s=10", 10)
    made = ff.reenact(portrait, lots, portrait.with_name("out.mp4"), warper=warper())
    assert next(note for note in made.notes if note.startswith("AU12")).endswith("(so or alike in 4 frames)")


def crashing(after: int) -> Warper:
    """A warper that dies when it has drawn so many frames."""

    class Dying(Warper):
        drawn = 0

        def _edited(self, job: ff.Job) -> ff.Result:
            Dying.drawn += 1
            if Dying.drawn > after:
                raise KeyboardInterrupt
            return super()._edited(job)

    return Dying(finder=Knowing())


def test_after_a_crash_the_same_frames_come(portrait: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, output = Kept(monkeypatch, reenact), portrait.with_name("out.mp4")
    driver, through = film(portrait.with_name("driver.mp4")), portrait.with_name("through.mp4")
    ff.reenact(portrait, driver, through, warper=warper())
    whole = kept.frames
    with pytest.raises(KeyboardInterrupt):
        ff.reenact(portrait, driver, output, warper=crashing(2))
    folder = portrait.with_name("out.mp4.frames")
    assert not output.exists()
    assert names(folder) == ["000000.png", "000001.png", "heads.jsonl", "wish.json"]
    lines = (folder / "heads.jsonl").read_text().splitlines(keepends=True)
    (folder / "heads.jsonl").write_text("".join(lines[:3]) + lines[3][:100])  # the first says of what they are
    finder = Knowing()
    ff.reenact(portrait, driver, output, warper=Warper(finder=finder))
    assert finder.asked == 1 + 2, "the portrait, and the frames whose lines were lost"
    assert all(np.array_equal(one, two) for one, two in zip(kept.frames, whole, strict=True))
    assert output.read_bytes() == through.read_bytes()
    assert not folder.exists()


def test_another_wish_does_not_go_on_with_these_frames(portrait: Path) -> None:
    output = portrait.with_name("out.mp4")
    with pytest.raises(KeyboardInterrupt):
        ff.reenact(portrait, ff.Motion.of_timeline(SMILE, 10), output, warper=crashing(1))
    with pytest.raises(BadSpec, match=r"out.mp4.frames' holds another clip in the making: driver was"):
        ff.reenact(portrait, ff.Motion.of_timeline("yaw: 0s=3", 10), output, warper=warper())


def test_a_folder_of_somebody_else_is_left_alone(portrait: Path) -> None:
    folder = portrait.with_name("out.mp4.frames")
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(CannotWrite, match=r"holds 'mine\.txt' and is no clip in the making of ours"):
        ff.reenact(portrait, ff.Motion.of_timeline(SMILE, 10), portrait.with_name("out.mp4"), warper=warper())
    assert names(folder) == ["mine.txt"]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"reference": "last"}, "relative to 'last'"),
        ({"smoothing": -1}, "smoothed over -1"),
        ({"smoothing": 2}, "over 2"),
    ],
)
def test_bad_ways_to_play_are_refused(fields: dict[str, object], says: str) -> None:
    with pytest.raises(BadMotion, match=says):
        Playing(**fields)  # type: ignore[arg-type]


def test_a_portrait_without_a_face_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    Image.fromarray(empty()).save(tmp_path / "wall.png")
    with pytest.raises(NoFace):
        ff.reenact(tmp_path / "wall.png", ff.Motion.of_timeline(SMILE), tmp_path / "out.mp4", warper=warper())
    assert names(tmp_path) == ["wall.png"]


def test_what_needs_a_generator_is_refused(portrait: Path) -> None:
    with pytest.raises(BadSpec, match="prompt needs a generator"):
        ff.reenact(
            portrait, ff.Motion.of_timeline(SMILE), portrait.with_name("out.mp4"), spec=ff.EditSpec(prompt="a clown"),
            warper=warper(),
        )  # fmt: skip


def test_every_frame_of_a_video_is_edited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from faceforge.video import edit

    kept, source = Kept(monkeypatch, edit), film(tmp_path / "in.mp4", sound="aac")
    made = edit_clip(source, ff.EditSpec(aus={"AU12": -2, "AU4": 3}), tmp_path / "out.mp4", warper=warper())
    before = pixels(source)
    assert made.frames == len(before) == 4
    for frame, was in zip(kept.frames, before, strict=True):
        assert apart(frame, was) > 0.3
        assert np.array_equal(frame[:4], was[:4])
    assert packets(tmp_path / "out.mp4") == packets(source)
    assert read_video(tmp_path / "out.mp4").provenance["spec"] == {"aus": {"AU12": -2.0, "AU4": 3.0}}


def test_a_wish_for_nothing_and_frames_without_a_face_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from faceforge.video import edit

    kept = Kept(monkeypatch, edit)
    shown = [acted()[0].image, acted()[1].image, empty(), empty(), empty()]
    source = film(tmp_path / "in.mp4", shown)
    edit_clip(source, ff.EditSpec(), tmp_path / "one.mp4", warper=warper())
    assert np.array_equal(np.stack(kept.frames), pixels(source))
    made = edit_clip(source, ff.EditSpec(aus={"AU4": 4}), tmp_path / "two.mp4", warper=warper())
    same = [np.array_equal(frame, was) for frame, was in zip(kept.frames, pixels(source), strict=True)]
    assert same == [False, False, True, True, True]
    assert any("No face was found in 3 of 5 frames" in note for note in made.notes)


def test_a_killed_edit_goes_on_to_the_same_video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from faceforge.video import edit

    source, spec, count = film(tmp_path / "in.mp4"), ff.EditSpec(aus={"AU4": 3}), 0
    edit_clip(source, spec, tmp_path / "through.mp4", warper=warper())
    real = edit.warp

    def dying(*arguments):  # type: ignore[no-untyped-def]
        nonlocal count
        count += 1
        if count == 3:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(edit, "warp", dying)
    with pytest.raises(KeyboardInterrupt):
        edit_clip(source, spec, tmp_path / "out.mp4", warper=warper())
    edit_clip(source, spec, tmp_path / "out.mp4", warper=warper())
    assert count == 3 + 2, "two frames were there"
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "through.mp4").read_bytes()


def test_all_faces_of_a_video_are_too_many(tmp_path: Path) -> None:
    with pytest.raises(BadSpec, match="one face at a time"):
        edit_clip(film(tmp_path / "in.mp4"), ff.EditSpec(face="all"), tmp_path / "out.mp4", warper=warper())
