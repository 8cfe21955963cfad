"""MagicFace (arXiv 2501.02260): signed changes of 12 action units, added to the time embedding.

The person comes from the built-in identity encoder, pose and background from the built-in attribute controller.
"""

from torch import Tensor, nn

from faceforge.plugin import (
    MAGICFACE,
    Aus,
    Backbone,
    Base,
    Contribution,
    Files,
    HookPoint,
    Manifest,
    Plugin,
    Published,
    Release,
    Requests,
    Weights,
    zeroed,
)


class MagicFace(Plugin):
    """AU changes through one linear layer; the null condition is 'change nothing'."""

    manifest = Manifest(
        name="magicface",
        version="1.0",
        summary="signed AU changes of a given person",
        points=(HookPoint.TIMESTEP,),
        aus=Aus("disfa12", kind="change", range=(-10.0, 10.0)),
        weights=Weights(
            source="mengtingwei/magicface",
            licence="Apache-2.0 as tagged by its authors; base CreativeML OpenRAIL-M",
            training_data="pairs of frames from Aff-Wild",
        ),
        releases={
            "magicface": Published(
                files={"mengtingwei/magicface": ("denoising_unet/*", "ID_enc/*")},
                base="stable-diffusion-v1-5/stable-diffusion-v1-5",
            )
        },
    )

    def build(self, backbone: Backbone) -> None:
        self.changes = zeroed(nn.Linear(12, backbone.time_width))

    def encode(self, requests: Requests) -> Contribution:
        return self._shift(requests.aus())

    def null(self, requests: Requests) -> Contribution:
        return self._shift(requests.no_aus())

    def _shift(self, changes: Tensor) -> Contribution:
        return Contribution(timestep=self.changes(changes.to(self.changes.weight)))

    @classmethod
    def convert(cls, files: Files, variant: str, base: Base) -> Release:
        """`denoising_unet/` becomes the backbone, the stem and the AU layer; `ID_enc/` the identity encoder."""
        return MAGICFACE.convert(files, cls(), base)
