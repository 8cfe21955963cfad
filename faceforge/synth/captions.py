"""A portrait in a few plain words, from its parameters alone."""

from collections.abc import Mapping

from faceforge.synth.palettes import HAIRS, Rgb
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
_BEARD = {"stubble": "stubble", "moustache": "a moustache", "goatee": "a goatee", "full": "a full beard"}
_COLOUR = dict(zip(HAIRS, ("black", "dark brown", "brown", "light brown", "blond", "grey", "red"), strict=True))
_FIXED = (
    "a an portrait of young middle-aged old bald woman man with turned right left and "
    "light brown dark skin hair glasses sunglasses"
)


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


def detailed(who: Person, aus: Mapping[str, float], yaw_deg: float) -> str:
    """The same phrase with what else can be asked for by name: colours of skin and hair, a beard, glasses."""
    skin = "light" if who.tone < 4 else "brown" if who.tone < 7 else "dark"
    said = [f"{skin} skin"]
    if who.hair_style != "bald":
        said.append(f"{_colour(who.hair)} hair")
    if who.beard != "none":
        said.append(_BEARD[who.beard])
    if who.glasses != "none":
        said.append("sunglasses" if who.glasses == "dark" else "glasses")
    return f"{caption(who, aus, yaw_deg)}, {_listed(said)}"


def words() -> list[str]:
    """Every word that `caption` and `detailed` know, in alphabetical order."""
    tables = (_DOING, _HAIR, _COLOUR, _BEARD)
    phrases = [_FIXED, *(each for table in tables for each in table.values())]
    return sorted({word for phrase in phrases for word in phrase.replace("-", " ").split()})


def _colour(hair: Rgb) -> str:
    """The name of the nearest swatch."""
    return _COLOUR[min(HAIRS, key=lambda swatch: sum((a - b) ** 2 for a, b in zip(hair, swatch, strict=True)))]
