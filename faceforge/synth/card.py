"""What a dataset says about itself to whoever finds it."""

from collections.abc import Mapping

from faceforge import __version__
from faceforge.synth.render import PART_NAMES
from faceforge.synth.wanted import Wanted

LICENCE = (
    "Synthetic: drawn by a program from random numbers. It shows no real person, and no photograph, scan or "
    "trained model was used. The pictures may be used for any purpose (CC0 1.0)."
)


def readme(wanted: Wanted, counts: Mapping[str, Mapping[str, int]]) -> str:
    """README.md: what this is, how to read it, how it was made."""
    pictures = wanted.count * wanted.pictures_each
    last = wanted.seed + wanted.count - 1
    kind = {
        "portraits": "portraits",
        "pairs": f"pairs of portraits of one person that differ in {' and '.join(wanted.change)}",
        "clips": f"clips of {wanted.frames} frames at {wanted.fps:g} per second",
    }[wanted.kind]
    return f"""# Synthetic portraits

{wanted.count} {kind}: {pictures} pictures of {wanted.size}x{wanted.size} pixels, seeds {wanted.seed} to {last},
made by FaceForge {__version__}.

{LICENCE}

Every picture carries the label "synthetic", its seed and the version of the code in its metadata
(`faceforge.io.provenance.read_provenance`). Labels are exact: they are what the pictures were drawn from, not
measured. The portraits are not photoreal; test on photographs what you train on them.

{_reading(wanted)}
{_maps(wanted)}
## Balance

{_table(counts)}
`dataset.json` holds all of this for programs.
"""


def _reading(wanted: Wanted) -> str:
    several = {
        "portraits": "",
        "pairs": " `partner` names the other picture of the pair.",
        "clips": " `frame` counts the pictures of a clip, `seconds` is its time.",
    }[wanted.kind]
    if wanted.format == "webdataset":
        return f"""## Reading

Shards `synth-*.tar`, one sample per seed: `KEY.{wanted.picture}` and `KEY.json`
(of pairs `KEY.a.{wanted.picture}`, `KEY.a.json`, `KEY.b.{wanted.picture}`, ...;
of clips `KEY.0000.{wanted.picture}`, ...).{several}
"""
    return f"""## Reading

`images/` holds the pictures and `images/metadata.jsonl` one line of labels for each, by `file_name`.{several}

```python
from datasets import load_dataset

dataset = load_dataset("imagefolder", data_dir="images", split="train")
```
"""


def _maps(wanted: Wanted) -> str:
    parts = ", ".join(f"{number} {name}" for number, name in enumerate(PART_NAMES))
    about = {
        "parts": f"`parts`: 8 bits, {parts}.",
        "depth": "`depth`: 16 bits, tenths of a millimetre from the camera, 0 where no one is or an occluder is.",
        "normals": "`normals`: x right, y up, z to the camera; -1..1 as 1..255, and 128 128 128 where depth is 0.",
    }
    if not wanted.maps:
        return ""
    return "## Maps\n\n" + "".join(f"- {about[name]}\n" for name in wanted.maps)


def _table(counts: Mapping[str, Mapping[str, int]]) -> str:
    rows = [
        f"| {name} | {', '.join(f'{key}: {number}' for key, number in each.items())} |" for name, each in counts.items()
    ]
    return "\n".join(["| group | pictures |", "|---|---|", *rows, ""])
