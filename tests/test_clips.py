"""Clips: frames that read one another, in windows, with everything they share computed once."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from faceforge import Forge, Job, clips, memory
from faceforge.cli.repeat import read_record
from faceforge.errors import BadPicture, BadSpec, Cancelled
from faceforge.forge import FRAMES_AT_ONCE
from faceforge.jobs import to_tensor
from faceforge.models import load_folder
from faceforge.plugin import IdentityEncoder
from faceforge.windows import RELEASED, Windows
from tests.makes import SIDE, forge_of, portrait

FOUR = Windows(length=4, overlap=2)
WISH: dict[str, Any] = {"steps": 2, "seed": 5, "guidance": 2.0}


@pytest.fixture
def forge() -> Forge:
    """Geometry, motion, and an identity that leaves in the null branch, as MagicPortrait's does."""
    made = forge_of("geometry", "motion")
    made.attach(IdentityEncoder(normed=True, null="drop", scaled=True, half=True))
    return made


def clip(frames: int, **fields: Any) -> list[Job]:
    """Frames of one portrait whose maps differ."""
    names = ("depth", "normal", "render")
    maps = [{name: portrait(10 * n + k) for k, name in enumerate(names)} for n in range(frames)]
    return [Job.of(portrait(), None, {**WISH, "pictures": pictures, **fields}) for pictures in maps]


def latents(forge: Forge, jobs: list[Job], windows: Windows = FOUR, **watch: Any) -> Tensor:
    return torch.stack([result.latents for result in forge.animate(jobs, windows=windows, **watch)])


def rows_seen(forge: Forge) -> list[int]:
    """How many rows each call of the UNet has, from now on."""
    seen: list[int] = []
    forge.backbone.unet.register_forward_pre_hook(lambda _module, args: seen.append(len(args[0])))
    return seen


def counted(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, count: Callable[..., int]) -> list[int]:
    seen: list[int] = []
    plain = getattr(owner, name)

    def watched(*args: Any, **named: Any) -> Any:
        seen.append(count(*args))
        return plain(*args, **named)

    monkeypatch.setattr(owner, name, watched)
    return seen


def test_frames_read_one_another_inside_a_window_and_no_further(forge: Forge) -> None:
    jobs = clip(8)
    one, two = jobs, [replace(jobs[0], pictures=clip(9)[8].pictures), *jobs[1:]]
    apart = Windows(length=4, overlap=0)
    moved = (latents(forge, one, apart) - latents(forge, two, apart)).flatten(1).abs().amax(1)
    assert (moved[:4] > 1e-4).all()
    assert (moved[4:] == 0).all()


def test_without_motion_modules_a_clip_is_its_frames(forge: Forge) -> None:
    forge.detach("motion")
    jobs = [replace(job, latents=torch.randn(4, SIDE // 8, SIDE // 8)) for job in clip(5)]
    seen = rows_seen(forge)
    together = latents(forge, jobs)
    assert sum(seen) == 2 * 2 * 5  # steps, branches, frames: no frame is predicted twice
    alone = torch.stack([result.latents for result in forge.edit_many(jobs, batch_size=1)])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_one_frame_is_an_edit(forge: Forge) -> None:
    (job,) = clip(1)
    assert torch.equal(latents(forge, [job])[0], next(iter(forge.edit_many([job]))).latents)


def test_motion_at_strength_zero_is_no_motion(forge: Forge) -> None:
    still = latents(forge, clip(5, strength={"motion": 0.0}))
    forge.detach("motion")
    torch.testing.assert_close(still, latents(forge, clip(5)), rtol=1e-4, atol=1e-5)


def test_windows_in_one_call_equal_windows_in_several(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = rows_seen(forge)
    plain = latents(forge, clip(10))
    assert set(seen) == {4}
    seen.clear()
    monkeypatch.setattr(memory, "fit_side_by_side", lambda device, one: len(one()) // 2)  # two windows of four frames
    paired = latents(forge, clip(10))
    assert seen[0] == 4  # to see what one window takes
    assert set(seen[1:]) == {8}
    torch.testing.assert_close(paired, plain, rtol=1e-4, atol=1e-5)
    seen.clear()
    forge.rows_per_call = 1
    torch.testing.assert_close(latents(forge, clip(10)), plain, rtol=1e-4, atol=1e-5)
    assert set(seen) == {4}  # a window is never split


def test_main_memory_takes_one_window_at_a_time() -> None:
    assert memory.fit_side_by_side(torch.device("cpu"), lambda: pytest.fail("nothing is tried")) == 1


def test_a_long_clip_sees_its_portrait_once_and_its_maps_a_few_at_a_time(
    forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    portraits = counted(monkeypatch, forge.plugins["identity"], "observe", lambda latents, text: len(latents))
    maps = counted(monkeypatch, forge.plugins["geometry"], "features", lambda name, maps: len(maps))
    projected = counted(monkeypatch, forge.backbone.hooks, "project", lambda site, tokens: 1)
    seen = rows_seen(forge)
    frames = 2 * FRAMES_AT_ONCE + 1
    latents(forge, clip(frames))
    assert portraits == [1]
    assert sum(projected) == len(forge.backbone.self_sites)
    assert (max(maps), sum(maps)) == (FRAMES_AT_ONCE, 3 * frames)
    windows = len(FOUR.over(frames))
    assert seen == [4] * 2 * 2 * windows  # steps, branches, windows


def test_pictures_are_opened_a_few_frames_before_they_are_encoded(
    forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    open_frame, features = clips.ready, forge.plugins["geometry"].features
    monkeypatch.setattr(clips, "ready", lambda *args: events.append("open") or open_frame(*args))
    monkeypatch.setattr(forge.plugins["geometry"], "features", lambda *args: events.append("encode") or features(*args))
    latents(forge, clip(FRAMES_AT_ONCE + 1))
    assert events == ["open"] * FRAMES_AT_ONCE + ["encode"] * 3 + ["open"] + ["encode"] * 3


def test_frames_are_decoded_when_they_are_asked_for(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = counted(monkeypatch, forge.backbone, "decode_latents", len)
    results = forge.animate(clip(3), windows=FOUR)
    first = next(results)
    assert decoded == [1]
    assert first.image is not None
    assert first.image.size == (SIDE, SIDE)
    list(results)
    assert decoded == [1, 1, 1]


def test_branches_that_say_the_same_for_every_frame_run_once(forge: Forge) -> None:
    forge.detach("identity")
    seen = rows_seen(forge)
    latents(forge, clip(4))
    assert seen == [4, 4]


def test_a_branch_that_one_frame_needs_runs_for_all(forge: Forge) -> None:
    """Asking nothing of a frame, its null condition says the same; but its neighbours' null rows read it."""
    forge = forge_of("geometry", "motion", "magicface")
    asked = [{}, {"AU12": 2.0}, {}, {}]
    found, exact = (
        latents(forge, [replace(job, spec=job.spec.with_(aus=aus)) for job, aus in zip(clip(4), each, strict=True)])
        for each in (asked, [aus or {"AU12": 1e-9} for aus in asked])
    )
    torch.testing.assert_close(found, exact, rtol=1e-5, atol=1e-6)


def test_frames_may_differ_in_strength(forge: Forge) -> None:
    jobs = clip(4)
    fading = [
        replace(job, spec=job.spec.with_(strength={"identity": share}))
        for job, share in zip(jobs, (1.0, 0.5, 0.1, 0.0), strict=True)
    ]
    found, whole, none = (latents(forge, each) for each in (fading, jobs, clip(4, strength={"identity": 0.0})))
    assert not torch.allclose(found[0], whole[0], atol=1e-4)  # its neighbours differ
    assert not torch.allclose(found[3], none[3], atol=1e-4)


def test_noise_is_of_the_whole_clip_from_one_seed_unless_a_frame_brings_its_own(forge: Forge) -> None:
    begun: list[Tensor] = []
    own = torch.zeros(4, SIDE // 8, SIDE // 8)
    jobs = clip(3)
    jobs[1] = replace(jobs[1], latents=own)
    forge.backbone.unet.register_forward_pre_hook(lambda _module, args: begun.append(args[0].clone()))
    latents(forge, jobs)
    first = next(each for each in begun if len(each) == 3)
    drawn = torch.randn(1, 4, 3, SIDE // 8, SIDE // 8, generator=torch.Generator().manual_seed(5))
    assert torch.equal(first[0], drawn[0, :, 0])
    assert torch.equal(first[1], own)
    assert torch.equal(first[2], drawn[0, :, 2])


def test_a_clip_may_start_from_pictures_of_its_frames(forge: Forge) -> None:
    started = latents(forge, clip(3, start="render", start_at=1.0))
    pictures = [forge.backbone.encode_picture(to_tensor(job.pictures["render"])[None])[0] for job in clip(3)]
    torch.testing.assert_close(started, torch.stack(pictures) * forge.backbone.latent_scale, rtol=1e-5, atol=1e-6)


def test_blending_changes_only_frames_that_several_windows_see(forge: Forge) -> None:
    flat, ramp = (first_prediction(forge, FOUR.model_copy(update={"blend": blend})) for blend in ("flat", "ramp"))
    visits = [sum(frame in window.items for window in FOUR.over(6)) for frame in range(6)]
    assert visits == [1, 1, 2, 2, 1, 1]
    for frame, count in enumerate(visits):
        assert torch.equal(flat[frame], ramp[frame]) == (count == 1)


def first_prediction(forge: Forge, windows: Windows) -> Tensor:
    steps: list[Any] = []
    latents(forge, clip(6), windows, progress=steps.append)
    return steps[0].prediction


def test_a_release_s_windows_are_cut_in_parity_mode_only(forge: Forge) -> None:
    def cut() -> dict[str, Any]:
        return next(forge.animate(clip(2))).provenance["clip"]["windows"]

    assert cut() == forge.defaults.windows.model_dump() != RELEASED.model_dump()
    forge.parity = True
    assert cut() == RELEASED.model_dump()


def test_every_frame_says_which_one_it_is(forge: Forge) -> None:
    places = [result.provenance["clip"] for result in forge.animate(clip(3), windows=FOUR)]
    assert [(each["frame"], each["frames"]) for each in places] == [(0, 3), (1, 3), (2, 3)]


def test_progress_is_told_after_every_window(forge: Forge) -> None:
    shares: list[float] = []
    latents(forge, clip(6), share_done=shares.append)
    parts = 2 * 2 * len(FOUR.over(6))
    assert shares == [pytest.approx((number + 1) / parts) for number in range(parts)]


def test_a_clip_can_be_stopped_after_a_window_and_leaves_no_trace(forge: Forge) -> None:
    def plain() -> Tensor:
        text = forge.backbone.text.embed("a face")
        with torch.no_grad():
            return forge.backbone.unet(torch.ones(1, 4, 4, 4), 500, encoder_hidden_states=text).sample

    before = plain()
    asked = iter([False, False, True])
    with pytest.raises(Cancelled, match="after 3 of 8 parts"):
        latents(forge, clip(6), cancelled=lambda: next(asked))
    assert torch.equal(plain(), before)


@pytest.mark.parametrize(
    ("jobs", "windows", "words"),
    [
        ([], FOUR, "no frames"),
        ([*clip(2), *clip(1, seed=6)], FOUR, "Frame 2 has seed=6, frame 0 5"),
        ([*clip(1), *clip(1, steps=3)], FOUR, "Frame 1 has steps=3, frame 0 2"),
        ([*clip(1), Job(portrait(), clip(1)[0].spec)], FOUR, "Frame 1 brings other pictures or vectors than frame 0"),
        (clip(40), Windows(length=33), "33 frames are longer than the 32 that 'motion' can tell apart"),
    ],
    ids=["empty", "seeds", "steps", "pictures", "long"],
)
def test_what_is_not_one_clip_is_refused(forge: Forge, jobs: list[Job], windows: Windows, words: str) -> None:
    with pytest.raises(BadSpec, match=words):
        list(forge.animate(jobs, windows=windows))


def test_a_saved_forge_makes_the_same_clip(forge: Forge, tmp_path: Path) -> None:
    expected = latents(forge, clip(3))
    again = load_folder(forge.save(tmp_path / "model"))
    assert torch.equal(latents(again, clip(3)), expected)
    pictures = [np.asarray(result.image) for result in again.animate(clip(3))]
    assert len(pictures) == 3


def test_one_frame_of_a_clip_is_not_made_again_by_itself(forge: Forge, tmp_path: Path) -> None:
    for frames in (1, 2):
        next(forge.animate(clip(frames))).save(tmp_path / f"{frames}.png")
    assert read_record(tmp_path / "1.png").spec["seed"] == WISH["seed"]
    with pytest.raises(BadPicture, match="is frame 0 of a clip of 2"):
        read_record(tmp_path / "2.png")


def test_a_faster_memory_format_gives_the_same_clip(forge: Forge) -> None:
    plain = latents(forge, clip(5))
    torch.testing.assert_close(latents(forge.optimize(), clip(5)), plain, rtol=1e-3, atol=1e-4)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_sees_as_many_windows_at_once_as_fit_and_makes_the_same_clip(forge: Forge) -> None:
    plain = latents(forge, clip(10))
    forge.to("cuda")
    seen = rows_seen(forge)
    torch.testing.assert_close(latents(forge, clip(10)).cpu(), plain, rtol=1e-2, atol=1e-2)
    assert seen[0] == 4  # to see what one window takes
    assert set(seen[1:]) == {4 * len(FOUR.over(10))}
