"""The heart: forward hooks on a stock UNet that read whatever state is attached, and nothing when none is.

Hooks are installed once, before any compilation; attaching swaps the state they read, and detaching leaves the
network bit for bit as it was. State is keyed by site, because checkpointing runs every hook twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from torch.utils.hooks import RemovableHandle

from faceforge.core.attention import expanded, read
from faceforge.core.temporal import Motion, motion_sites
from faceforge.core.types import KeyValue, Tokens


@dataclass(frozen=True)
class Reference:
    """Projected keys and values (rows, M, C) that one self-attention also reads; `bias` (rows, M) where weighed."""

    key: Tensor
    value: Tensor
    bias: Tensor | None = None


@dataclass(frozen=True)
class State:
    """What the hooks of one UNet call read: already merged over plugins, leading axis 1 or the call's rows."""

    timestep: Tensor | None = None
    input: Tensor | None = None
    output: Tensor | None = None
    references: Mapping[str, Reference] = field(default_factory=dict)
    reads: Mapping[str, tuple[KeyValue, ...]] = field(default_factory=dict)
    motion: Motion | None = None


NOTHING = State()


class Hooks:
    """The hooks of one UNet and the state they read."""

    def __init__(self, unet: UNet2DConditionModel) -> None:
        self.unet = unet
        self.state = NOTHING
        self._seen: dict[tuple[str, str], Tensor] = {}
        self._handles: list[RemovableHandle] = []

    @property
    def installed(self) -> bool:
        return bool(self._handles)

    def install(self) -> None:
        """Put the hooks in place; a second call changes nothing."""
        if self.installed:
            return
        self._after(self.unet.time_embedding, lambda out: _plus(out, self.state.timestep))
        self._after(self.unet.conv_in, lambda out: _plus(out, self.state.input))
        self._after(self.unet.conv_out, lambda out: _plus(out, self.state.output))
        for site, block in self.unet.named_modules():
            if isinstance(block, BasicTransformerBlock):
                self._install_self_attention(site, block.attn1)
                if block.attn2 is not None:
                    self._install_cross_attention(site, block.attn2)
        for site in motion_sites(self.unet):
            self._after(self.unet.get_submodule(site), partial(self._move, site))

    def remove(self) -> None:
        """Take the hooks out again, for example before LoRA layers go in underneath them."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    @contextmanager
    def reading(self, state: State) -> Iterator[None]:
        """Run the UNet with this state; whatever happens, nothing of it stays behind."""
        self.install()
        before, self.state = self.state, state
        try:
            yield
        finally:
            self.state = before
            if before is NOTHING:
                self._seen.clear()

    def checkpointed(self, function: Callable[..., Any], *args: Any) -> Any:
        """Gradient checkpointing that reads the same state again when it runs a layer a second time, in backward."""
        state = self.state

        def again(*args: Any) -> Any:
            with self.reading(state):
                return function(*args)

        return checkpoint(again, *args, use_reentrant=False)

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Call single layers as if nothing were attached."""
        before, self.state = self.state, NOTHING
        try:
            yield
        finally:
            self.state = before

    def project(self, site: str, tokens: Tokens) -> Reference:
        """Reference tokens through the denoiser's own norm1, to_k and to_v of one site."""
        block = self.unet.get_submodule(site)
        with self.silent():
            values = tokens.values.to(self.unet.device, self.unet.dtype)
            normed = values if tokens.normed else block.norm1(values)
            return Reference(block.attn1.to_k(normed), block.attn1.to_v(normed))

    def _install_self_attention(self, site: str, attention: Attention) -> None:
        def extend(part: str) -> Callable[[Tensor], Tensor]:
            def hook(out: Tensor) -> Tensor:
                reference = self.state.references.get(site)
                if reference is None:
                    return out
                if reference.bias is not None:  # the weighed read happens in `weigh`, which needs this part as it is
                    self._seen[site, part] = out
                    return out
                extra = reference.key if part == "key" else reference.value
                return torch.cat([out, expanded(extra.to(out), out.shape[0])], dim=1)

            return hook

        def remember_query(out: Tensor) -> Tensor:
            reference = self.state.references.get(site)
            if reference is not None and reference.bias is not None:
                self._seen[site, "query"] = out
            return out

        def weigh(plain: Tensor) -> Tensor:
            reference = self.state.references.get(site)
            if reference is None or reference.bias is None:
                return plain
            query, key, value = (self._seen[site, part] for part in ("query", "key", "value"))
            rows, own = key.shape[:2]
            keys = torch.cat([key, expanded(reference.key.to(key), rows)], dim=1)
            values = torch.cat([value, expanded(reference.value.to(value), rows)], dim=1)
            bias = torch.cat([query.new_zeros(rows, own), expanded(reference.bias.to(query), rows)], dim=1)
            return read(attention, query, keys, values, bias)

        self._after(attention.to_q, remember_query)
        self._after(attention.to_k, extend("key"))
        self._after(attention.to_v, extend("value"))
        self._before(attention.to_out[0], weigh)

    def _install_cross_attention(self, site: str, attention: Attention) -> None:
        def remember_query(out: Tensor) -> Tensor:
            if any(each.key is not None for each in self.state.reads.get(site, ())):
                self._seen[site, "cross query"] = out
            return out

        def add_reads(text: Tensor) -> Tensor:
            for each in self.state.reads.get(site, ()):
                if each.key is None:  # a single token: attention over it is constant
                    text = text + each.value.to(text)
                    continue
                rows = text.shape[0]
                key, value = expanded(each.key.to(text), rows), expanded(each.value.to(text), rows)
                text = text + read(attention, self._seen[site, "cross query"], key, value)
            return text

        self._after(attention.to_q, remember_query)
        self._before(attention.to_out[0], add_reads)

    def _move(self, site: str, out: Any) -> Any:
        motion = self.state.motion
        if motion is None:
            return out
        if isinstance(out, tuple):  # a transformer's answer, inside of the UNet
            return motion.after(site, out[0]), *out[1:]
        return motion.after(site, out)

    def _after(self, module: nn.Module, change: Callable[[Any], Any]) -> None:
        self._handles.append(module.register_forward_hook(lambda _module, _args, out: change(out)))

    def _before(self, module: nn.Module, change: Callable[[Tensor], Tensor]) -> None:
        def hook(_module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
            return (change(args[0]), *args[1:])

        self._handles.append(module.register_forward_pre_hook(hook))


def _plus(out: Tensor, extra: Tensor | None) -> Tensor:
    return out if extra is None else out + extra.to(out)
