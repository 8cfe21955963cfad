"""Text: the encoder that turns a prompt into tokens, and the built-in plugin that offers them to cross-attention."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from torch import Tensor

from faceforge.core.manifest import Manifest
from faceforge.core.plugin import Plugin
from faceforge.core.points import HookPoint
from faceforge.core.types import Contribution
from faceforge.errors import BadSpec

if TYPE_CHECKING:
    from transformers import CLIPTextModel, CLIPTokenizer

    from faceforge.core.requests import Requests


class Text(Protocol):
    """Anything that embeds a prompt as tokens (1, N, D)."""

    def embed(self, prompt: str) -> Tensor: ...

    def save(self, folder: Path) -> None: ...


class TextEncoder:
    """A CLIP text model and its tokenizer: the last hidden state after the final norm, padded to full length."""

    def __init__(self, tokenizer: CLIPTokenizer, model: CLIPTextModel) -> None:
        self.tokenizer = tokenizer
        self.model = model.requires_grad_(False)

    def embed(self, prompt: str) -> Tensor:
        ids = self.tokenizer(
            prompt,
            padding="max_length",
            max_length=self.tokenizer.model_max_length,
            truncation=True,
            return_tensors="pt",
        ).input_ids
        states: Tensor = self.model(ids.to(self.model.device))[0]
        return states

    def save(self, folder: Path) -> None:
        self.tokenizer.save_pretrained(folder / "tokenizer")
        self.model.save_pretrained(folder / "text_encoder")


class StoredText:
    """Embeddings of the few prompts a model was trained with; it needs no text encoder and knows no other prompt."""

    def __init__(self, embeddings: dict[str, Tensor]) -> None:
        self.embeddings = embeddings

    @classmethod
    def read(cls, path: Path) -> StoredText:
        from faceforge.io.weights import read_tensors

        return cls(read_tensors(path))

    def embed(self, prompt: str) -> Tensor:
        if prompt not in self.embeddings:
            known = ", ".join(repr(each) for each in self.embeddings)
            raise BadSpec(f"This model stores the text of {known} only, not of {prompt!r}. Leave the prompt out.")
        return self.embeddings[prompt]

    def save(self, folder: Path) -> None:
        from faceforge.io.weights import write_tensors

        write_tensors(folder / "text.safetensors", self.embeddings, {})


class TextPrompt(Plugin):
    """The prompt as tokens; in the unconditioned branch the negative prompt, or the prompt itself if it has none."""

    manifest = Manifest(
        name="text",
        version="1.0",
        summary="the prompt, read by cross-attention",
        points=(HookPoint.CONTEXT,),
        reads=("prompt", "negative_prompt", "vectors.prompt", "vectors.negative_prompt"),
    )
    built_in = True

    def encode(self, requests: Requests) -> Contribution:
        return Contribution(context=requests.prompts("prompt"))

    def null(self, requests: Requests) -> Contribution:
        return Contribution(context=requests.prompts("negative_prompt"))
