"""Timelines and tables: corner values to the last digit, texts that read as they were written, and refusals."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceforge import EditSpec, Motion
from faceforge.aus import LIMIT, UNITS
from faceforge.errors import BadMotion, FaceForgeError
from faceforge.motion.timeline import LONGEST, TURNS, Timeline

SMILE = "AU12: 0s=0, 1.5s=3, 4s=0"

numbers = st.floats(-LIMIT, LIMIT, allow_nan=False)
times = st.lists(st.floats(0, LONGEST), min_size=1, max_size=5, unique=True).map(sorted)
tracks = times.flatmap(lambda at: st.tuples(*[st.tuples(st.just(time), numbers) for time in at]))
timelines = st.dictionaries(
    st.sampled_from([*UNITS, "AU4L", "AU12R", *TURNS]), tracks, min_size=1, max_size=4
).map(Timeline)  # fmt: skip


def test_corners_are_exact() -> None:
    found = Motion.of_timeline(SMILE, fps=10)
    assert len(found) == 41
    smiles = {round(float(time), 3): float(value) for time, value in zip(found.times, found.aus[:, 0], strict=True)}
    assert (smiles[0.0], smiles[1.5], smiles[4.0]) == (0.0, 3.0, 0.0)
    assert found.specs()[15] == EditSpec(aus={"AU12": 3})
    assert found.specs()[0] == EditSpec()


@given(timelines)
def test_every_point_is_met_exactly(timeline: Timeline) -> None:
    for name, points in timeline.tracks.items():
        assert [timeline.at(time)[name] for time, _ in points] == [value for _, value in points]


@given(timelines)
def test_a_timeline_reads_as_it_was_written(timeline: Timeline) -> None:
    assert Timeline.of(timeline.text) == timeline


@given(st.text(alphabet="AU12yaw:;=,.smse-+ 0359\n", max_size=40))
def test_any_text_is_read_or_refused_in_our_own_words(text: str) -> None:
    with suppress(FaceForgeError):
        assert Timeline.of(text).seconds >= 0


def test_ways_to_write_the_same() -> None:
    plain = Timeline.of("AU12: 0s=0, 1.5s=3; yaw: 0s=0, 2s=10")
    assert Timeline.of(" au12:0=0,1500ms=3 ;;\n yaw_deg : 0 = 0 , 2 s = 1e1;") == plain


def test_it_lasts_until_its_last_point() -> None:
    found = Motion.of_timeline("yaw: 0s=0, 1.01s=10", fps=25)
    assert len(found) == 27
    assert found.pose_deg[-1, 0] == 10.0
    assert found.durations == pytest.approx([0.04] * 27)


def test_turns_and_sides_go_where_they_belong() -> None:
    found = Motion.of_timeline("AU12L: 0s=2; yaw: 0s=1; pitch: 0s=2; roll: 0s=3; gaze-yaw: 0s=4; gaze-pitch: 0s=5")
    assert found.specs() == [
        EditSpec(aus={"AU12L": 2}, yaw_deg=1, pitch_deg=2, roll_deg=3, gaze_yaw_deg=4, gaze_pitch_deg=5)
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no tracks"),
        (" ; ", "no tracks"),
        ("AU12", "no track of a timeline"),
        ("AU13: 0s=1", "'AU13' cannot be moved"),
        ("yow: 0s=1", "Did you mean 'yaw'"),
        ("AU12: ", "no point of a timeline"),
        ("AU12: 1s", "no point of a timeline"),
        ("AU12: 1s=much", "no point of a timeline"),
        ("AU12: 1m=2", "no point of a timeline"),
        ("AU12: 1.2.3s=2", "no point of a timeline"),
        ("AU12: 2s=1, 1s=2", "1 s after 2 s"),
        ("AU12: 1s=1, 1s=2", "1 s after 1 s"),
        ("AU12: -1s=1", "a point at -1 s"),
        ("AU12: 9999s=1", "a point at 9999 s"),
        ("AU12: 0s=11", "from -10 to 10"),
        ("yaw: 0s=91", "from -90 to 90"),
        ("AU12: 0s=1; au12: 1s=2", "two tracks"),
    ],
)
def test_bad_timelines_are_refused(text: str, says: str) -> None:
    with pytest.raises(BadMotion, match=says):
        Timeline.of(text)


@pytest.mark.parametrize("fps", [0, -1, float("nan"), 1e9])
def test_bad_rates_are_refused(fps: float) -> None:
    with pytest.raises(FaceForgeError, match="frames per second"):
        Motion.of_timeline(SMILE, fps=fps)


OPENFACE = """frame, timestamp, confidence, success, AU12_r, AU04_r, AU12_c
1, 0.000, 0.98, 1, 1.00, 0.5, 1
2, 0.040, 0.10, 0, 9.00, 9.0, 1
3, 0.080, 0.98, 1, 3.00, 0.5, 1
"""
LIBREFACE = """frame_idx,frame_time_in_ms,au_12_intensity,au_4_intensity
0,0.0,1.0,0.5
1,40.0,2.0,0.5
2,80.0,3.0,0.5
"""
PYFEAT = """frame,AU12,AU04
0,0.2,0.1
0,0.9,0.9
1,,
2,0.6,0.1
"""


@pytest.mark.parametrize("table", [OPENFACE, LIBREFACE, PYFEAT], ids=["OpenFace", "LibreFace", "py-feat"])
def test_tables_of_other_programs_are_motions(tmp_path: Path, table: str) -> None:
    """What is not surely seen lies between its neighbours; further faces of a frame are left out."""
    (tmp_path / "t.csv").write_text(table)
    found = Motion.load(tmp_path / "t.csv")
    assert not found.relative
    assert found.times == pytest.approx([0.0, 0.04, 0.08])
    assert found.end == pytest.approx(0.12)
    assert found.aus[:, found.codes.index("AU12L")] == pytest.approx([1, 2, 3])
    assert found.aus[:, found.codes.index("AU4R")] == pytest.approx([0.5] * 3)
    assert [*found.seen] == [True, "frame_idx" in table, True]


def test_a_table_tells_nothing_of_the_head(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(OPENFACE)
    own = Motion.of_specs([EditSpec(aus={"AU12": 1}, yaw_deg=20)])
    turned = Motion.load(tmp_path / "t.csv").against(own)
    assert not turned.pose_deg.any()
    assert [spec.aus.get("AU12", 0.0) for spec in turned.specs()] == pytest.approx([0, 1, 2])


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("a,b\n1,2\n", "no columns of action units"),
        ("", "no row in which a face is surely seen"),
        ("AU12_r\n", "no row in which a face is surely seen"),
        ("timestamp,AU12_r\n0,much\n", "row 1: 'AU12_r' is 'much'"),
        ("timestamp,AU12_r\n,1\n", "no time in 'timestamp'"),
        ("timestamp,success,AU12_r\n0,0,1\n", "no row in which a face is surely seen"),
        ("timestamp,AU03_r,AU12_r\n0,0,1\n", "OpenFace 3"),
        ("timestamp,AU12_r\n0,\x00\n", "t.csv"),
    ],
)
def test_bad_tables_are_refused(tmp_path: Path, table: str, says: str) -> None:
    (tmp_path / "t.csv").write_bytes(table.encode())
    with pytest.raises(BadMotion, match=says):
        Motion.load(tmp_path / "t.csv")


def test_damaged_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(np.arange(256, dtype=np.uint8).tobytes())
    with pytest.raises(BadMotion, match="cannot be read as a CSV"):
        Motion.load(tmp_path / "t.csv")
