"""What corpora call emotions, and which class of a protocol each is."""

from __future__ import annotations

import re
from collections.abc import Mapping

from faceforge.mer.corpora.clips import Clip

CLASSES = ("negative", "positive", "surprise")  # 0, 1 and 2 in MEGC2019

_ALSO = {"happy": "happiness", "sad": "sadness", "angry": "anger", "other": "others"}


def _classes(negative: str, positive: str = "happiness", surprise: str = "surprise") -> dict[str, str]:
    named = {"negative": negative, "positive": positive, "surprise": surprise}
    return {emotion: name for name, emotions in named.items() for emotion in emotions.split()}


# What is not named is in no class. The first three are MEGC2019's, the last is ours for corpora that are not in it.
_SIX = _classes("anger contempt disgust fear sadness negative", "happiness positive")
BY_CORPUS: Mapping[str, Mapping[str, str]] = {
    "casme2": _classes("disgust repression"),
    "samm": _classes("anger contempt disgust fear sadness"),
    "smic": _classes("negative", "positive"),
    "flow": _classes("negative", "positive"),
    "casme": _SIX,
    "fourd": _SIX,
    "mmew": _SIX,
    "casme3a": _SIX,
    "casme3c": _SIX,
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
