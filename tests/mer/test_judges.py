"""What every judge has to do before its numbers mean anything: the validity tests of the score's definition."""

import sys

import numpy as np
import pytest
from PIL import Image

from faceforge.aus import UNITS
from faceforge.errors import BadPicture, BadPlugin, MissingPackage, NoFace
from faceforge.mer import agreement
from faceforge.mer.dose_response import spearman
from faceforge.mer.judges import Judge, judge, judges
from tests.mer.pairs import BROWS, CORNERS, as_jpeg, brighter, face, judged_by, moved, named, raised, smiling

SHARES = (0.01, 0.02, 0.03, 0.04, 0.05)  # of the eye distance


@pytest.fixture(params=sorted(judges()))
def by(request: pytest.FixtureRequest) -> Judge:
    return judged_by(request.param)


def test_a_judge_says_what_it_is_and_what_it_reads(by: Judge) -> None:
    assert by.facts.name in judges()
    assert set(by.codes) <= set(UNITS)
    assert len(by.delta(face(), face())) == len(by.codes)
    assert by.facts.least > 0


def test_equal_pictures_have_moved_by_exactly_nothing(by: Judge) -> None:
    assert list(by.delta(face(), face().copy())) == [0.0] * len(by.codes)


def test_the_way_back_is_the_way_there_with_other_signs(by: Judge) -> None:
    there, back = by.delta(face(), smiling(AU12=4.0)), by.delta(smiling(AU12=4.0), face())
    assert list(there) == [-each for each in back]
    assert any(there)


@pytest.mark.parametrize(("degrees", "pixels"), [(3, 0), (-3, 0), (0, 3), (3, -3)])
def test_a_picture_that_is_turned_and_shifted_has_not_moved(by: Judge, degrees: float, pixels: float) -> None:
    assert max(map(abs, by.delta(face(), moved(face(), degrees, pixels)))) < by.facts.least


@pytest.mark.parametrize("share", [-0.1, 0.1])
def test_brightness_is_no_motion(by: Judge, share: float) -> None:
    assert max(map(abs, by.delta(face(), brighter(face(), share)))) < by.facts.least


def test_compression_is_no_motion(by: Judge) -> None:
    assert max(map(abs, by.delta(face(), as_jpeg(face())))) < by.facts.least


def test_shuffled_requests_agree_with_nothing(by: Judge) -> None:
    asked = [(code, dose) for code in ("AU1", "AU2", "AU4", "AU12", "AU26") for dose in (1.5, 3.0, 4.5)]
    detected = np.array([by.delta(smiling(), smiling(**{code: dose})) for code, dose in asked])
    requested = np.array([[dose if code == other else 0.0 for other in by.codes] for code, dose in asked])
    used = requested.any(0)
    rng = np.random.default_rng(0)
    shuffled = [agreement.pcc(requested[rng.permutation(len(asked))], detected)[used].mean() for _ in range(200)]
    assert abs(np.mean(shuffled)) < 0.1
    assert agreement.pcc(requested, detected)[used].mean() > 0.5


@pytest.mark.parametrize("by", ["flow", "motion"], indirect=True)
def test_lifted_brows_and_corners_are_seen_in_order(by: Judge) -> None:
    assert by.facts.flow
    for points, codes in ((BROWS, ("AU1", "AU2")), (CORNERS, ("AU12",))):
        found = [named(by, by.delta(face(), raised(face(), points, share))) for share in SHARES]
        for code in codes:
            assert spearman(np.array(SHARES), np.array([each[code] for each in found])) >= 0.9, code
            assert found[-1][code] > 0


def test_what_cannot_be_judged_is_refused(by: Judge) -> None:
    with pytest.raises(BadPicture, match="two sizes"):
        by.delta(face(), face().resize((128, 128)))
    with pytest.raises(NoFace, match="in the source"):
        by.delta(Image.new("RGB", face().size, "grey"), face())
    with pytest.raises(NoFace, match="in the edited picture"):
        by.delta(face(), Image.new("RGB", face().size, "grey"))


def test_an_unknown_judge_is_refused_with_the_nearest() -> None:
    with pytest.raises(BadPlugin, match="Did you mean 'landmarks'"):
        judge("landmark")


def test_without_opencv_motion_is_refused_and_landmarks_still_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MissingPackage, match=r"faceforge\[mer\]"):
        judge("flow").delta(face(), smiling())
    assert any(judge("landmarks").delta(smiling(), smiling(AU26=4.0)))
