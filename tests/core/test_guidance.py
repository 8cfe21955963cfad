"""Guidance: what branches cost and mean, and that one plugin may own how they combine."""

from collections.abc import Mapping, Sequence

import pytest
import torch
from torch import Tensor

from faceforge.core.guidance import Branch, ClassifierFree
from faceforge.errors import PluginConflict
from faceforge.plugin import Backbone, HookPoint, Manifest, Plugin
from tests.makes import forge_of, portrait

ASKED = {"aus": {"AU12": 3.0}, "prompt": "a smile", "negative_prompt": "a frown", "steps": 2}


class TwoScales:
    """The action units guided at the scale, the text at half of it: three branches."""

    branches: Sequence[Branch] = (
        Branch("conditioned"),
        Branch("no aus", frozenset({"magicface"})),
        Branch("nothing", None),
    )

    def needed(self, scale: float) -> Sequence[Branch]:
        return self.branches

    def combine(self, predictions: Mapping[str, Tensor], scale: Tensor) -> Tensor:
        full, no_aus, nothing = (predictions[branch.name] for branch in self.branches)
        weight = scale.view(-1, 1, 1, 1)
        return nothing + weight / 2 * (no_aus - nothing) + weight * (full - no_aus)


class TwoScaleGuidance(Plugin):
    manifest = Manifest(name="two-scales", version="1.0", points=(HookPoint.GUIDANCE,))

    def build(self, backbone: Backbone) -> None:
        self.guidance = TwoScales()


def predictions(*values: float) -> dict[str, Tensor]:
    names = ("conditioned", "null")
    return {name: torch.full((2, 1, 1, 1), value) for name, value in zip(names, values, strict=False)}


def test_guidance_leads_away_from_null() -> None:
    found = ClassifierFree().combine(predictions(1.0, 3.0), torch.tensor([1.0, 2.0]))
    assert found.flatten().tolist() == [1.0, -1.0]


@pytest.mark.parametrize(
    ("scale", "parity", "branches"), [(1.0, False, 1), (0.5, False, 2), (0.5, True, 1), (2, True, 2)]
)
def test_a_branch_that_cancels_does_not_run(scale: float, parity: bool, branches: int) -> None:
    assert len(ClassifierFree(from_one=parity).needed(scale)) == branches


def test_below_one_the_default_interpolates_and_parity_switches_off() -> None:
    right, parity = forge_of("magicface"), forge_of("magicface", parity=True)
    half = {**ASKED, "guidance": 0.5}
    assert torch.equal(parity.generate(**half).latents, right.generate(**{**ASKED, "guidance": 1.0}).latents)
    assert not torch.equal(right.generate(**half).latents, parity.generate(**half).latents)


def test_a_plugin_may_own_how_branches_combine() -> None:
    forge = forge_of("magicface")
    plain = forge.generate(**ASKED, guidance=3.0)
    forge.attach(TwoScaleGuidance())
    rows: list[int] = []
    handle = forge.backbone.unet.register_forward_pre_hook(lambda _module, args: rows.append(len(args[0])))
    guided = forge.generate(**ASKED, guidance=3.0)
    assert rows == [3, 3]
    forge.generate(prompt="a smile", guidance=3.0, steps=1)
    assert rows[2:] == [1]  # nothing asked, nothing negative: both other branches would say the same
    assert not torch.equal(guided.latents, plain.latents)
    forge.detach("two-scales")
    handle.remove()
    assert torch.equal(forge.generate(**ASKED, guidance=3.0).latents, plain.latents)


def test_a_second_owner_is_refused_with_both_names() -> None:
    forge = forge_of()
    forge.attach(TwoScaleGuidance())
    other = TwoScaleGuidance()
    other.manifest = other.manifest.model_copy(update={"name": "other"})
    with pytest.raises(PluginConflict, match=r"'other' and 'two-scales' both own GUIDANCE.*detach\('two-scales'\)"):
        forge.attach(other)


def test_the_negative_prompt_is_the_null_of_text() -> None:
    forge = forge_of("identity")
    one, two = (forge.edit(portrait(), prompt="a face", negative_prompt=n, guidance=3.0, steps=2) for n in ("", "blur"))
    assert not torch.equal(one.latents, two.latents)
