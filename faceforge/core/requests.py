"""What a plugin sees of the rows it encodes: the fields its manifest declares, ready as tensors, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from faceforge.core.cache import Cache, fingerprint, version
from faceforge.core.manifest import Aus, Manifest, Value
from faceforge.core.types import Request
from faceforge.errors import BadPlugin, BadSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from faceforge.core.backbone import Backbone


class Requests:
    """A batch of requests as one plugin may see it."""

    def __init__(
        self,
        rows: Sequence[Request],
        manifest: Manifest,
        backbone: Backbone,
        *,
        cache: Cache | None = None,
        dose: Mapping[str, float] | None = None,
    ) -> None:
        self._rows = rows
        self._manifest = manifest
        self._backbone = backbone
        self._cache = cache
        self._dose = dose or {}

    def __len__(self) -> int:
        return len(self._rows)

    def aus(self) -> Tensor:
        """AU numbers (rows, K) in the order and kind the manifest wants: changes or absolute intensities."""
        rows = [as_wanted(self._wanted, row, self._dose)[0] for row in self._rows]
        return torch.tensor(rows, dtype=torch.float32, device=self._backbone.device)

    def no_aus(self) -> Tensor:
        """Zeros in the shape of `aus`: the null condition of most AU plugins."""
        return torch.zeros(len(self), len(self._wanted.codes), device=self._backbone.device)

    @property
    def _wanted(self) -> Aus:
        if self._manifest.aus is None:
            raise BadPlugin(f"{self._manifest.name!r} reads AUs but does not say which. Add `aus` to its manifest.")
        return self._manifest.aus

    def pictures(self, name: str) -> Tensor:
        """Pictures (rows, 3, H, W) in -1..1."""
        self._declared(f"pictures.{name}")
        return torch.stack([self._picture(row, name) for row in self._rows]).to(self._backbone.device)

    def latents(self, name: str, *, scaled: bool = False) -> Tensor:
        """Pictures through the VAE (rows, 4, h, w): the posterior's mode, in the denoiser's scale only if asked."""
        self._declared(f"pictures.{name}")
        found = torch.cat([self._latents(row, name) for row in self._rows])
        return found * self._backbone.latent_scale if scaled else found

    def vectors(self, name: str) -> Tensor:
        """Named vectors (rows, ...); all rows must bring one of the same shape."""
        self._declared(f"vectors.{name}")
        found = []
        for row in self._rows:
            if name not in row.vectors:
                raise BadSpec(
                    f"{self._manifest.name!r} needs the vector {name!r}. "
                    f"Give vectors={{{name!r}: ...}} or --vector {name}=FILE."
                )
            found.append(row.vectors[name])
        return torch.stack(found).to(self._backbone.device, torch.float32)

    def prompts(self, field: str) -> Tensor:
        """Text tokens (rows, N, D) of 'prompt' or 'negative_prompt'; without a negative one a row repeats its own."""
        self._declared(field)
        return torch.cat([self._prompt(row, field) for row in self._rows]).to(self._backbone.device)

    def controls(self, name: str) -> list[Value]:
        """The plugin's own control, one value per row."""
        control = self._manifest.controls[name]
        own = [row.spec.controls.get(self._manifest.name, {}) for row in self._rows]
        return [control.checked(f"{self._manifest.name}.{name}", values.get(name, control.default)) for values in own]

    def row_keys(self) -> list[Hashable]:
        """Per row, a key that is equal exactly where everything this plugin may read is equal."""
        return [tuple(self._key(row, name) for name in (*self._manifest.fields, "controls")) for row in self._rows]

    def _key(self, row: Request, field: str) -> Hashable:
        kind, _, name = field.partition(".")
        if kind == "pictures":
            return tuple(fingerprint(given[name]) for given in (row.pictures, row.latents) if name in given)
        if kind == "vectors":
            return None if name not in row.vectors else fingerprint(row.vectors[name])
        if kind == "aus":
            return tuple(sorted(row.spec.aus.items())), tuple(sorted((row.measured or {}).items()))
        if kind == "controls":
            return tuple(sorted(row.spec.controls.get(self._manifest.name, {}).items()))
        prompt: str | None = getattr(row.spec, field)
        return prompt

    def _declared(self, field: str) -> None:
        if field not in self._manifest.fields:
            name = self._manifest.name
            raise BadPlugin(f"{name!r} reads {field!r} but does not declare it. Add it to `reads` in its manifest.")

    def _picture(self, row: Request, name: str) -> Tensor:
        if name not in row.pictures:
            raise BadSpec(
                f"{self._manifest.name!r} needs the picture {name!r}. "
                f"Give pictures={{{name!r}: ...}} or --picture {name}=FILE."
            )
        return row.pictures[name]

    def _latents(self, row: Request, name: str) -> Tensor:
        if name in row.latents:
            return row.latents[name][None].to(self._backbone.device)
        picture = self._picture(row, name)
        key = version(self._backbone.vae), fingerprint(picture)
        return self._remembered("latents", key, lambda: self._backbone.encode_picture(picture[None]))

    def _prompt(self, row: Request, field: str) -> Tensor:
        if field == "negative_prompt" and row.spec.negative_prompt is None and field not in row.vectors:
            field = "prompt"
        if field in row.vectors:
            return row.vectors[field][None]
        prompt: str = getattr(row.spec, field) or ""
        return self._remembered("text", prompt, lambda: self._backbone.text.embed(prompt))

    def _remembered(self, kind: str, key: Hashable, make: Callable[[], Tensor]) -> Tensor:
        if self._cache is None:
            return make()
        found = self._cache.get((kind, id(self._backbone), key))
        if found is None:
            found = {kind: make()}
            self._cache.put((kind, id(self._backbone), key), found)
        return found[kind]


def as_wanted(wanted: Aus, row: Request, dose: Mapping[str, float]) -> tuple[list[float], list[str]]:
    """A row's AU numbers as a plugin wants them, and a note for every number that had to be clipped.

    Changes become absolute by adding what the source already shows; a muscle cannot relax below zero.
    """
    numbers, notes = [], []
    low, high = wanted.range
    for code in wanted.codes:
        change = row.spec.aus.get(code, 0.0)
        asked = change / dose.get(code, 1.0)
        floor = low
        if wanted.kind == "absolute" and row.measured is not None:
            asked += row.measured.get(code, 0.0)
            floor = max(low, 0.0)
        number = min(max(asked, floor), high)
        if number != asked:
            notes.append(f"{code} was clipped from {asked:g} to {number:g}")
        numbers.append(number)
    return numbers, notes
