"""A portrait in a few plain words, from its parameters alone."""

from collections.abc import Mapping

from faceforge.synth.person import Person

_SEEN = 1.5  # the intensity from which a unit is told
_DOING = {
    "AU12": "smiling", "AU4": "frowning", "AU1": "raising the inner brows", "AU2": "raising the outer brows",
    "AU15": "turning down the lip corners", "AU9": "wrinkling the nose", "AU27": "opening the mouth wide",
    "AU26": "dropping the jaw", "AU25": "parting the lips", "AU5": "widening the eyes", "AU6": "raising the cheeks",
    "AU17": "raising the chin", "AU20": "stretching the lips", "AU43": "closing the eyes",
}  # fmt: skip
_HAIR = {
    "buzz": "a buzz cut", "short": "short hair", "side": "side-swept hair", "fringe": "a fringe",
    "receding": "receding hair", "curly": "curly hair", "bob": "a bob", "long": "long hair",
    "parted": "hair parted in the middle", "back": "hair combed back", "afro": "an afro",
}  # fmt: skip


def caption(who: Person, aus: Mapping[str, float], yaw_deg: float) -> str:
    """One phrase: age, sex, hair, where they turn, and up to three things that the face does."""
    age = "young" if who.age < 30 else "middle-aged" if who.age < 56 else "old"
    adjectives = f"{age}, bald" if who.hair_style == "bald" else age
    sex = "woman" if who.sex == "female" else "man"
    hair = "" if who.hair_style == "bald" else f" with {_HAIR[who.hair_style]}"
    turned = "" if abs(yaw_deg) < 15 else f", turned {'right' if yaw_deg > 0 else 'left'}"
    doing = _listed([words for code, words in _DOING.items() if aus.get(code, 0.0) >= _SEEN][:3])
    return f"a portrait of {_an(adjectives)} {sex}{hair}{turned}{', ' if doing else ''}{doing}"


def _an(words: str) -> str:
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _listed(words: list[str]) -> str:
    return " and ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)
