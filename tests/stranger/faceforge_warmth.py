"""How warm a face looks: one number that nobody foresaw, as a shift of the time embedding."""

import torch

from faceforge.plugin import Backbone, Contribution, Control, HookPoint, Manifest, Plugin, Requests


class Warmth(Plugin):
    """A fixed direction, scaled by the control; at zero it adds nothing."""

    manifest = Manifest(
        name="warmth",
        version="1.0",
        summary="how warm a face looks",
        points=(HookPoint.TIMESTEP,),
        controls={
            "amount": Control(default=0.0, minimum=-1.0, maximum=1.0, help="from cold (-1) to warm (1)"),
            "tint": Control(default="rose", choices=("rose", "gold"), help="which warmth"),
        },
    )

    def build(self, backbone: Backbone) -> None:
        drawn = torch.Generator().manual_seed(11)
        self.register_buffer("directions", torch.randn(2, backbone.time_width, generator=drawn))

    def encode(self, requests: Requests) -> Contribution:
        amounts = torch.tensor(requests.controls("amount"), dtype=self.directions.dtype)
        tints = [("rose", "gold").index(tint) for tint in requests.controls("tint")]
        return Contribution(timestep=amounts[:, None] * self.directions[tints])
