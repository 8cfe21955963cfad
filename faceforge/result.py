"""What an edit gives back: the picture, what was asked, how long it took, and where it came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image
from torch import Tensor

from faceforge import aus
from faceforge.errors import NoFace
from faceforge.io.pictures import fit, write_picture
from faceforge.io.provenance import write_sidecar
from faceforge.io.weights import tensor_hashes
from faceforge.mer import judges
from faceforge.spec import EditSpec

if TYPE_CHECKING:
    from faceforge.forge import Forge
    from faceforge.jobs import Ready


@dataclass(frozen=True)
class Result:
    """One finished picture. Without a VAE there is no image, only latents."""

    image: Image.Image | None
    spec: EditSpec
    latents: Tensor | None  # None where no network ran
    seconds: Mapping[str, float]
    provenance: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    source: Image.Image | None = None  # what was edited

    def save(self, path: str | Path, *, sidecar: bool = False) -> Path:
        """Write the picture with its provenance inside, and beside it as JSON if asked."""
        if self.image is None:
            raise ValueError("This model has no VAE, so there are latents but no picture to save.")
        target = Path(path)
        write_picture(self.image, target, self.provenance)
        if sidecar:
            write_sidecar(target, self.provenance)
        return target

    def measured(self, judge: str = "") -> dict[str, float]:
        """How much each action unit changed from the source, in the judge's units; needs a face in both pictures."""
        if self.image is None or self.source is None:
            return {}
        judged = judges.judge(judge)
        found = judged.delta(fit(self.source, *self.image.size), self.image)
        return dict(zip(judged.codes, map(float, found), strict=True))

    def report(self) -> str:
        """The edit in words, line by line: what was asked, what a judge sees of it, who made it, how long it took."""
        plugins = ", ".join(each["name"] for each in self.provenance["plugins"]) or "none"
        times = ", ".join(f"{name} {value:.2f} s" for name, value in self.seconds.items())
        lines = [self.spec.describe(), *self._seen()]
        lines += [f"model {self.provenance['model']['name']}; plugins {plugins}", times]
        return "\n".join([*lines, *self.notes])

    def _seen(self) -> Iterator[str]:
        """Asked against measured, where action units were asked for."""
        asked = [aus.unsided(code) for code, value in self.spec.aus.items() if value]
        if not asked:
            return
        try:
            measured = self.measured()
        except NoFace as error:
            yield f"not measured: {error}"
            return
        if measured:
            seen = [f"{code} {measured[code]:+.1f}" for code in dict.fromkeys(asked) if code in measured]
            blind = [code for code in dict.fromkeys(asked) if code not in measured]
            unread = f"; it cannot read {', '.join(blind)}" if blind else ""
            yield f"measured: {', '.join(seen) or 'nothing'} (judge {judges.DEFAULT}{unread})"


def provenance(forge: Forge, row: Ready) -> dict[str, Any]:
    """Enough to say what a picture is, and to make it again."""
    from faceforge.store.checkpoint import weights_hash

    request, pictures, placed = row.request, row.pictures, row.placed
    spec = request.spec
    made = {} if placed is None else placed.made
    packages = ("faceforge", "torch", "diffusers")
    return {
        "label": "AI-edited" if "source" in pictures else "AI-generated",
        "spec": spec.model_dump(mode="json", exclude_defaults=True),
        "pictures": {name: {"name": each.name, "sha256": each.sha256} for name, each in pictures.items()},
        "vectors": tensor_hashes({name: each for name, each in request.vectors.items() if name not in made}),
        **({} if placed is None else {"made": dict(made), "finder": placed.finder}),
        "measured": dict(request.measured or {}),
        "model": {
            "name": forge.name,
            "backbone": forge.backbone.signature,
            "weights": weights_hash(forge.backbone.unet),
            "dtype": str(forge.backbone.dtype).removeprefix("torch."),
            "parity": forge.parity,
            "lora_scales": forge.lora_scales(spec),
        },
        "plugins": [
            {
                "name": name,
                "version": plugin.manifest.version,
                "weights": weights_hash(plugin),
                "dose": dict(plugin.dose),
            }
            for name, plugin in sorted(forge.plugins.items())
        ],
        "versions": {package: version(package) for package in packages},
    }
