"""Motion modules: every pixel attends to itself in the other frames of a clip (AnimateDiff, arXiv 2307.04725)."""

from __future__ import annotations

from diffusers.models.unets.unet_motion_model import AnimateDiffTransformer3D
from torch import Tensor, nn

from faceforge.plugin import Backbone, HookPoint, Manifest, Plugin, Temporal, per_site, zeroed

HEADS = 8
LONGEST = 32  # positions that the modules know: where a frame is in its window, not in the clip


class Motion(Plugin):
    """Diffusers' own modules after every layer, with the group norm of AnimateDiff's original code."""

    manifest = Manifest(
        name="motion",
        version="1.0",
        summary="frames of a clip that hold together",
        points=(HookPoint.TEMPORAL,),
    )

    def build(self, backbone: Backbone) -> None:
        groups = backbone.unet.config.norm_num_groups
        modules = per_site(backbone, HookPoint.TEMPORAL, lambda width: motion_module(width, groups))
        self.temporal = Temporal(modules, longest=LONGEST)


def motion_module(width: int, groups: int) -> nn.Module:
    """Two attentions along time and a feed-forward layer, added to what comes in; at first they add nothing."""
    module: nn.Module = AnimateDiffTransformer3D(
        num_attention_heads=HEADS,
        attention_head_dim=width // HEADS,
        in_channels=width,
        norm_num_groups=groups,
        positional_embeddings="sinusoidal",
        num_positional_embeddings=LONGEST,
    )
    module.norm = FrameNorm(groups, width, eps=1e-6)
    module.proj_out = zeroed(nn.Linear(width, width))
    return module


class FrameNorm(nn.GroupNorm):
    """Statistics of each frame by itself, as in AnimateDiff; diffusers those of a whole clip (b, C, frames, h, w)."""

    def forward(self, clip: Tensor) -> Tensor:
        frames = clip.transpose(1, 2)
        return super().forward(frames.flatten(0, 1)).view(frames.shape).transpose(1, 2)
