"""What corpora call emotions, and which class of a protocol each is."""

from __future__ import annotations

import re
from collections.abc import Mapping

from faceforge.mer.corpora.clips import Clip

CLASSES = ("negative", "positive", "surprise")  # 0, 1 and 2 in MEGC2019

_ALSO = {"happy": "happiness", "sad": "sadness", "angry": "anger", "other": "others"}


def _classes(negative: str = "", positive: str = "") -> dict[str, str]:
    """The class of each emotion; some corpora give the class itself."""
    of = {name: name for name in CLASSES} | dict.fromkeys(negative.split(), "negative")
    return of | dict.fromkeys(positive.split(), "positive")


# What is not named is in no class. Of CASME II, SAMM and SMIC they are those of MEGC2019; the others follow SAMM.
_SIX = _classes("anger contempt disgust fear sadness", "happiness")
BY_CORPUS: Mapping[str, Mapping[str, str]] = {
    "casme2": _classes("disgust repression", "happiness"),
    "samm": _SIX,
    "smic": _classes(),
    "flow": _classes(),
    "casme": _SIX,
    "fourd": _SIX,
    "mmew": _SIX,
    "casme3a": _SIX,
    "casme3c": _SIX,
}

# Clips of each class in MEGC2019.
COUNTS: Mapping[str, tuple[int, int, int]] = {
    "smic": (70, 51, 43),
    "casme2": (88, 32, 25),
    "samm": (92, 26, 15),
    "flow": (250, 109, 83),
}

# MEGC2019 leaves these out of CASME II without a reason that is stated.
LEFT_OUT = {("casme2", "04", "EP12_01f"), ("casme2", "05", "EP12_03f"), ("casme2", "24", "EP02_07")}


def emotion_of(cell: str) -> str:
    """An emotion's one name, whatever the corpus calls it; of two ('Surprise+Positive') both.

    >>> emotion_of("Happy"), emotion_of(" Surprise + Positive ")
    ('happiness', 'surprise+positive')
    """
    names = [each.strip().lower() for each in re.split(r"[+/,]", cell)]
    return "+".join(_ALSO.get(each, each) for each in names if each)


def class_of(clip: Clip) -> int | None:
    """The class of a clip, 0 negative, 1 positive or 2 surprise; None where it is in none of them."""
    if (clip.corpus, clip.subject, clip.name) in LEFT_OUT:
        return None
    name = BY_CORPUS.get(clip.corpus, {}).get(clip.emotion)
    return None if name is None else CLASSES.index(name)
