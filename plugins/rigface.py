"""RigFace (arXiv 2502.02465): 64 expression coefficients on the time embedding, a rendered head beside the noise.

The person comes from the built-in identity encoder; two built-in attribute controllers bring the picture of the empty
room and the render, which carries pose, expression and light. Guidance has no effect: there is no null condition.
"""

from torch import nn

from faceforge.plugin import (
    RIGFACE,
    Backbone,
    BadSpec,
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

COEFFICIENTS = 64  # of the Basel face model's expression, as regressed: absolute, not normalised


class RigFace(Plugin):
    """The wanted expression through one linear layer. Zeros are a neutral face, not the absence of a wish.

    Models that were trained on another head have another number of `coefficients`.
    """

    manifest = Manifest(
        name="rigface",
        version="1.0",
        summary="pose, expression and light of a given person, from a rendered head",
        points=(HookPoint.TIMESTEP,),
        needs=("vectors.expression",),
        shapes={"expression": (64,)},
        weights=Weights(
            source="mengtingwei/rigface",
            licence="Apache-2.0 as tagged by its authors; base CreativeML OpenRAIL-M",
            training_data="pairs of frames of one person; the data sets are not verified",
        ),
        releases={
            "rigface": Published(
                files={
                    "mengtingwei/rigface": (
                        "pre_trained/unet_denoise/*config.json",
                        "pre_trained/unet_denoise/*diffusion_pytorch_model.safetensors",
                        "pre_trained/unet_id/*config.json",
                        "pre_trained/unet_id/*diffusion_pytorch_model.safetensors",
                    )
                },
                base="stable-diffusion-v1-5/stable-diffusion-v1-5",
            )
        },
    )

    def __init__(self, *, coefficients: int = COEFFICIENTS) -> None:
        super().__init__(coefficients=coefficients)
        self.coefficients = coefficients
        if coefficients != COEFFICIENTS:
            self.manifest = self.manifest.model_copy(update={"shapes": {"expression": (coefficients,)}})

    def build(self, backbone: Backbone) -> None:
        self.expression = zeroed(nn.Linear(self.coefficients, backbone.time_width))

    def encode(self, requests: Requests) -> Contribution:
        wanted = requests.vectors("expression").flatten(1)
        if wanted.shape[1] != self.coefficients:
            raise BadSpec(
                f"The vector 'expression' has {wanted.shape[1]} numbers, expected the {self.coefficients} of the head "
                f"it was trained on. The release's {COEFFICIENTS} are the Basel face model's; its scripts compute them."
            )
        return Contribution(timestep=self.expression(wanted.to(self.expression.weight)))

    @classmethod
    def convert(cls, files: Files, variant: str, base: Base) -> Release:
        """`unet_denoise/` becomes the backbone, two stems and the expression layer; `unet_id/` the identity encoder."""
        return RIGFACE.convert(files, cls(), base)
