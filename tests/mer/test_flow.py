"""Flow, strain and presets: laws of motion, and what cannot be."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from faceforge.errors import BadPicture, BadPlugin, BadSpec
from faceforge.face.found import Face
from faceforge.mer.detectors import detector
from faceforge.mer.flow import BUILT_IN, backend, flow_between
from faceforge.mer.framing import frame
from faceforge.mer.presets import STABLE, meb, metric
from faceforge.mer.strain import strain, strain_meb

SIDE = 96
Y, X = np.mgrid[:SIDE, :SIDE] + 0.5
LANDMARKS = np.random.default_rng(0).uniform(20, 70, (68, 2))


def texture(shift: float = 0.0) -> NDArray[np.uint8]:
    waves = np.sin((X - shift) / 3) + np.cos(Y / 4) + np.sin((X - shift + Y) / 7)
    return np.uint8(127 + 40 * waves)


def rotation(angle: float) -> NDArray[np.float64]:
    x, y = X - SIDE / 2, Y - SIDE / 2
    return np.stack([x * (np.cos(angle) - 1) - y * np.sin(angle), x * np.sin(angle) + y * (np.cos(angle) - 1)])


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_shift_is_seen_and_equal_pictures_stand_exactly_still(name: str) -> None:
    pytest.importorskip("cv2")
    found = flow_between(texture(), texture(1.5), backend(name))
    assert np.median(found[0, 20:-20, 20:-20]) == pytest.approx(1.5, abs=0.1)
    assert np.median(found[1, 20:-20, 20:-20]) == pytest.approx(0, abs=0.05)
    assert not flow_between(texture(), texture(), backend(name)).any()


def test_strain_of_a_small_rotation_is_none_but_the_benchmark_sees_much() -> None:
    turned, stretched = rotation(0.02), np.stack([0.02 * X, 0 * Y])
    assert strain(turned).max() < 1e-3
    assert strain(stretched) == pytest.approx(0.02)
    assert strain_meb(turned)[5:-5, 5:-5].mean() > strain_meb(stretched)[5:-5, 5:-5].mean()


def test_the_benchmark_s_preset_forgets_the_dose_and_survives_no_motion() -> None:
    flow = np.stack([np.sin(X / 9), np.cos(Y / 7)])
    np.testing.assert_allclose(meb(flow, 28), meb(10 * flow, 28), atol=1e-12)
    assert (meb(np.zeros((2, SIDE, SIDE)), 28) == 0.5).all()


def test_the_metric_preset_keeps_the_dose_and_forgets_the_head() -> None:
    bump = np.exp(-((X - 80) ** 2 + (Y - 84) ** 2) / 50)
    own = np.stack([0.2 * bump, 0.1 * bump])  # where no stable point is
    assert min(np.hypot(*(LANDMARKS[list(STABLE)] - (80, 84)).T)) > 15
    once, twice = metric(own, LANDMARKS, 64), metric(2 * own, LANDMARKS, 64)
    np.testing.assert_allclose(2 * once, twice, atol=0.02)
    with_head = own + rotation(0.05) + np.array([3.0, -2.0])[:, None, None]
    np.testing.assert_allclose(metric(with_head, LANDMARKS, 64), once, atol=0.2)
    assert np.abs(metric(100 * own, LANDMARKS, 64)).max() <= 5


def test_a_frame_holds_every_face_upright_and_alike() -> None:
    face = Face(LANDMARKS, (SIDE, SIDE), "test")
    for crop in (frame(face), frame(Face(3 * LANDMARKS[:, ::-1] * (1, -1), (SIDE, SIDE), "test"))):
        assert crop.size == (192, 192)
    moved = frame(face).to_crop(LANDMARKS)
    right, left = moved[36:42].mean(0), moved[42:48].mean(0)
    np.testing.assert_allclose(left - right, (0.3 * 192, 0), atol=1e-9)
    assert frame(face).cut(Image.new("RGB", (SIDE, SIDE), "red")).size == (192, 192)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(BadPlugin, match="No flow backend is called 'raft'"):
        backend("raft")
    with pytest.raises(BadPicture, match="one size"):
        flow_between(texture(), texture()[:-1], backend())
    with pytest.raises(BadSpec, match="Did you mean 'sssnet'"):
        detector("ssnet")
