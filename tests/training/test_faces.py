from pathlib import Path

import pytest
import torch

from faceforge.face.networks import STRIDE, TYPICAL
from faceforge.face.squares import upright
from faceforge_training import disguise
from faceforge_training.clutter import clutter
from faceforge_training.faces import SCENE, Crops, Scenes, face_crops, face_scenes, targets
from faceforge_training.warps import Warp, bends


@pytest.fixture
def drawn(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Shared by the tests of one session: the portraits are drawn once."""
    folder: Path = tmp_path_factory.getbasetemp() / "drawn"
    return str(folder)


def crops(folder: str, seed: int = 0) -> Crops:
    return face_crops(folder, 8, batch=6, pixels=40, seed=seed)


def test_a_step_s_batch_is_the_same_whenever_it_is_read(drawn: str) -> None:
    scenes: Scenes = face_scenes(drawn, 8, batch=6, pixels=40)
    for reader in (crops(drawn), scenes):
        first, again = reader.batch(3), reader.batch(3)
        assert all(torch.equal(value, again[name]) for name, value in first.items())
        assert not torch.equal(first["grey"], reader.batch(4)["grey"])


def test_another_seed_gives_other_batches(drawn: str) -> None:
    assert not torch.equal(crops(drawn).batch(0)["points"], crops(drawn, seed=1).batch(0)["points"])


def test_the_points_of_a_crop_lie_around_its_middle_with_the_right_eye_on_the_left(drawn: str) -> None:
    points, _ = crops(drawn).labels(0)
    assert ((points.mean(1).median(0).values - 0.5).abs() < 0.2).all()
    assert (points[:, 36:42, 0].mean(1) < points[:, 42:48, 0].mean(1)).all()


def test_a_mirrored_warp_gives_the_points_of_the_mirrored_picture() -> None:
    points = torch.rand(1, 70, 2) * 40
    still = torch.zeros(1, 2, 8, 8)
    plain = Warp(torch.full((1, 2), 20.0), 40 * torch.eye(2)[None], torch.tensor([False]), still)
    flip = torch.tensor([[-40.0, 0.0], [0.0, 40.0]])[None]
    mirrored = Warp(torch.full((1, 2), 20.0), flip, torch.tensor([True]), still)
    picture = torch.rand(1, 1, 40, 40)
    torch.testing.assert_close(mirrored.cut(picture), plain.cut(picture).flip(3))
    there, here = mirrored.points(points)[0], plain.points(points)[0]
    torch.testing.assert_close(there[68, 0], 1 - here[69, 0])  # the left iris of the mirror is the right one here


def test_points_follow_a_bent_picture() -> None:
    """A bright spot is found where its point says."""
    spot = torch.tensor([52.5, 70.5])
    y, x = torch.meshgrid(torch.arange(120) + 0.5, torch.arange(120) + 0.5, indexing="ij")
    picture = torch.exp(-((x - spot[0]) ** 2 + (y - spot[1]) ** 2) / 18)[None, None]
    bend = bends(1, 96, torch.tensor([0.02]), torch.Generator().manual_seed(5))
    warp = Warp(torch.full((1, 2), 60.0), 110 * torch.eye(2)[None], torch.tensor([False]), bend)
    seen = warp.cut(picture)[0, 0]
    row, column = divmod(int(seen.argmax()), 96)
    said = 96 * warp.points(spot.expand(1, 70, 2))[0, 0]
    assert (said - torch.tensor([column + 0.5, row + 0.5])).abs().max() < 1.0


def test_cells_near_a_face_say_where_it_is_and_how_large() -> None:
    middle, side = torch.tensor([[40.0, 52.0]]), torch.tensor([TYPICAL])
    face, where = targets(middle, side)
    assert (face == 1).sum() >= 1
    assert face[0, 0, 0] == 0
    row, column = (face[0] == 1).nonzero()[0].tolist()
    assert (column + 0.5 + where[0, 0, row, column]) * STRIDE == pytest.approx(40)
    assert (row + 0.5 + where[0, 1, row, column]) * STRIDE == pytest.approx(52)
    assert where[0, 2, row, column] == pytest.approx(0)


def test_cells_need_not_answer_for_faces_of_another_scale() -> None:
    face, _ = targets(torch.tensor([[48.0, 48.0]]), torch.tensor([90.0]))
    assert not (face == 1).any()
    assert (face == -1).any()


def test_disguises_keep_pictures_within_black_and_white_and_finite() -> None:
    random = torch.Generator().manual_seed(2)
    grey = torch.rand(6, 1, SCENE, SCENE, generator=random)
    grey[0], grey[1] = 0, 1
    worn = disguise.hidden(disguise.framed(disguise.textured(grey, grey, random), random), grey, random)
    seen = disguise.photographed(worn, random)
    assert torch.isfinite(seen).all()
    assert 0 <= float(seen.min()) <= float(seen.max()) <= 1


def test_a_finer_compression_loses_less() -> None:
    grey = torch.rand(1, 1, 16, 16)
    fine, coarse = (disguise.compressed(grey, torch.full((1, 1, 1, 1), step)) - grey for step in (0.01, 0.2))
    assert fine.abs().mean() < 0.2 * coarse.abs().mean()


def test_clutter_is_the_same_for_the_same_seed_and_never_of_one_grey() -> None:
    assert torch.equal(clutter(5, 32, 1), clutter(5, 32, 1))
    assert (clutter(12, 32, 1).float().flatten(1).std(1) > 0).all()


def test_the_upright_square_of_drawn_faces_is_about_as_large_as_they_are(drawn: str) -> None:
    known = crops(drawn).faces.known
    _, side, _ = upright(known.points)
    span = (known.points[:, :68].amax(1) - known.points[:, :68].amin(1)).amax(1)
    assert ((side / span - 1).abs() < 0.25).all()
