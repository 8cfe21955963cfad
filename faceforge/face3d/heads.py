"""One way to load any head model that a file holds, whatever the file is called."""

from pathlib import Path

from faceforge.errors import BadHead
from faceforge.face3d import flame, ict
from faceforge.face3d.head import HeadModel
from faceforge.face3d.headfile import facts_of


def load_head(path: str | Path) -> HeadModel:
    """The head in a converted .safetensors file, in a published FLAME model, or in a folder of ICT-FaceKit."""
    if Path(path).is_dir():
        return ict.load_ict(path)
    facts = facts_of(path)
    if facts is None:
        return flame.load_flame(path)
    if facts.get("kind") == ict.KIND:
        return ict.load_ict(path)
    if facts.get("kind") == flame.KIND:
        return flame.load_flame(path)
    raise BadHead(f"{str(path)!r} holds a head of kind {facts.get('kind')!r}, which this version does not know.")
