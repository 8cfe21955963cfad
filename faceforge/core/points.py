"""The hook points: everything a plugin can reach, one sentence and one merge law each."""

from enum import Enum, unique


@unique
class Law(Enum):
    """How contributions of several plugins to one point become one."""

    SUM = "sum"
    CONCATENATE = "concatenate"
    ADD_READS = "sum of reads"
    NAMED = "named, added"
    ONE_OWNER = "one owner"


@unique
class HookPoint(Enum):
    """Where a contribution lands in a stock diffusers UNet."""

    TIMESTEP = "timestep"  # return (rows, D), added to the time embedding
    INPUT = "input"  # return (rows, C, h, w), added to the output of conv_in
    OUTPUT = "output"  # return (rows, C, h, w), added to the output of conv_out, which is the prediction
    SELF_ATTENTION = "self_attention"  # return tokens (rows, N, C) per site that self-attention may also read
    CROSS_ATTENTION = "cross_attention"  # return keys and values per site; their read is added to the text's
    CONTEXT = "context"  # return (rows, N, D), the text tokens that cross-attention reads
    TEMPORAL = "temporal"  # declare motion modules in build; they see consecutive rows as frames of a clip
    WEIGHTS = "weights"  # declare a Lora in build; it is injected before any hook
    GUIDANCE = "guidance"  # declare how predictions of the branches combine

    @property
    def law(self) -> Law:
        return LAWS[self]


SUMMED = (HookPoint.TIMESTEP, HookPoint.INPUT, HookPoint.OUTPUT)  # one tensor each, added to what a layer gives

LAWS = {
    HookPoint.TIMESTEP: Law.SUM,
    HookPoint.INPUT: Law.SUM,
    HookPoint.OUTPUT: Law.SUM,
    HookPoint.SELF_ATTENTION: Law.CONCATENATE,
    HookPoint.CROSS_ATTENTION: Law.ADD_READS,
    HookPoint.CONTEXT: Law.ONE_OWNER,
    HookPoint.TEMPORAL: Law.ONE_OWNER,
    HookPoint.WEIGHTS: Law.NAMED,
    HookPoint.GUIDANCE: Law.ONE_OWNER,
}
