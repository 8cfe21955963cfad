"""Videos in and out: every frame at its time and the right way up, the sound as it was, no half of a file."""

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("av", reason="videos need the extra video")

from faceforge.errors import BadPicture, BadVideo, CannotWrite, MissingPackage
from faceforge.io.filming import filming
from faceforge.io.video import read_video
from tests.io.videos import only_sound, packets, pictures, wrote

UNEVEN = [0.0, 0.04, 0.1, 0.133, 0.3, 0.34]


def test_frames_come_at_the_times_of_the_file(tmp_path: Path) -> None:
    found = [*read_video(wrote(tmp_path / "in.mkv", pictures(6), UNEVEN)).frames()]
    assert [frame.number for frame in found] == [*range(6)]
    assert [round(frame.time, 6) for frame in found] == UNEVEN
    assert [round(frame.duration, 6) for frame in found[:-1]] == [0.04, 0.06, 0.033, 0.167, 0.04]
    for frame, drawn in zip(found, pictures(6), strict=True):
        assert np.abs(frame.pixels[30, 40].astype(int) - drawn[30, 40]).max() <= 4


@pytest.mark.parametrize(("turned", "corner"), [(0, (0, 0)), (90, (-1, 0)), (180, (-1, -1)), (270, (0, -1))])
def test_a_turned_video_is_read_upright(tmp_path: Path, turned: int, corner: tuple[int, int]) -> None:
    """Counter-clockwise, as ffmpeg counts: the white corner goes from the top left to the bottom left."""
    video = read_video(wrote(tmp_path / "in.mp4", pictures(2), turned=turned))
    first = next(video.frames()).pixels
    assert video.size == first.shape[:2] == ((64, 48) if turned % 180 else (48, 64))
    corners = {(y, x): first[y, x].min() for y in (0, -1) for x in (0, -1)}
    assert max(corners, key=lambda at: corners[at]) == corner


@pytest.mark.parametrize("size", [(48, 64), (49, 63), (720, 64)], ids=["even", "odd", "hd"])
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_what_is_written_is_read_again(tmp_path: Path, size: tuple[int, int], suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    lasts = [*np.diff(UNEVEN), 0.5]
    with filming(path, size, provenance={"label": "AI-edited", "name": "Ädä"}) as film:
        for pixels, time, duration in zip(pictures(6, size), UNEVEN, lasts, strict=True):
            film.add(pixels, time, duration)
    video = read_video(path)
    found = [*video.frames()]
    assert video.size == size
    assert video.provenance == {"label": "AI-edited", "name": "Ädä"}
    assert [round(frame.time, 4) for frame in found] == UNEVEN
    assert found[-1].duration == pytest.approx(0.5, abs=1e-3)
    for frame, drawn in zip(found, pictures(6, size), strict=True):
        assert np.abs(frame.pixels.astype(int) - drawn)[size[0] // 2 :].mean() <= 3


def test_sound_is_copied_as_it_is(tmp_path: Path) -> None:
    source = read_video(wrote(tmp_path / "in.mp4", pictures(25), sound="aac"))
    with filming(tmp_path / "out.mp4", (48, 64), sound=source) as film:
        for frame in source.frames():
            film.add(frame.pixels, frame.time, frame.duration)
    assert film.notes == ()
    assert packets(tmp_path / "out.mp4") == packets(source.path) != []


def test_sound_that_does_not_fit_is_named(tmp_path: Path) -> None:
    source = read_video(wrote(tmp_path / "in.mkv", pictures(5), sound="wavpack"))
    with filming(tmp_path / "out.mov", (48, 64), sound=source) as film:
        film.add(pictures(1)[0], 0.0, 0.04)
    assert "wavpack" in film.notes[0]
    assert not read_video(tmp_path / "out.mov").sound


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def cut(path: Path, share: float) -> Path:
    path.write_bytes(path.read_bytes()[: round(share * path.stat().st_size)])
    return path


def noisy(count: int = 40) -> list[np.ndarray]:
    """Frames that no encoder makes small."""
    return [np.random.default_rng(number).integers(0, 255, (48, 64, 3), np.uint8) for number in range(count)]


def test_a_single_frame_is_a_video(tmp_path: Path) -> None:
    found = [*read_video(wrote(tmp_path / "one.mp4", pictures(1))).frames()]
    assert len(found) == 1
    assert found[0].duration == pytest.approx(0.04, abs=1e-3)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path, "no file"),
        (lambda path: path.parent, "is a folder"),
        (lambda path: written(path, b""), "is empty"),
        (lambda path: written(path, b"no video" * 99), "cannot be read as a video"),
        (lambda path: only_sound(path), "holds only sound"),
        (lambda path: cut(wrote(path, noisy()), 0.5), "cannot be read as a video"),
        (lambda path: cut(wrote(path, noisy(), options={"movflags": "faststart"}), 0.6), "cut off|cannot be read"),
        (lambda path: cut(wrote(path.with_suffix(".mkv"), noisy()), 0.5), "cut off"),
    ],
    ids=["none", "folder", "empty", "text", "sound", "truncated", "truncated after its header", "truncated mkv"],
)
def test_bad_videos_are_refused_in_one_line(tmp_path: Path, make: object, says: str) -> None:
    path = make(tmp_path / "in.mp4")  # type: ignore[operator]
    with pytest.raises(BadVideo, match=says) as refused:
        [*read_video(path).frames()]
    assert repr(str(path)) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_sound_may_go_on_after_the_pictures(tmp_path: Path) -> None:
    """A Matroska file says how long all of it is, which is not how long its pictures are."""
    path = wrote(tmp_path / "in.mkv", pictures(3), sound="aac", hums=2.0)
    assert len([*read_video(path).frames()]) == 3


def test_a_video_of_another_program_has_no_provenance(tmp_path: Path) -> None:
    with pytest.raises(BadPicture, match="carries no FaceForge provenance"):
        _ = read_video(wrote(tmp_path / "in.mp4", pictures(2))).provenance


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(b"older")
    with pytest.raises(BadVideo, match="does not fit into a video of 64x48"), filming(path, (48, 64)) as film:
        film.add(np.zeros((16, 16, 3), np.uint8), 0.0, 0.04)
    assert path.read_bytes() == b"older"
    assert [each.name for each in tmp_path.iterdir()] == ["out.mp4"]


@pytest.mark.parametrize(
    ("name", "says"), [("out.gif", "a video's name ends in"), ("nowhere/out.mp4", "Create its folder first")]
)
def test_outputs_that_cannot_be_are_refused(tmp_path: Path, name: str, says: str) -> None:
    with pytest.raises(CannotWrite, match=says), filming(tmp_path / name, (48, 64)):
        pass


def test_without_the_library_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = wrote(tmp_path / "in.mp4", pictures(1))
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingPackage, match=r"pip install 'faceforge\[video\]'"):
        read_video(path)


def filmed(path: Path, frames: list[np.ndarray]) -> None:
    with filming(path, (48, 64)) as film:
        for number, pixels in enumerate(frames):
            film.add(pixels, number / 25, 0.04)


def test_one_line_even_where_the_system_refuses(tmp_path: Path) -> None:
    """A file may grow no further: the library's own error becomes ours, and nothing is left."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(CannotWrite, match="Cannot write"):
            filmed(tmp_path / "out.mp4", noisy(60))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [*tmp_path.iterdir()] == []
