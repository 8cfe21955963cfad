"""IP-Adapter FaceID (portrait): a face-recognition embedding as tokens for every cross-attention layer.

Embeddings are brought by the user; nothing here computes them.
"""

from __future__ import annotations

from torch import Tensor, nn

from faceforge.plugin import (
    Backbone,
    Base,
    Contribution,
    Files,
    HookPoint,
    Ledger,
    Manifest,
    Plugin,
    Published,
    Reader,
    Release,
    Requests,
    Weights,
    per_site,
    read_everywhere,
)


class FaceId(Plugin):
    """Each embedding becomes 16 tokens; several of one person make one longer sequence. Null is the embedding zero."""

    manifest = Manifest(
        name="faceid",
        version="1.0",
        summary="identity from face-recognition embeddings",
        points=(HookPoint.CROSS_ATTENTION,),
        needs=("vectors.faceid",),
        shapes={"faceid": (1, 512)},
        weights=Weights(
            source="h94/IP-Adapter-FaceID",
            licence="research only: built on InsightFace embeddings",
            commercial=False,
        ),
        releases={
            "faceid": Published(
                files={"h94/IP-Adapter-FaceID": ("ip-adapter-faceid-portrait-v11_sd15.bin",)},
                base="stable-diffusion-v1-5/stable-diffusion-v1-5",
            )
        },
    )

    def __init__(self, *, embedding: int = 512, tokens: int = 16) -> None:
        super().__init__(embedding=embedding, tokens=tokens)
        self.embedding = embedding
        self.tokens = tokens

    def build(self, backbone: Backbone) -> None:
        self.width = backbone.text_width
        self.proj = nn.Sequential(
            nn.Linear(self.embedding, 2 * self.embedding),
            nn.GELU(),
            nn.Linear(2 * self.embedding, self.tokens * self.width),
        )
        self.norm = nn.LayerNorm(self.width)
        self.read = per_site(backbone, HookPoint.CROSS_ATTENTION, lambda width: Reader(self.width, width))

    def encode(self, requests: Requests) -> Contribution:
        return read_everywhere(self.read, self.project(requests.vectors("faceid")))

    def null(self, requests: Requests) -> Contribution:
        return read_everywhere(self.read, self.project(requests.vectors("faceid") * 0))

    def project(self, faces: Tensor) -> Tensor:
        """Embeddings (rows, E) or (rows, faces, E) as tokens (rows, faces * 16, D)."""
        tokens = self.proj(faces.to(self.norm.weight)).unflatten(-1, (self.tokens, self.width))
        normed: Tensor = self.norm(tokens)
        return normed.reshape(faces.shape[0], -1, self.width)

    @classmethod
    def convert(cls, files: Files, variant: str, base: Base) -> Release:
        """The released file numbers layers by their place among all attention layers of the UNet as built."""
        released = Ledger.of(files.path("ip-adapter-faceid-portrait-v11_sd15.bin"))
        tensors = {
            key.removeprefix("image_proj."): value
            for key, value in released.take_all(lambda key: key.startswith("image_proj.")).items()
        }
        backbone = base()
        for number, name in enumerate(backbone.unet.attn_processors):
            site = name.removesuffix(".attn2.processor")
            if site in backbone.cross_sites:
                for part in ("to_k", "to_v"):
                    key = f"read.{site.replace('.', '/')}.{part}.weight"
                    tensors[key] = released.take(f"ip_adapter.{number}.{part}_ip.weight")
        width = tensors["norm.weight"].shape[0]
        plugin = cls(embedding=tensors["proj.0.weight"].shape[1], tokens=tensors["proj.2.weight"].shape[0] // width)
        report = [released.close("faceid")]
        return Release(backbone, [plugin.built_on(backbone, tensors)], {"guidance": 7.5, "steps": 50}, report)
