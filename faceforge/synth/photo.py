"""What a camera makes of light: a rendering in linear light becomes a picture as phones and studios take them.

Every effect is continuous in its input, so that renderings which differ in the last bit give pictures which differ by
a grey level at most. Strength zero is exactly absence.
"""

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

import torch
from torch import Tensor

from faceforge.errors import BadSpec
from faceforge.synth.draws import Draws
from faceforge.synth.jpeg import compressed
from faceforge.synth.lens import bell, blurred, coarsened, column, fringed, moved, where
from faceforge.synth.noise import gaussian
from faceforge.synth.palettes import Rgb
from faceforge.synth.shots import Light

_FACE = 0.17  # the light of a face that is exposed as it is


@dataclass(frozen=True)
class Photo:
    """How one picture is taken; as it stands, a perfect camera. Lengths are parts of the picture's height."""

    exposure: float = 0.0  # stops
    temperature: float = 0.0  # -1 bluish .. 1 yellowish
    tint: float = 0.0  # -1 greenish .. 1 purplish
    shoulder: float = 0.0  # part of the range in which highlights roll off instead of clipping
    contrast: float = 0.0  # -1 flat .. 1 hard
    fade: float = 0.0  # where black lies in the picture
    saturation: float = 0.0  # -1 grey .. 1 gaudy
    vignette: float = 0.0  # light lost in the corners
    lens_blur: float = 0.0  # Gaussian deviation
    motion: float = 0.0
    motion_angle_deg: float = 0.0
    fringe: float = 0.0  # red against green, at the border
    shot_noise: float = 0.0  # deviation at white, falls with the root of the light
    read_noise: float = 0.0  # deviation in the dark
    noise_colour: float = 0.0  # 0 grey noise .. 1 independent colours
    grain: float = 0.0  # deviation in pixels by which noise is smeared
    sharpening: float = 0.0
    coarseness: float = 1.0  # resolution lost before enlarging; 1 is none
    jpeg_quality: int = 0  # 1..100; 0 is none
    jpeg_halved: bool = False  # colour at half resolution

    def __post_init__(self) -> None:
        if not all(math.isfinite(value) for value in astuple(self)):
            raise BadSpec(f"{self!r} holds a number that is not finite. Give finite ones.")


def sample(draws: Draws, rough: float | None = None) -> Photo:
    """A camera, from a clean studio (rough 0) to a phone at night (1); mostly decent where `rough` is not given."""
    rough = draws.uniform() * draws.uniform() if rough is None else rough
    warmth = draws.normal(0.0, 0.22 + 0.3 * rough)
    return Photo(
        exposure=draws.normal(0.0, 0.22 + 0.16 * rough, clip=2.0),
        temperature=max(-1.0, min(1.0, warmth)),
        tint=draws.normal(0.0, 0.12 + 0.15 * rough, clip=2.5),
        shoulder=draws.uniform(0.1, 0.55),
        contrast=draws.normal(0.15, 0.22, clip=2.5),
        fade=draws.uniform(0.0, 0.07) if draws.chance(0.25) else 0.0,
        saturation=-1.0 if draws.chance(0.03) else draws.normal(0.02, 0.16, clip=2.5),
        vignette=draws.uniform(0.05, 0.4) if draws.chance(0.4) else 0.0,
        **_sharpness(draws.child("sharpness"), rough),
        **_sensor(draws.child("sensor"), rough),
        **_file(draws.child("file"), rough),
    )


def _sharpness(draws: Draws, rough: float) -> dict[str, Any]:
    moves = draws.chance(0.04 + 0.16 * rough)
    return {
        "lens_blur": draws.uniform(0.0, 0.0025 + 0.005 * rough),
        "motion": draws.uniform(0.004, 0.008 + 0.014 * rough) if moves else 0.0,
        "motion_angle_deg": draws.uniform(0.0, 180.0),
        "fringe": draws.uniform(-0.003, 0.003) if draws.chance(0.35) else 0.0,
        "sharpening": draws.uniform(0.1, 0.9) if draws.chance(0.45) else 0.0,
        "coarseness": draws.uniform(1.1, 1.3 + 1.1 * rough) if draws.chance(0.2 + 0.4 * rough) else 1.0,
    }


def _sensor(draws: Draws, rough: float) -> dict[str, Any]:
    strength = draws.uniform(0.2, 1.0)
    return {
        "shot_noise": round(strength * (0.006 + 0.040 * rough), 6),
        "read_noise": round(strength * (0.0004 + 0.006 * rough * rough), 6),
        "noise_colour": draws.uniform(0.1, 0.8),
        "grain": draws.uniform(0.0, 0.4 + 0.6 * rough),
    }


def _file(draws: Draws, rough: float) -> dict[str, Any]:
    low = int(82 - 42 * rough)
    return {
        "jpeg_quality": draws.integer(low, 98) if draws.chance(0.8) else 0,
        "jpeg_halved": draws.chance(0.6),
    }


def metered(skins: Sequence[Rgb], lights: Sequence[Light]) -> list[float]:
    """The gain at which each picture is exposed: for the face, part of the way, as one who looks at it would set it."""
    gains = []
    for skin, light in zip(skins, lights, strict=True):
        lamps = sum(
            max(0.0, towards[2]) * _grey(colour)
            for towards, colour in zip(light.directions, light.colours, strict=True)
        )
        seen = _grey(skin) * (lamps + _grey(light.sky[4]))
        gains.append(max(0.75, min(1.9, (_FACE / max(seen, 1e-4)) ** 0.38)))
    return gains


def _grey(colour: Rgb) -> float:
    return 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]


def apply(linear: Tensor, photos: Sequence[Photo], seeds: Tensor) -> Tensor:
    """Pictures (B, 3, H, W) uint8 from renderings in linear light, with noise from seeds (B,) int64."""
    return quantised(developed(linear, photos, seeds))


def developed(linear: Tensor, photos: Sequence[Photo], seeds: Tensor) -> Tensor:
    """Like `apply`, but float32 in 0..1, before the last rounding."""
    _check(linear, photos, seeds)
    seen = _through_lens(linear, photos)
    light = _noisy(_balanced(seen, photos), photos, seeds)
    shown = _toned(to_display(_rolled_off(light, photos)), photos)
    shown = coarsened(_sharpened(shown, photos), [photo.coarseness for photo in photos])
    return compressed(
        shown.clamp(0.0, 1.0), [photo.jpeg_quality for photo in photos], [photo.jpeg_halved for photo in photos]
    )


def quantised(picture: Tensor) -> Tensor:
    """A picture in 0..1 as bytes."""
    return (picture * 255.0).round().clamp(0, 255).to(torch.uint8)


def to_display(linear: Tensor) -> Tensor:
    """Linear light as sRGB (IEC 61966-2-1); what lies outside 0..1 is clipped."""
    light = linear.clamp(0.0, 1.0)
    return torch.where(light > 0.0031308, 1.055 * light.clamp(min=0.0031308) ** (1 / 2.4) - 0.055, 12.92 * light)


def to_linear(display: Tensor) -> Tensor:
    """The inverse of `to_display` on 0..1."""
    return torch.where(display > 0.04045, ((display + 0.055) / 1.055) ** 2.4, display / 12.92)


def _check(linear: Tensor, photos: Sequence[Photo], seeds: Tensor) -> None:
    if linear.ndim != 4 or linear.shape[1] != 3 or linear.numel() == 0 or not linear.is_floating_point():
        raise BadSpec(f"A camera got light of shape {tuple(linear.shape)}, {linear.dtype}. Give float (B, 3, H, W).")
    if len(photos) != len(linear) or seeds.shape != (len(linear),) or seeds.dtype != torch.int64:
        raise BadSpec(
            f"{len(linear)} renderings came with {len(photos)} photos and seeds of shape {tuple(seeds.shape)}, "
            f"{seeds.dtype}. Give one photo and one int64 seed each."
        )


def _through_lens(light: Tensor, photos: Sequence[Photo]) -> Tensor:
    height = light.shape[-2]
    light = fringed(light, [photo.fringe for photo in photos])
    light = blurred(light, [photo.lens_blur * height for photo in photos])
    light = moved(light, [photo.motion * height for photo in photos], [photo.motion_angle_deg for photo in photos])
    return _vignetted(light, [photo.vignette for photo in photos])


def _vignetted(light: Tensor, strengths: Sequence[float]) -> Tensor:
    height, width = light.shape[-2:]
    down, across = (torch.linspace(-1, 1, count, device=light.device) for count in (height, width))
    radius = (down.square()[:, None] + across.square()) / 2
    return light * (1 - column(strengths, light) * radius * (1.5 - 0.5 * radius))


def _balanced(light: Tensor, photos: Sequence[Photo]) -> Tensor:
    """Exposure and white balance."""
    gains = [
        [
            2 ** (p.exposure + warm + 0.5 * p.tint * 0.3),
            2 ** (p.exposure - 0.15 * p.tint),
            2 ** (p.exposure - 1.3 * warm),
        ]
        for p in photos
        for warm in [0.35 * p.temperature]
    ]
    return light * torch.tensor(gains, device=light.device)[..., None, None]


def _noisy(light: Tensor, photos: Sequence[Photo], seeds: Tensor) -> Tensor:
    """Sensor noise: its variance has a constant part, and one that grows with the light."""

    def effect(some: Tensor, numbers: list[int]) -> Tensor:
        chosen = [photos[number] for number in numbers]
        shot = column([photo.shot_noise**2 for photo in chosen], some)
        read = column([photo.read_noise**2 for photo in chosen], some)
        deviation = (some.clamp(0.0, 4.0) * shot + read).sqrt()
        return some + deviation * _grain(some, chosen, seeds[numbers])

    return where([photo.shot_noise + photo.read_noise for photo in photos], light, effect)


def _grain(like: Tensor, photos: Sequence[Photo], seeds: Tensor) -> Tensor:
    """Noise of deviation one, grey and coloured in each picture's proportion, smeared a little."""
    height, width = like.shape[-2:]
    noise = gaussian(seeds, 4, height, width)
    mixed = noise[:, :1] * column([math.sqrt(1 - photo.noise_colour) for photo in photos], like)
    mixed = mixed + noise[:, 1:] * column([math.sqrt(photo.noise_colour) for photo in photos], like)
    smeared = blurred(mixed, [photo.grain for photo in photos])
    return smeared / column([_power(photo.grain) for photo in photos], like)


def _power(sigma: float) -> float:
    """The deviation that blur leaves of white noise."""
    half = bell(sigma)
    return half[0] ** 2 + 2 * sum(weight**2 for weight in half[1:])


def _rolled_off(light: Tensor, photos: Sequence[Photo]) -> Tensor:
    """Highlights approach white where a shoulder is set, and clip elsewhere."""

    def effect(some: Tensor, numbers: list[int]) -> Tensor:
        shoulder = column([photos[number].shoulder for number in numbers], some)
        above = (some - (1 - shoulder)).clamp(min=0.0)
        return torch.minimum(some, 1 - shoulder) + shoulder * (1 - torch.exp(-above / shoulder))

    return where([photo.shoulder for photo in photos], light, effect)


def _toned(shown: Tensor, photos: Sequence[Photo]) -> Tensor:
    """Contrast, lifted black and saturation, of a picture in 0..1."""
    curve = shown * shown * (3 - 2 * shown)
    shown = shown + (curve - shown) * column([photo.contrast for photo in photos], shown)
    shown = shown + (1 - shown) * column([photo.fade for photo in photos], shown)
    grey = shown[:, 0:1] * 0.299 + shown[:, 1:2] * 0.587 + shown[:, 2:3] * 0.114
    return shown + (shown - grey) * column([photo.saturation for photo in photos], shown)


def _sharpened(shown: Tensor, photos: Sequence[Photo]) -> Tensor:
    """An unsharp mask of one pixel."""

    def effect(some: Tensor, numbers: list[int]) -> Tensor:
        strength = column([photos[number].sharpening for number in numbers], some)
        return some + strength * (some - blurred(some, [1.0] * len(numbers)))

    return where([photo.sharpening for photo in photos], shown, effect)
