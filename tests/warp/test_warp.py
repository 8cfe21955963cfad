"""The warp against what is true: synthetic portraits whose heads are known exactly, before and after."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor

from faceforge.errors import BadPicture
from faceforge.face3d.embedded.model import EmbeddedHead
from faceforge.face3d.fitted import HeadFit
from faceforge.spec import EditSpec
from faceforge.synth.known import known_fit
from faceforge.synth.portrait import photograph
from faceforge.synth.sitting import Sitting, sample
from faceforge.warp import drawing
from faceforge.warp import warp as warping
from faceforge.warp.motion import motion
from faceforge.warp.plate import Plate
from faceforge.warp.target import by_side, target
from faceforge.warp.warp import Warped, warp

SIZE = 256
EDITS = {
    "smile": EditSpec(aus={"AU12": 4}),
    "brows": EditSpec(aus={"AU1": 4, "AU2": 4}),
    "frown": EditSpec(aus={"AU4": 5}),
    "sulk": EditSpec(aus={"AU15": 4, "AU17": 3}),
    "wide eyes": EditSpec(aus={"AU5": 5}),
    "open mouth": EditSpec(aus={"AU25": 4, "AU26": 3}),
    "turned": EditSpec(yaw_deg=12),
    "raised": EditSpec(pitch_deg=10),
    "tilted": EditSpec(roll_deg=8),
    "looking aside": EditSpec(gaze_yaw_deg=15),
}


@cache
def sitting(seed: int = 12, **aus: float) -> Sitting:
    # Short hair: no brow moves what hangs over it, and that is not what is measured here.
    return sample(seed, aus=dict(aus), yaw_deg=4.0, pitch_deg=0.0, roll_deg=0.0, occluder=None, hair_style="buzz")


def picture(of: Sitting, size: int = SIZE) -> Tensor:
    return torch.from_numpy(photograph([of], size)[0].image).permute(2, 0, 1).float() / 255


@cache
def plate(seed: int = 12, **aus: float) -> Plate:
    return Plate(picture(sitting(seed, **aus)), known_fit(sitting(seed, **aus), SIZE))


def warped(spec: EditSpec, of: Plate | None = None) -> Warped:
    of = of or plate()
    return warp(of, target(of.fit, spec, of.head))


def truth(spec: EditSpec) -> Sitting:
    s = sitting()
    turned = {
        name: getattr(s, name) + getattr(spec, name)
        for name in ("yaw_deg", "pitch_deg", "roll_deg", "gaze_yaw_deg", "gaze_pitch_deg")
    }
    return replace(s, aus={**s.aus, **spec.aus}, **turned)


def psnr(one: Tensor, other: Tensor, where: Tensor) -> float:
    return float(-10 * torch.log10((one - other).square().mean(0)[where].mean()))


def test_an_edit_that_changes_nothing_gives_the_photograph_back_bit_for_bit() -> None:
    found = warped(EditSpec())
    assert torch.equal(found.picture, plate().picture)
    assert not found.changed.any()
    assert not found.unknown.any()


@pytest.mark.parametrize("name", EDITS)
def test_what_did_not_change_is_the_photograph_bit_for_bit(name: str) -> None:
    found = warped(EDITS[name])
    assert found.changed.any()
    assert torch.equal(found.picture[:, ~found.changed], plate().picture[:, ~found.changed])
    assert not found.flow[~found.changed].abs().gt(0.02).any()


@pytest.mark.parametrize("name", EDITS)
def test_known_pixels_come_closer_to_the_true_portrait_than_a_copy(name: str) -> None:
    found, wanted = warped(EDITS[name]), picture(truth(EDITS[name]))
    where = found.changed & (found.unknown < 0.5)
    floor = {"turned": 3.0, "raised": 3.0, "looking aside": 1.5, "wide eyes": 1.5, "tilted": 3.0}.get(name, 7.0)
    assert psnr(found.picture, wanted, where) > psnr(plate().picture, wanted, where) + floor


def test_the_flow_leads_from_where_landmarks_are_to_where_they_were() -> None:
    spec = EditSpec(aus={"AU12": 4, "AU1": 3})
    found = warped(spec)
    before, after = (photograph([each], SIZE)[0].landmarks for each in (sitting(), truth(spec)))
    inner = [*range(17, 36), 48, 54]  # brows, nose and mouth corners; lips and lids lie on edges of the flow
    at = np.floor(after[inner]).astype(int)
    led = found.flow.numpy()[at[:, 1], at[:, 0]] + after[inner]
    assert np.abs(led - before[inner]).max() < 1.0


def test_what_an_opened_mouth_shows_is_unknown_and_dark() -> None:
    found = warped(EDITS["open mouth"])
    landmarks = photograph([truth(EDITS["open mouth"])], SIZE)[0].landmarks
    x, y = landmarks[[62, 66]].mean(0).astype(int)
    assert found.unknown[y, x] > 0.9
    assert found.picture[:, y, x].mean() < 0.5 * plate().picture[:, y - 25, x].mean()
    assert warped(EDITS["frown"]).unknown[y, x] == 0


def test_a_face_that_turns_hides_one_side_and_shows_the_other() -> None:
    right, left = warped(EditSpec(yaw_deg=15)), warped(EditSpec(yaw_deg=-15))
    columns = torch.arange(SIZE).float()

    def middle(of: Warped) -> float:
        return float((of.unknown.sum(0) * columns).sum() / of.unknown.sum())

    nose = float(photograph([sitting()], SIZE)[0].landmarks[30, 0])
    assert middle(right) < nose < middle(left)  # new skin comes into view on the side that the face turns from


def test_light_from_one_side_brightens_that_side_and_leaves_the_room_alone() -> None:
    found = warped(EditSpec(light=(70.0, 0.0)))
    cheeks = photograph([sitting()], SIZE)[0].landmarks[[2, 14]].mean(0)
    x, y = cheeks.astype(int)
    gain = (found.picture.mean(0) / plate().picture.mean(0).clamp(min=0.02))[y - 15 : y + 5]
    assert gain[:, x + 20 : x + 32].mean() > gain[:, x - 32 : x - 20].mean() + 0.2
    assert torch.equal(found.picture[:, :20, :20], plate().picture[:, :20, :20])
    assert not found.flow.any()


def test_lights_by_name_come_from_the_picture_s_side() -> None:
    named, asked = warped(EditSpec(light="right")), warped(EditSpec(light=(70.0, 10.0)))
    left, right = (float(named.picture[:, 100:160, part].mean()) for part in (slice(80, 120), slice(136, 176)))
    assert right > left
    assert float((named.picture - asked.picture).abs().mean()) < 0.05


def test_light_keeps_the_exposure() -> None:
    found = warped(EditSpec(light="top"))
    assert 0.75 < float(found.picture.mean() / plate().picture.mean()) < 1.25


def test_units_cannot_go_below_what_the_face_shows_and_the_notes_say_so() -> None:
    smiling = plate(12, AU12=3.0)
    less = target(smiling.fit, EditSpec(aus={"AU12": -4}), smiling.head)
    none = target(smiling.fit, EditSpec(aus={"AU12": -3}), smiling.head)
    assert torch.allclose(less.params.expression, none.params.expression)
    assert less.notes == ("AU12 was changed by -3.0 instead of -4: the face shows no more of it to take away",)
    assert none.notes == ()
    relaxed = psnr(warped(EditSpec(aus={"AU12": -3}), smiling).picture, picture(sitting()), plate().depth >= 0)
    assert relaxed > psnr(smiling.picture, picture(sitting()), plate().depth >= 0) + 5


def test_there_and_back_leaves_the_head_where_it_was() -> None:
    fit = plate().fit
    head = EmbeddedHead()
    there = target(fit, EditSpec(yaw_deg=20, pitch_deg=-5, gaze_pitch_deg=8), head)
    back = target(replace(fit, params=there.params), EditSpec(gaze_pitch_deg=-8), head)
    assert torch.equal(back.params.eyes, torch.zeros(1, 2, 3, dtype=torch.float64) + fit.params.eyes)  # type: ignore[operator]


def test_one_sided_units_move_one_side() -> None:
    found = warped(EditSpec(aus={"AU12L": 4}))
    corners = photograph([sitting()], SIZE)[0].landmarks[[48, 54]].astype(int)
    right, left = (float(found.flow[y - 4 : y + 4, x - 4 : x + 4].norm(dim=2).max()) for x, y in corners)
    assert left > 3 > 0.5 > right


def test_the_picture_does_not_depend_on_what_was_warped_before() -> None:
    fresh = Plate(plate().picture, plate().fit)
    warped(EditSpec(yaw_deg=20))
    assert torch.equal(
        warped(EDITS["smile"]).picture, warp(fresh, target(fresh.fit, EDITS["smile"], fresh.head)).picture
    )


def test_large_pictures_are_read_at_full_resolution() -> None:
    big = photograph([sitting()], 1024)[0].image
    large = Plate(torch.from_numpy(big).permute(2, 0, 1).float() / 255, known_fit(sitting(), 1024))
    found = warped(EDITS["smile"], large)
    assert max(large.window.grid) <= 640
    assert torch.equal(found.picture[:, ~found.changed], large.picture[:, ~found.changed])
    wanted = torch.from_numpy(photograph([truth(EDITS["smile"])], 1024)[0].image).permute(2, 0, 1).float() / 255
    where = found.changed & (found.unknown < 0.5)
    assert psnr(found.picture, wanted, where) > psnr(large.picture, wanted, where) + 7


@pytest.mark.parametrize("name", ["smile", "frown", "wide eyes", "open mouth", "looking aside"])
def test_working_on_a_part_of_the_window_gives_what_working_on_all_of_it_does(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = warped(EDITS[name])
    assert part.moves.part.grid[0] * part.moves.part.grid[1] < SIZE**2
    monkeypatch.setattr(drawing, "changing", lambda plate, posed, target: plate.window)
    apart = (part.picture - warped(EDITS[name]).picture).abs().amax(0)
    assert apart.gt(2 / 255).float().mean() < 5e-4  # colours that are made up come from a little less far
    assert apart.quantile(0.995) < 1 / 255


def test_nothing_moves_beyond_the_part_that_is_worked_on() -> None:
    moves = motion(plate(), target(plate().fit, EDITS["open mouth"], plate().head))
    beside = torch.ones(plate().window.grid, dtype=torch.bool)
    beside[moves.part.slices] = False
    assert beside.any()
    assert moves.offset[:, beside].abs().max() < 0.02
    assert bool((moves.ratio[:, beside] == 1).all())
    assert bool((moves.known[beside] == 1).all())


@pytest.mark.parametrize(("kind", "full"), [(torch.uint8, 255), (torch.uint16, 65535)])
def test_a_photograph_of_whole_numbers_is_edited_in_its_own_kind(kind: torch.dtype, full: int) -> None:
    whole = (plate().picture * full).round().to(kind)
    kept = Plate(whole, plate().fit)
    found = warped(EDITS["open mouth"], kept)
    assert found.picture.dtype == kind
    same = ~found.changed
    assert torch.equal(found.picture.int()[:, same], whole.int()[:, same])
    assert (found.picture.float() / full - warped(EDITS["open mouth"]).picture).abs().max() < 1.01 / 255


def test_blocks_of_pixels_leave_no_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = warped(EDITS["turned"])
    monkeypatch.setattr(warping, "_BLOCK", 60)
    assert (warped(EDITS["turned"]).picture - at_once.picture).abs().max() < 1e-3


def test_a_head_of_another_picture_is_refused() -> None:
    with pytest.raises(BadPicture, match=r"\(3, 256, 256\)"):
        Plate(torch.zeros(3, 200, 256), plate().fit)


def test_a_head_outside_the_picture_is_refused() -> None:
    params = replace(plate().fit.params, translation=torch.tensor([[3.0, 0.0, 0.0]], dtype=torch.float64))
    away: HeadFit = replace(plate().fit, params=params)
    with pytest.raises(BadPicture, match="outside the picture"):
        Plate(plate().picture, away)


def test_sides_add_up() -> None:
    assert by_side({"AU1": 1.0, "AU1R": 2.0}) == {"AU1L": 1.0, "AU1R": 3.0}


def test_closed_lids_are_made_up_and_not_drawn_out() -> None:
    x, y = photograph([sitting()], SIZE)[0].landmarks[[37, 38, 40, 41]].mean(0).astype(int)
    assert warped(EditSpec(aus={"AU43": 5})).unknown[y, x] > 0.9
