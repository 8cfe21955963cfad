"""Everything FaceForge refuses, said in one line: what happened, with which value, and what to do next."""

from collections.abc import Iterable
from difflib import get_close_matches


class FaceForgeError(Exception):
    """The root of every error that a user can cause and mend; the command line prints it as one line."""


class BadPicture(FaceForgeError):
    """A file that is not a picture, is cut off, or has a size nobody can edit."""


class BadVideo(FaceForgeError):
    """A file that is not a video, holds no pictures, or breaks off."""


class BadMotion(FaceForgeError):
    """A motion that no face can make, or a file or text that does not tell one."""


class NoFace(BadPicture):
    """A picture without the face that was asked for."""


class BadSpec(FaceForgeError):
    """A wish that no edit can grant: unknown names, numbers out of range, fields no loaded plugin reads."""


class ReservedSeed(BadSpec):
    """A seed of a synthetic portrait that is kept for evaluation by others."""


class BadWeights(FaceForgeError):
    """Weights that are hostile, damaged, incomplete or made for another network."""


class UnsafePickle(BadWeights):
    """A pickle that asks for more than plain numbers; nothing in it was executed."""


class BadHead(FaceForgeError):
    """A head model, or parameters of one, that cannot be a head: wrong shapes, wrong counts, NaN."""


class BadMesh(FaceForgeError):
    """Geometry, light or a camera that no picture can be made from: wrong shapes, indices out of range, NaN."""


class Leak(FaceForgeError):
    """Something of a test has been seen in training: a person, a row, a network of another fold."""


class BadCorpus(FaceForgeError):
    """A corpus on disk, or its table of labels, that is not what it is said to be."""


class BadLabels(FaceForgeError):
    """Labels that cannot be read, or that do not belong to the pictures."""


class MissingPackage(FaceForgeError):
    """An optional package that was asked for and is not installed."""


class BadPlugin(FaceForgeError):
    """A plugin that cannot be found, imported or attached."""


class PluginConflict(BadPlugin):
    """Two plugins that claim the same owned hook point or the same name."""


class HubError(FaceForgeError):
    """A download that did not succeed and is not in the cache either."""


class CannotWrite(FaceForgeError):
    """An output that could not be written; nothing is left under its name."""


class Cancelled(FaceForgeError):
    """The caller asked to stop; nothing was produced."""


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a refusal: the closest valid name if one is close, and all of them otherwise.

    >>> nearest("AU13", ["AU12", "AU4"])
    "Did you mean 'AU12'?"
    >>> nearest("smile", ["AU12", "AU4"])
    'Valid: AU12, AU4.'
    """
    choices = list(known)
    close = get_close_matches(name, choices, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"Valid: {', '.join(choices)}." if choices else "There are none."
