"""What an augmented dataset says about itself to whoever finds it."""

from __future__ import annotations

from faceforge import __version__
from faceforge.augmentation.plan import Plan
from faceforge.augmentation.report import Report

_READING = {
    "images": """`images/` holds the pictures, and a `metadata.jsonl` in each of its folders a line of labels for each.

```python
from datasets import load_dataset

dataset = load_dataset("imagefolder", data_dir="images", split="train")
```
""",
    "shards": """`shards/` holds tar files, in which `KEY.{picture}` and `KEY.json` are one sample.

```python
import glob, webdataset

dataset = webdataset.WebDataset(sorted(glob.glob("shards/*.tar")), shardshuffle=False).decode("pil")
```
""",
    "parquet": """`data/` holds Parquet files with the pictures in the column `image`.

```python
from datasets import load_dataset

dataset = load_dataset("parquet", data_files="data/*.parquet", split="train")
```
""",
}


def readme(plan: Plan, report: Report) -> str:
    """README.md: what this is, how to read it, how it was made."""
    own = "Unedited sources are among them (their `variant` is null)." if plan.output.sources else ""
    return f"""# Augmented faces

{report.describe()}; made by FaceForge {__version__} with the model {plan.model!r}. {own}

**The faces are edited.** Every edited picture says so in its metadata, with how it was made
(`faceforge.io.provenance.read_provenance`). Whoever may use the sources may use these, and nobody else.

## Reading

{_READING[plan.output.layout].replace("{picture}", plan.output.picture)}
Labels: `source` and `variant` say what a picture was made from, `spec` is the whole edit, `requested` and `measured`
are changes of action units in FACS units (asked for; as the judge {plan.gates.judge!r} sees them), `identity` is the
cosine with the source, `fidelity` the share of the request that is seen, `leakage` the mean change of units that
nobody asked for.

`quarantined.jsonl` lists sources that could not be edited, `rejected.jsonl` variants that no attempt brought through
the gates, and `augmentation.json` holds the plan.
"""
