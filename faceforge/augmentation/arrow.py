"""Parquet, where pyarrow is installed: tables of label rows with the pictures inside."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from faceforge.errors import MissingPackage

IMAGE = "image"


def pyarrow() -> Any:
    """The package with its Parquet part, or how to get it."""
    try:
        import pyarrow as found
        import pyarrow.parquet
    except ImportError as error:
        raise MissingPackage("pyarrow is not installed. Install it with: pip install 'faceforge[augment]'") from error
    return found


def write_table(path: Path, rows: Sequence[Mapping[str, Any]], pictures: Sequence[bytes]) -> None:
    """One Parquet file: a row for each picture, which `datasets` decodes by itself."""
    arrow = pyarrow()
    held = [
        {IMAGE: {"bytes": content, "path": row["file_name"]}, **row}
        for row, content in zip(rows, pictures, strict=True)
    ]
    kinds = {name: _kind(arrow, name, value) for name, value in held[0].items()}
    features = {"info": {"features": {name: _feature(kind, name) for name, kind in kinds.items()}}}
    schema = arrow.schema(list(kinds.items()), metadata={"huggingface": json.dumps(features)})
    arrow.parquet.write_table(arrow.Table.from_pylist(held, schema=schema), path)


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The label rows of such a file; the pictures are not read."""
    file = pyarrow().parquet.ParquetFile(path)
    names = [name for name in file.schema_arrow.names if name != IMAGE]
    yield from file.read(columns=names).to_pylist()


def _kind(arrow: Any, name: str, value: Any) -> Any:
    """The column type of a value; None stands for a number that was not measured."""
    if name == IMAGE:
        return arrow.struct([("bytes", arrow.binary()), ("path", arrow.string())])
    if isinstance(value, Mapping):
        return arrow.struct([(key, _kind(arrow, key, each)) for key, each in value.items()])
    whole = isinstance(value, int) or name in ("variant", "attempt", "seed")
    return arrow.string() if isinstance(value, str) else arrow.int64() if whole else arrow.float64()


def _feature(kind: Any, name: str) -> Any:
    """The same as `datasets` writes it down."""
    if name == IMAGE:
        return {"_type": "Image"}
    if str(kind).startswith("struct"):
        return {kind.field(n).name: _feature(kind.field(n).type, "") for n in range(kind.num_fields)}
    return {"dtype": {"double": "float64"}.get(str(kind), str(kind)), "_type": "Value"}
