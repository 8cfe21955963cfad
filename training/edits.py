"""Edits whose outcome is known: two pictures of one person, and all conditions as an edit of a photograph makes them.

The head is not fitted but known, and then missed as fitting misses it; conditions come from the functions that serve
users. Pairs are drawn once into a folder, a person at a time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from faceforge.aligning import on_size
from faceforge.aus import ORDERS, unsided
from faceforge.conditions import MAKERS, Scene, numbers_of
from faceforge.face.crops import close_crop
from faceforge.face.found import Face, Points
from faceforge.face.people import face
from faceforge.face3d.embedded.model import EmbeddedHead
from faceforge.face3d.fitted import HeadFit
from faceforge.io.pictures import read_picture
from faceforge.reading import Photograph, Reading
from faceforge.spec import EditSpec
from faceforge.synth import Portrait, Sitting, photograph, sample
from faceforge.synth.captions import detailed
from faceforge.synth.draws import Draws
from faceforge.synth.known import known_fit
from faceforge.synth.sitting import MOST, expression, light_in
from faceforge.warp.target import Target, by_side, target
from faceforge_training.portraits import Arrays

UNITS = ORDERS["disfa12"]
SEEDS = range(10_000_000, 99_000_000)  # of people who teach; the million after them judges
HELD_OUT = range(99_000_000, 100_000_000)
EACH = 4  # pairs of one person: textures are painted once
PICTURES = {"warp": "warp", "background": "jaw-dots", "room": "grey-person", "render": "rig-render"}  # made by whom
PHOTOGRAPHED = 160  # pixels of the photograph whose crop is edited
_OTHERS = ("AU7", "AU10", "AU14", "AU16", "AU18", "AU22", "AU23", "AU24", "AU28", "AU43")
_EXPRESSED = ("expression", "jaw", "eyelids")
_LETTERS = 320  # bytes of a caption


@dataclass(frozen=True)
class Edit:
    """One person before and after, differing in action units and now and then in pose, gaze or light."""

    before: Sitting
    after: Sitting

    @property
    def spec(self) -> EditSpec:
        """What has to be asked for to get from one to the other."""
        before, after = by_side(self.before.aus), by_side(self.after.aus)
        change = {code: after.get(code, 0.0) - before.get(code, 0.0) for code in {**before, **after}}
        names = ("yaw_deg", "pitch_deg", "roll_deg", "gaze_yaw_deg", "gaze_pitch_deg")
        turned = {name: getattr(self.after, name) - getattr(self.before, name) for name in names}
        return EditSpec(aus={code: round(each, 6) for code, each in change.items() if abs(each) > 1e-6}, **turned)

    @property
    def relit(self) -> bool:
        return self.before.light != self.after.light


def edits(seed: int) -> list[Edit]:
    """The edits of one person, whose seed is the first of EACH."""
    who = sample(seed).person
    return [edit(replace(_nearer(seed + number), person=who)) for number in range(EACH)]


def edit(before: Sitting) -> Edit:
    """A change of a sitting, drawn from its seed."""
    draws = Draws(before.seed, "edit")
    after = replace(before, aus=_changed(before.aus, draws), noise=draws.noise_seed())
    if draws.chance(0.25):
        yaw, pitch, roll = (draws.normal(0, spread, clip=2.0) for spread in (9.0, 6.0, 4.0))
        after = replace(
            after,
            yaw_deg=after.yaw_deg + yaw,
            pitch_deg=after.pitch_deg + pitch,
            roll_deg=after.roll_deg + roll,
        )
    if draws.chance(0.15):
        after = replace(
            after,
            gaze_yaw_deg=after.gaze_yaw_deg + draws.uniform(-15, 15),
            gaze_pitch_deg=after.gaze_pitch_deg + draws.uniform(-8, 8),
        )
    return Edit(before, replace(after, light=light_in(draws, before.scene)) if draws.chance(0.2) else after)


def taken(some: list[Edit], pixels: int) -> Arrays:
    """What a block of the folder holds of edits; pictures (N, n, n, 3), masks (N, n, n) and numbers."""
    portraits = photograph([each for pair in some for each in (pair.before, pair.after)], PHOTOGRAPHED)
    rows = [_row(pair, portraits[2 * n], portraits[2 * n + 1], pixels) for n, pair in enumerate(some)]
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def _row(pair: Edit, before: Portrait, after: Portrait, pixels: int) -> dict[str, NDArray[np.generic]]:
    draws = Draws(pair.before.seed, "missed")
    fit = missed(known_fit(pair.before, PHOTOGRAPHED), draws)
    seen = Face(_shaken(before.landmarks, draws), (PHOTOGRAPHED, PHOTOGRAPHED), "known")
    crop = on_size(close_crop(seen), (pixels, pixels))
    wanted = wanted_head(pair, fit)
    scene = Scene(
        Photograph(read_picture(before.image), [seen]),
        Reading(seen, fit, ()),
        crop,
        wanted,
        turned=any(getattr(pair.spec, name) for name in ("yaw_deg", "pitch_deg", "roll_deg")),
    )
    pictures = {name: MAKERS[maker](scene) for name, maker in PICTURES.items()}
    return {
        "source": np.asarray(scene.source),
        "target": np.asarray(crop.cut(Image.fromarray(after.image))),
        **{name: np.asarray(each) for name, each in pictures.items()},
        "unknown": np.asarray(MAKERS["unknown"](scene))[..., 0],
        "face": (255 * face(crop.to_crop(after.landmarks), crop.size)).astype(np.uint8),
        "before": np.array(intensities(pair.before.aus), np.float32),
        "after": np.array(intensities(pair.after.aus), np.float32),
        "measured": np.array(intensities(fit.aus), np.float32),
        "rig": numbers_of(wanted.params).numpy(),
        "caption_before": written(pair.before),
        "caption_after": written(pair.after),
    }


def wanted_head(pair: Edit, fit: HeadFit) -> Target:
    """Where the edit takes a fitted head: what an edit of a photograph computes from the spec."""
    light = known_fit(pair.after, PHOTOGRAPHED).light[0] if pair.relit else None
    return target(fit, pair.spec, EmbeddedHead(), light=light)


def missed(fit: HeadFit, draws: Draws) -> HeadFit:
    """A known head as fitting finds it: shape, expression, pose and light are off, a little or a lot.

    How far is measured: on ten of these portraits real fits miss landmarks by 0.05 eye distances, and units by 0.2
    intensities on average, which is a few of them by one or two; on fourteen the light by 17 % in its brightness, and
    by 3 % in its colour, for a photograph shows the colour of all light together.
    """
    much = draws.uniform(0.0, 2.0)
    aus = {code: min(MOST, max(0.0, each + draws.normal(0, 0.5 * much))) for code, each in by_side(fit.aus).items()}
    for code in draws.shuffled(UNITS)[: draws.integer(1, 6)]:
        for side in "LR":
            aus[code + side] = aus.get(code + side, 0.0) or abs(draws.normal(0, 0.7 * much))
    head = EmbeddedHead()
    known, seen = head.from_aus(fit.aus), head.from_aus(aus)
    off = {name: _off(getattr(fit.params, name), getattr(known, name), getattr(seen, name)) for name in _EXPRESSED}
    params = replace(
        fit.params,
        **off,
        identity=_noisy(fit.params.identity, 0.2 * much, draws),
        neck=_noisy(fit.params.neck, 0.015 * much, draws),  # radians
        eyes=_noisy(fit.params.eyes, 0.03 * much, draws),
        translation=_noisy(torch.zeros(1, 3, dtype=torch.float64), 0.0006 * much, draws),  # metres
    )
    size = much * float(fit.light.norm())
    bright = _noisy(torch.zeros_like(fit.light[..., :1]), 0.0235 * size, draws)  # of all colours alike
    light = _noisy(fit.light + bright, 0.006 * size, draws) * draws.uniform(0.8, 1.2)
    albedo = (_noisy(fit.albedo, 0.06 * much, draws) * draws.uniform(0.8, 1.25)).clamp(0, 1)
    return replace(fit, params=params, light=light, albedo=albedo, aus=aus)


def intensities(aus: Mapping[str, float]) -> list[float]:
    """What UNITS are at, each the mean of both sides."""
    sides = by_side(aus)
    return [0.5 * (sides.get(f"{unit}L", 0.0) + sides.get(f"{unit}R", 0.0)) for unit in UNITS]


def written(sitting: Sitting) -> NDArray[np.uint8]:
    """A sitting's caption as bytes of a fixed length."""
    text = detailed(sitting.person, sitting.aus, sitting.yaw_deg).encode()[:_LETTERS]
    return np.frombuffer(text.ljust(_LETTERS), np.uint8)


def _nearer(seed: int) -> Sitting:
    """The sitting of a seed, framed so that the face's crop is about the whole picture."""
    draws = Draws(seed, "frame")
    usual = sample(seed)
    bare = usual.occluder if draws.chance(0.5) else None
    return replace(usual, occluder=bare, camera=replace(usual.camera, half_extent=draws.uniform(12.5, 16.0)))


def _changed(before: Mapping[str, float], draws: Draws) -> dict[str, float]:
    """One to four units set anew or to nothing, or another expression as faces show them."""
    if draws.chance(0.25):
        return expression(draws)
    after = dict(before)
    for code in draws.shuffled(UNITS)[: draws.choice((1, 2, 3, 4), (4, 3, 2, 1))]:
        for name in [name for name in after if unsided(name) == code]:
            del after[name]
        if code not in before or draws.chance(0.7):
            after[code] = round(draws.uniform(0.3, MOST), 3)
    if draws.chance(0.25):
        code = draws.choice(_OTHERS)
        after = {name: each for name, each in after.items() if unsided(name) != code}
        after[code] = round(draws.uniform(0.5, MOST), 3)
    return after


def _off(own: torch.Tensor | None, known: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    return seen - known if own is None else own + seen - known


def _noisy(values: torch.Tensor | None, spread: float, draws: Draws) -> torch.Tensor:
    if values is None:
        raise ValueError("known heads lack nothing")
    noise = [draws.normal(0, 1.0, clip=2.5) for _ in range(values.numel())]
    return values + spread * torch.tensor(noise, dtype=values.dtype).reshape(values.shape)


def _shaken(landmarks: Points, draws: Draws) -> Points:
    """Landmarks as the finder marks them: all a little off together, each a little on its own."""
    scale = np.ptp(landmarks[:, 0])
    own = np.array([draws.normal(0, 0.010) for _ in range(landmarks.size)]).reshape(landmarks.shape)
    together = np.array([draws.normal(0, 0.012), draws.normal(0, 0.012)])
    return landmarks + scale * (own + together)
