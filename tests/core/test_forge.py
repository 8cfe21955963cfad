"""What a Forge promises to those who edit faces with it."""

import threading
from typing import Any

import diffusers
import numpy as np
import pytest
import torch

from faceforge import EditSpec, Forge, Job
from faceforge.core.loop import Step
from faceforge.errors import BadPlugin, BadSpec, Cancelled, PluginConflict
from tests.makes import SIDE, forge_of, portrait

SMILE = {"AU12": 2.0, "AU6": 1.0}
ONE_LEVEL = 1


def pixels(result: Any) -> np.ndarray:
    return np.asarray(result.image, dtype=np.int16)


@pytest.fixture
def forge() -> Forge:
    return forge_of("identity", "magicface")


def test_the_same_spec_and_seed_give_the_same_pixels(forge: Forge) -> None:
    one, two = (forge.edit(portrait(), aus=SMILE, seed=7, steps=3) for _ in range(2))
    assert np.array_equal(pixels(one), pixels(two))
    assert not np.array_equal(pixels(one), pixels(forge.edit(portrait(), aus=SMILE, seed=8, steps=3)))


def test_a_new_process_would_give_them_too(forge: Forge) -> None:
    again = forge_of("identity", "magicface")
    one, two = (each.edit(portrait(), aus=SMILE, seed=7, steps=3) for each in (forge, again))
    assert torch.equal(one.latents, two.latents)


def test_action_units_move_the_picture_and_zero_is_the_same_as_none(forge: Forge) -> None:
    still = forge.edit(portrait(), seed=1, steps=3, guidance=2.0)
    zero = forge.edit(portrait(), aus={"AU12": 0.0}, seed=1, steps=3, guidance=2.0)
    moved = forge.edit(portrait(), aus=SMILE, seed=1, steps=3, guidance=2.0)
    assert torch.equal(still.latents, zero.latents)
    assert not torch.equal(still.latents, moved.latents)


def test_a_sweep_equals_its_edits_and_reads_the_face_once(forge: Forge) -> None:
    seen = count_rows(forge)
    values = [-2.0, 0.0, 1.0, 3.0, 5.0]
    swept = list(forge.sweep(portrait(), au="AU12", values=values, steps=2, batch_size=2))
    assert sum(seen) == 1
    forge.cache.clear()
    for value, result in zip(values, swept, strict=True):
        alone = forge.edit(portrait(), aus={"AU12": value}, steps=2)
        assert np.abs(pixels(alone) - pixels(result)).max() <= ONE_LEVEL


def test_many_faces_in_one_batch_equal_one_after_the_other(forge: Forge) -> None:
    jobs = [Job(portrait(n), EditSpec(aus={"AU4": n}, seed=n, steps=2, guidance=1.0 + n)) for n in range(4)]
    together = list(forge.edit_many(jobs, batch_size=4))
    for job, result in zip(jobs, together, strict=True):
        alone = next(forge.edit_many([job]))
        torch.testing.assert_close(alone.latents, result.latents, rtol=1e-4, atol=1e-4)
        assert np.abs(pixels(alone) - pixels(result)).max() <= ONE_LEVEL


def test_jobs_that_cannot_share_a_batch_still_come_in_order(forge: Forge) -> None:
    jobs = [Job(portrait(), EditSpec(steps=steps, size=size)) for steps, size in ((1, 32), (2, 32), (1, 64), (1, 32))]
    results = list(forge.edit_many(jobs))
    assert [result.image.size for result in results] == [(32, 32), (32, 32), (64, 64), (32, 32)]
    assert [result.spec.steps for result in results] == [1, 2, 1, 1]


def test_idle_guidance_costs_nothing(forge: Forge) -> None:
    rows = count_calls(forge)
    forge.edit(portrait(), aus=SMILE, guidance=3.0, steps=1)
    forge.edit(portrait(), aus=SMILE, guidance=1.0, steps=1)
    forge.edit(portrait(), aus={}, guidance=3.0, steps=1)
    forge.edit(portrait(), aus=SMILE, guidance=3.0, steps=1, strength={"magicface": 0.0})
    assert rows == [2, 1, 1, 1]


def test_only_the_rows_that_need_guidance_run_twice(forge: Forge) -> None:
    rows = count_calls(forge)
    specs = [EditSpec(aus=SMILE, guidance=g, steps=1) for g in (1.0, 3.0, 1.0)]
    list(forge.edit_many([Job(portrait(), spec) for spec in specs]))
    assert rows == [4]


def test_generating_needs_no_source() -> None:
    forge = forge_of("fineface")
    plain, smiling = (forge.generate(prompt="a woman", aus=aus, steps=2) for aus in ({}, SMILE))
    assert plain.image.size == (SIDE, SIDE)
    assert plain.provenance["label"] == "AI-generated"
    assert not torch.equal(plain.latents, smiling.latents)


def test_what_reads_a_source_is_left_out_where_there_is_none(forge: Forge) -> None:
    made = forge.generate(aus=SMILE, steps=2)
    assert made.notes == ("identity: has nothing to say without a source picture, and is left out",)
    forge.detach("identity")
    assert torch.equal(forge.generate(aus=SMILE, steps=2).latents, made.latents)


def test_more_steps_than_a_scheduler_has_are_refused(forge: Forge) -> None:
    with pytest.raises(BadSpec, match="steps=1000 is more than DDIMScheduler can take"):
        forge.edit(portrait(), steps=1000)


def test_given_latents_replace_the_seed_and_come_back_out(forge: Forge) -> None:
    noise = torch.randn(4, SIDE // 8, SIDE // 8)
    one, two = (forge.edit(portrait(), latents=noise, seed=seed, steps=2) for seed in (1, 2))
    assert torch.equal(one.latents, two.latents)
    with pytest.raises(BadSpec, match=r"shape \(4, 2, 2\), expected \(4, 4, 4\)"):
        forge.edit(portrait(), latents=torch.zeros(4, 2, 2))


def test_starting_at_the_end_keeps_the_picture_and_at_the_beginning_ignores_it(forge: Forge) -> None:
    source = forge.edit(portrait(), steps=4, start_at=1.0)
    encoded = forge.backbone.encode_picture(_tensor(portrait())) * forge.backbone.latent_scale
    assert torch.equal(source.latents[None], encoded)
    noise = forge.edit(portrait(), steps=4, start="source", start_at=0.0)
    assert torch.equal(noise.latents, forge.edit(portrait(), steps=4).latents)


def test_a_late_start_stays_closer_to_the_picture(forge: Forge) -> None:
    end = forge.edit(portrait(), steps=8, start_at=1.0).latents
    far, near = (forge.edit(portrait(), steps=8, start_at=at).latents for at in (0.25, 0.875))
    assert (near - end).norm() < (far - end).norm()


def test_a_start_picture_must_be_given(forge: Forge) -> None:
    with pytest.raises(BadSpec, match="'sketch' is not one of the pictures given"):
        forge.edit(portrait(), start="sketch", start_at=0.5)
    warped = forge.edit(portrait(), start="warp", start_at=1.0, pictures={"warp": portrait(9)})
    assert not torch.equal(warped.latents, forge.edit(portrait(), start_at=1.0).latents)


SCHEDULERS = [
    "DDIMScheduler",
    "DDPMScheduler",
    "DEISMultistepScheduler",
    "DPMSolverMultistepScheduler",
    "DPMSolverSinglestepScheduler",
    "EulerAncestralDiscreteScheduler",
    "EulerDiscreteScheduler",
    "HeunDiscreteScheduler",
    "KDPM2DiscreteScheduler",
    "LCMScheduler",
    "LMSDiscreteScheduler",
    "PNDMScheduler",
    "TCDScheduler",
    "UniPCMultistepScheduler",
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SCHEDULERS)
def test_any_scheduler_runs_per_item_seeds(forge: Forge, name: str) -> None:
    config = {k: v for k, v in dict(forge.backbone.scheduler.config).items() if k.startswith(("beta", "num_train"))}
    forge.backbone.scheduler = getattr(diffusers, name).from_config(config)
    jobs = [
        Job(portrait(), EditSpec(aus=SMILE, seed=seed, steps=5, start_at=at)) for seed in (1, 2) for at in (0.0, 0.4)
    ]
    results = list(forge.edit_many(jobs))
    for job, result in zip(jobs, results, strict=True):
        assert torch.isfinite(result.latents).all()
        alone = next(forge.edit_many([job]))
        torch.testing.assert_close(alone.latents, result.latents, rtol=1e-3, atol=1e-3)


def test_progress_is_told_and_a_cancelled_edit_leaves_nothing_behind(forge: Forge) -> None:
    steps: list[Step] = []
    before = forge.edit(portrait(), aus=SMILE, steps=4, progress=steps.append)
    assert [(step.number, step.total) for step in steps] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    seen: list[Step] = []
    with pytest.raises(Cancelled, match="after step 2 of 4"):
        forge.edit(portrait(), aus=SMILE, steps=4, progress=seen.append, cancelled=lambda: len(seen) == 2)
    assert torch.equal(forge.edit(portrait(), aus=SMILE, steps=4).latents, before.latents)


def test_two_threads_do_not_mix(forge: Forge) -> None:
    jobs = [Job(portrait(n), EditSpec(aus={"AU12": n}, seed=n, steps=3, guidance=2.0)) for n in range(4)]
    expected = [next(forge.edit_many([job])).latents for job in jobs]
    forge.cache.clear()
    found: dict[int, torch.Tensor] = {}

    def edit(number: int) -> None:
        for _ in range(3):
            found[number] = next(forge.edit_many([jobs[number]])).latents

    threads = [threading.Thread(target=edit, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, latents in enumerate(expected):
        assert torch.equal(found[number], latents)


def test_two_forges_on_one_backbone_do_not_mix_either(forge: Forge) -> None:
    other = Forge(forge.backbone, [_fineface(forge)])
    edits = {
        0: lambda: forge.edit(portrait(), aus=SMILE, steps=3, guidance=2.0).latents,
        1: lambda: other.generate(aus=SMILE, steps=3, guidance=2.0).latents,
    }
    expected = {number: edit() for number, edit in edits.items()}
    found: dict[int, list[torch.Tensor]] = {0: [], 1: []}
    threads = [
        threading.Thread(target=lambda n=n: found[n].extend(edits[n]() for _ in range(4)))  # type: ignore[misc]
        for n in edits
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(latents, expected[n]) for n in found for latents in found[n])
    assert [len(each) for each in found.values()] == [4, 4]


def test_a_schedule_is_followed_over_the_trajectory(forge: Forge) -> None:
    flat = forge.edit(portrait(), aus=SMILE, steps=4, strength={"magicface": ((0.0, 0.5), (1.0, 0.5))})
    assert torch.equal(flat.latents, forge.edit(portrait(), aus=SMILE, steps=4, strength={"magicface": 0.5}).latents)
    fading = forge.edit(portrait(), aus=SMILE, steps=4, strength={"magicface": ((0.0, 1.0), (1.0, 0.0))})
    off = forge.edit(portrait(), aus=SMILE, steps=4, strength={"magicface": 0.0})
    full = forge.edit(portrait(), aus=SMILE, steps=4)
    assert len({tuple(each.latents.flatten().tolist()) for each in (fading, off, full)}) == 3


def test_a_schedule_that_ends_at_zero_equals_absence_from_there_on(forge: Forge) -> None:
    steps: dict[str, list[Step]] = {"early": [], "off": []}
    late = {"magicface": ((0.0, 0.0), (0.5, 0.0), (1.0, 1.0))}
    forge.edit(portrait(), aus=SMILE, steps=5, strength=late, progress=steps["early"].append)
    forge.edit(portrait(), aus=SMILE, steps=5, strength={"magicface": 0.0}, progress=steps["off"].append)
    for number in (0, 1, 2):
        assert torch.equal(steps["early"][number].latents, steps["off"][number].latents)
    assert not torch.equal(steps["early"][4].latents, steps["off"][4].latents)


def test_per_row_strengths_equal_their_singles(forge: Forge) -> None:
    specs = [EditSpec(aus=SMILE, steps=2, strength={"identity": s, "magicface": 1 - s}) for s in (0.0, 0.3, 1.0)]
    together = list(forge.edit_many([Job(portrait(), spec) for spec in specs]))
    for spec, result in zip(specs, together, strict=True):
        alone = forge.edit(portrait(), spec)
        torch.testing.assert_close(alone.latents, result.latents, rtol=1e-4, atol=1e-4)


def test_fineface_composes_with_an_identity_on_one_backbone() -> None:
    forge = forge_of("identity", "fineface")
    both = forge.edit(portrait(), aus=SMILE, prompt="a man", steps=2)
    other_person = forge.edit(portrait(5), aus=SMILE, prompt="a man", steps=2)
    other_smile = forge.edit(portrait(), aus={"AU4": 3}, prompt="a man", steps=2)
    assert not torch.equal(both.latents, other_person.latents)
    assert not torch.equal(both.latents, other_smile.latents)


def test_two_au_adapters_keep_their_own_strengths() -> None:
    forge = forge_of("magicface", "fineface")
    one = forge.generate(aus=SMILE, steps=2, strength={"magicface": 1.0, "fineface": 0.0})
    other = forge.generate(aus=SMILE, steps=2, strength={"magicface": 0.0, "fineface": 1.0})
    forge.detach("fineface")
    assert torch.equal(forge.generate(aus=SMILE, steps=2).latents, one.latents)
    assert not torch.equal(one.latents, other.latents)


def test_a_lora_refuses_a_schedule_and_says_what_to_do() -> None:
    forge = forge_of("identity")
    forge.attach(_fineface_with_lora(forge))
    with pytest.raises(BadSpec, match="--lora-scale fineface=0"):
        forge.edit(portrait(), aus=SMILE, strength={"fineface": ((0.0, 1.0), (1.0, 0.0))})
    forge.own_lora_scales["fineface"] = 0.0
    forge.edit(portrait(), aus=SMILE, steps=1, strength={"fineface": ((0.0, 1.0), (1.0, 0.0))})


def test_rows_with_different_lora_strengths_do_not_share_a_batch() -> None:
    forge = forge_of()
    forge.attach(_fineface_with_lora(forge))
    specs = [EditSpec(aus=SMILE, steps=2, strength={"fineface": s}) for s in (1.0, 0.5, 0.0)]
    together = list(forge.edit_many([Job(spec=spec) for spec in specs]))
    for spec, result in zip(specs, together, strict=True):
        assert torch.equal(forge.generate(spec).latents, result.latents)


def test_cached_faces_know_which_lora_they_were_read_with() -> None:
    """The projected keys of a face depend on the LoRA; the cache must not hand out those of another."""
    forge = forge_of("identity")
    forge.attach(_fineface_with_lora(forge))
    fresh = {}
    for strength in (1.0, 0.5):
        forge.cache.clear()
        fresh[strength] = forge.edit(portrait(), aus=SMILE, steps=2, strength={"fineface": strength}).latents
    for strength in (1.0, 0.5, 1.0):
        found = forge.edit(portrait(), aus=SMILE, steps=2, strength={"fineface": strength}).latents
        assert torch.equal(found, fresh[strength])


def test_the_cache_notices_changed_weights(forge: Forge) -> None:
    before = forge.edit(portrait(), aus=SMILE, steps=2)
    with torch.no_grad():
        forge.plugins["identity"].unet.conv_in.weight.mul_(1.5)
    assert not torch.equal(forge.edit(portrait(), aus=SMILE, steps=2).latents, before.latents)


def test_the_cache_stays_within_its_bytes(forge: Forge) -> None:
    forge.cache.limit_bytes = 200_000
    for seed in range(8):
        forge.edit(portrait(seed), aus=SMILE, steps=1)
        assert forge.cache.used_bytes <= 200_000


def test_a_measured_source_turns_changes_into_intensities() -> None:
    forge = forge_of("fineface")
    direct = forge.generate(aus={"AU12": 3.0}, steps=2)
    added = forge.generate(aus={"AU12": 1.0}, measured={"AU12": 2.0}, steps=2)
    assert torch.equal(direct.latents, added.latents)
    clipped = forge.generate(aus={"AU12": -4.0}, measured={"AU12": 2.0}, steps=2)
    assert clipped.notes == ("fineface: AU12 was clipped from -2 to 0",)


def test_a_stored_dose_is_divided_out(forge: Forge) -> None:
    plain = forge.edit(portrait(), aus={"AU12": -4.0}, steps=2)
    forge.plugins["magicface"].dose = {"AU12": -0.5}  # this model moves half as far, and the other way
    assert torch.equal(forge.edit(portrait(), aus={"AU12": 2.0}, steps=2).latents, plain.latents)


def test_owners_and_names_conflict_with_both_names(forge: Forge) -> None:
    from faceforge.core.text import TextPrompt
    from faceforge_plugins.magicface import MagicFace

    with pytest.raises(PluginConflict, match=r"'magicface' is attached already.*detach\('magicface'\)"):
        forge.attach(MagicFace())
    other = TextPrompt()
    other.manifest = other.manifest.model_copy(update={"name": "other-text"})
    with pytest.raises(PluginConflict, match="'other-text' and 'text' both own CONTEXT"):
        forge.attach(other)


def test_a_plugin_of_another_backbone_is_refused(forge: Forge) -> None:
    from faceforge.store.backbones import tiny
    from faceforge_plugins.fineface import FineFace

    with pytest.raises(BadPlugin, match="was made for"):
        forge.attach(FineFace().built_on(tiny(widths=(8, 16))))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"aus": {"AU7": 1}}, "AU7 .lid tightener.: no loaded plugin can do it"),
        ({"aus": {"AU12L": 1}}, "AU12L"),
        ({"strength": {"magicfase": 1}}, "Did you mean 'magicface'"),
        ({"strength": {"text": 0.5}}, "'text', which is not loaded here"),
        ({"controls": {"magicface": {"x": 1}}}, "which is not loaded here"),
        ({"size": 20}, "multiples of 8"),
        ({"vectors": {"prompt": [float("nan")]}}, "not finite"),
        ({"wink": 1}, "'wink' is not a field of an edit"),
    ],
)
def test_what_cannot_be_granted_is_refused_before_any_work(forge: Forge, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(BadSpec, match=words):
        forge.edit(portrait(), **fields)


def test_a_missing_picture_is_named() -> None:
    with pytest.raises(BadSpec, match="'attributes' needs the picture 'background'"):
        forge_of("attributes").edit(portrait())


def test_channels_last_and_half_precision_stay_near_the_plain_path(forge: Forge) -> None:
    plain = forge.edit(portrait(), aus=SMILE, steps=2).latents
    close = forge.optimize().edit(portrait(), aus=SMILE, steps=2).latents
    torch.testing.assert_close(close, plain, rtol=1e-4, atol=1e-4)
    half = forge.optimize(dtype=torch.bfloat16).edit(portrait(), aus=SMILE, steps=2).latents.float()
    assert (half - plain).norm() < 0.1 * plain.norm()


def test_a_missing_attention_kernel_is_named(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(BadPlugin, match=r"pip install .faceforge\[xformers\]"):
        forge.optimize(xformers=True)


def test_hooks_still_read_new_state_after_compiling(forge: Forge) -> None:
    """Captured by dynamo without code generation: what is compiled must look up the state at every call."""
    plain = {au: forge.edit(portrait(), aus={au: 3.0}, steps=2).latents for au in ("AU4", "AU12")}
    forge.backbone.hooks.install()
    forge.backbone.unet.compile(backend="eager")
    for au, expected in plain.items():
        torch.testing.assert_close(
            forge.edit(portrait(), aus={au: 3.0}, steps=2).latents, expected, rtol=1e-4, atol=1e-4
        )


@pytest.mark.slow_compile
def test_compiled_kernels_agree_with_the_plain_path(forge: Forge) -> None:
    plain = forge.edit(portrait(), aus=SMILE, steps=2).latents
    compiled = forge.optimize(compile=True).edit(portrait(), aus=SMILE, steps=2).latents
    torch.testing.assert_close(compiled, plain, rtol=1e-3, atol=1e-3)


def test_low_memory_changes_no_picture(forge: Forge, tmp_path: Any) -> None:
    from faceforge import load

    plain = forge.edit(portrait(), aus=SMILE, steps=2, guidance=2.0)
    spare = load(forge.save(tmp_path / "saved")).low_memory()
    for _ in range(2):  # the second edit has to read what the first one forgot
        found = spare.edit(portrait(), aus=SMILE, steps=2, guidance=2.0)
        torch.testing.assert_close(found.latents, plain.latents, rtol=1e-4, atol=1e-4)
        assert found.provenance["plugins"] == plain.provenance["plugins"]
    assert next(spare.plugins["identity"].parameters()).is_meta


def count_calls(forge: Forge) -> list[int]:
    """Rows of every UNet call from now on."""
    rows: list[int] = []
    forge.backbone.unet.register_forward_pre_hook(lambda _module, args: rows.append(len(args[0])))
    return rows


def count_rows(forge: Forge) -> list[int]:
    """Rows of every call of the identity encoder's network from now on."""
    rows: list[int] = []
    forge.plugins["identity"].unet.register_forward_pre_hook(lambda _module, args: rows.append(len(args[0])))
    return rows


def _tensor(image: Any) -> torch.Tensor:
    from faceforge.jobs import to_tensor

    return to_tensor(image)[None]


def _fineface_with_lora(forge: Forge) -> Any:
    return _fineface(forge, rank=4)


def _fineface(forge: Forge, rank: int = 0) -> Any:
    from faceforge.testing import randomise
    from faceforge_plugins.fineface import FineFace

    plugin = FineFace(rank=rank).built_on(forge.backbone)
    randomise(plugin)
    return plugin
