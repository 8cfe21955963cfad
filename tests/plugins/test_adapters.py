"""FineFace and FaceID against the stock IP-Adapter processors, and the facts that make them small."""

import copy

import pytest
import torch
from diffusers.models.attention_processor import IPAdapterAttnProcessor2_0
from torch import Tensor

from faceforge import EditSpec, Forge, Job
from faceforge.core.types import Request
from tests.makes import SIDE, forge_of

LATENTS = torch.randn(2, 4, SIDE // 8, SIDE // 8, generator=torch.Generator().manual_seed(2))
TIME = torch.tensor(300)
FACES = torch.randn(2, 3, 512, generator=torch.Generator().manual_seed(3))
AUS = ({"AU12": 3.0}, {"AU4": 2.0, "AU1": 1.0})


def ours(forge: Forge, strength: dict[str, float]) -> Tensor:
    requests = [
        Request(EditSpec(aus=aus, strength=strength, guidance=1.0, prompt="a face"), vectors={"faceid": faces})
        for aus, faces in zip(AUS, FACES, strict=True)
    ]
    with torch.no_grad(), forge.prepared(requests) as run:
        return run.predict(LATENTS, TIME)


def stock(forge: Forge, strength: dict[str, float]) -> Tensor:
    """The same weights in diffusers' own processors, which every cross-attention layer would have to be given."""
    backbone, width = forge.backbone, forge.backbone.text_width
    fineface, faceid = forge.plugins["fineface"], forge.plugins["faceid"]
    unet = copy.deepcopy(backbone.unet)
    scales = [strength["fineface"], strength["faceid"]]
    for site, channels in backbone.cross_sites.items():
        processor = IPAdapterAttnProcessor2_0(channels, width, num_tokens=(1, 48), scale=scales)
        key = site.replace(".", "/")
        with torch.no_grad():
            processor.to_k_ip[0].weight.normal_()  # the key of a single token: whatever it is, it does nothing
            processor.to_v_ip[0].weight.copy_(fineface.read[key].to_v.weight)
            processor.to_k_ip[1].weight.copy_(faceid.read[key].to_k.weight)
            processor.to_v_ip[1].weight.copy_(faceid.read[key].to_v.weight)
        unet.get_submodule(f"{site}.attn2").set_processor(processor)
    codes = fineface.manifest.aus.codes
    numbers = torch.tensor([[aus.get(code, 0.0) for code in codes] for aus in AUS])
    with torch.no_grad():
        tokens = [fineface.token(numbers)[:, None], faceid.project(FACES)[:, None]]
        text = backbone.text.embed("a face").expand(2, -1, -1)
        return unet(LATENTS, TIME, encoder_hidden_states=(text, tokens)).sample


@pytest.mark.parametrize("strength", [(1.0, 1.0), (0.5, 0.9), (1.0, 0.0), (0.0, 1.0)])
def test_contributions_equal_stock_ip_adapter_processors(strength: tuple[float, float]) -> None:
    forge = forge_of("fineface", "faceid")
    weights = dict(zip(("fineface", "faceid"), strength, strict=True))
    torch.testing.assert_close(ours(forge, weights), stock(forge, weights), rtol=1e-4, atol=1e-5)


def test_the_au_token_is_affine_in_the_intensities() -> None:
    plugin = forge_of("fineface").plugins["fineface"]
    one, two = torch.randn(1, 12), torch.randn(1, 12)
    with torch.no_grad():
        middle = plugin.token((one + two) / 2)
        torch.testing.assert_close(middle, (plugin.token(one) + plugin.token(two)) / 2)
        assert plugin.token(torch.zeros(1, 12)).any()  # a neutral face is not nothing


def test_more_photographs_of_a_person_give_a_longer_sequence() -> None:
    plugin = forge_of("faceid").plugins["faceid"]
    with torch.no_grad():
        assert plugin.project(FACES).shape[1] == 3 * plugin.project(FACES[:, 0]).shape[1]


def test_rows_with_different_numbers_of_photographs_run_side_by_side() -> None:
    forge = forge_of("faceid")
    jobs = [Job(spec=EditSpec(steps=1), vectors={"faceid": FACES[0, :number]}) for number in (1, 3)]
    together = list(forge.edit_many(jobs))
    for job, result in zip(jobs, together, strict=True):
        assert torch.equal(next(forge.edit_many([job])).latents, result.latents)
