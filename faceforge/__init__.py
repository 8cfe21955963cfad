"""FaceForge: a plugin framework for generative face editing.

>>> import faceforge as ff
>>> ff.EditSpec(aus={"AU12": 2}).describe()
'more lip corner puller (AU12 +2); seed 0'
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from faceforge.augmentation.records import augment
    from faceforge.aus import preset
    from faceforge.errors import FaceForgeError
    from faceforge.forge import Forge
    from faceforge.jobs import Job
    from faceforge.loading import load
    from faceforge.motion.motion import Motion
    from faceforge.result import Result
    from faceforge.spec import EditSpec
    from faceforge.video.reenact import reenact
    from faceforge.windows import Windows

__version__ = "0.1.0"

_HOMES = {
    "EditSpec": "faceforge.spec",
    "FaceForgeError": "faceforge.errors",
    "Forge": "faceforge.forge",
    "Job": "faceforge.jobs",
    "Motion": "faceforge.motion.motion",
    "Result": "faceforge.result",
    "Windows": "faceforge.windows",
    "augment": "faceforge.augmentation.records",
    "load": "faceforge.loading",
    "preset": "faceforge.aus",
    "reenact": "faceforge.video.reenact",
}

__all__ = [
    "EditSpec", "FaceForgeError", "Forge", "Job", "Motion", "Result", "Windows", "augment", "load", "preset", "reenact",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Names come when they are asked for, so that `import faceforge` and `--help` never wait for torch."""
    if name not in _HOMES:
        raise AttributeError(f"module 'faceforge' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
