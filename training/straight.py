"""A start for autoencoders: a linear one, which learns a hundred times sooner what most of a picture is.

A random autoencoder first has to find out how to pass a picture on at all. Here every residual branch begins at zero:
a chain of convolutions is left. The norm and the bend at the end of each half cancel: every value has its negative
in the same group of channels, since silu(v) - silu(-v) = v, and two large constants of either sign make the norm divide
by almost the same for every picture. The branches need not even be computed until the chain is learned.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from diffusers import AutoencoderKL
from diffusers.models.attention_processor import Attention
from diffusers.models.downsampling import Downsample2D
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.upsampling import Upsample2D
from torch import Tensor, nn

from faceforge_training.errors import BadRecipe

_CONSTANT = 16.0  # much larger than what is passed on
_SURE = -8.0  # log variance of the latents: hardly any noise
_SCALING = (Downsample2D, Upsample2D)


@torch.no_grad()
def straighten(vae: AutoencoderKL) -> None:
    """Make an autoencoder linear, with all its bends ready to be learned."""
    encoder, decoder = vae.encoder, vae.decoder
    for module in vae.modules():
        if isinstance(module, ResnetBlock2D):
            _silence(module.conv2)
        elif isinstance(module, Attention):
            _silence(module.to_out[0])
    passing = (encoder.conv_in, decoder.conv_in, vae.post_quant_conv)
    scaling = [each.conv for half in (encoder, decoder) for each in half.modules() if isinstance(each, _SCALING)]
    shortcuts = [each for name, each in vae.named_modules() if name.endswith("conv_shortcut")]
    for conv in (*passing, *scaling, *shortcuts):
        _even(conv)
    nn.init.dirac_(vae.quant_conv.weight)
    nn.init.zeros_(vae.quant_conv.bias)
    _ended(encoder.down_blocks[-1].resnets[0].conv_shortcut, encoder.conv_norm_out, encoder.conv_out)
    _ended(decoder.up_blocks[-1].resnets[0].conv_shortcut, decoder.conv_norm_out, decoder.conv_out)
    half = encoder.conv_out.out_channels // 2
    encoder.conv_out.weight[half:] = 0
    encoder.conv_out.bias[half:] = _SURE


@contextmanager
def branchless(vae: AutoencoderKL) -> Iterator[None]:
    """Run an autoencoder without branches, norms and bends, which is the same as long as they do nothing."""
    instead = {each: _past(each) for each in vae.modules() if isinstance(each, ResnetBlock2D | Attention)}
    for half in (vae.encoder, vae.decoder):
        instead |= {half.conv_norm_out: _halved(half.conv_norm_out), half.conv_act: lambda hidden: hidden}
    try:
        for module, forward in instead.items():
            module.forward = forward
        yield
    finally:
        for module in instead:
            del module.forward


def bends(vae: AutoencoderKL) -> Iterator[nn.Parameter]:
    """The weights that wait until the chain is learned: those of branches, norms, and the constants they divide by."""
    for name, parameter in vae.named_parameters():
        branch = (".resnets." in name or ".attentions." in name) and not name.endswith("conv_shortcut.weight")
        if branch or "conv_norm_out" in name:
            yield parameter


def _past(block: nn.Module) -> Callable[..., Tensor]:
    shortcut = getattr(block, "conv_shortcut", None)
    return lambda hidden, *_, **__: hidden if shortcut is None else shortcut(hidden)


def _halved(norm: nn.GroupNorm) -> Callable[[Tensor], Tensor]:
    """Values and their negatives, half of each, without the constants: what norm and bend make of them together."""

    def forward(hidden: Tensor) -> Tensor:
        grouped = hidden.unflatten(1, (norm.num_groups, -1))
        return torch.cat([torch.zeros_like(grouped[:, :, :2]), grouped[:, :, 2:] / 2], 2).flatten(1, 2)

    return forward


def _ended(last: nn.Conv2d | None, norm: nn.GroupNorm, out: nn.Conv2d) -> None:
    """Each group of channels as two constants, values and their negatives, undone by the convolution at the end."""
    each = norm.num_channels // norm.num_groups
    if last is None or each < 4 or each % 2:
        raise BadRecipe("objective.straight: the last two blocks of both halves need other widths, groups 4, 6, 8...")
    last.weight.copy_(_opposites(last.weight, norm.num_groups))
    constants = torch.zeros(norm.num_groups, each)
    constants[:, :2] = torch.tensor([_CONSTANT, -_CONSTANT])
    last.bias = nn.Parameter(constants.flatten())
    norm.weight.fill_(_CONSTANT * (2 / each) ** 0.5)
    _even(out)
    out.weight.copy_(2**0.5 * _opposites(out.weight.transpose(0, 1), norm.num_groups).transpose(0, 1))


def _opposites(rows: Tensor, groups: int) -> Tensor:
    """Rows (C, ...) of channels in groups: two without anything, then values, then their negatives."""
    grouped = rows.unflatten(0, (groups, -1)).clone()
    half = grouped.shape[1] // 2
    grouped[:, :2] = 0
    grouped[:, half + 1 :] = -grouped[:, 2 : half + 1]
    return grouped.flatten(0, 1)


def _silence(layer: nn.Module) -> None:
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)


def _even(conv: nn.Conv2d) -> None:
    """Values come out about as large as they go in."""
    nn.init.kaiming_normal_(conv.weight, nonlinearity="linear")
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
