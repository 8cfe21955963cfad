"""A LoRA of the attention layers and nothing else: what fine-tuning a frozen backbone leaves (arXiv 2106.09685)."""

from faceforge.plugin import Backbone, HookPoint, Lora, Manifest, Plugin, attention_layers


class LowRank(Plugin):
    """Pairs of rank `rank` for every attention projection, trained with the factor `scale`."""

    manifest = Manifest(
        name="lora",
        version="1.0",
        summary="low-rank changes of the attention layers",
        points=(HookPoint.WEIGHTS,),
    )

    def __init__(self, *, rank: int = 4, scale: float = 1.0) -> None:
        super().__init__(rank=rank, scale=scale)
        self.rank, self.scale = rank, scale

    def build(self, backbone: Backbone) -> None:
        self.lora = Lora(attention_layers(backbone.unet), self.rank, scale=self.scale)
