"""Where skin folds: fields of depth over the atlas, for the lines of age and those of expressions."""

from collections.abc import Callable

import torch
from torch import Tensor

from faceforge.face3d.embedded.curves import band, bump, smoothstep
from faceforge.synth.atlas import Atlas, average_landmarks

_AT = average_landmarks()


def of_age(a: Atlas, wave: Tensor) -> Tensor:
    """All lines that years leave, uneven by a wave (B, h, w)."""
    return (0.6 * forehead_lines(a, wave) + 0.7 * crows_feet(a, wave) + 0.55 * nasolabial(a) + 0.35 * marionette(a)
            + 0.3 * frown_lines(a) + 0.35 * under_eye(a, wave))  # fmt: skip


def forehead_lines(a: Atlas, wave: Tensor) -> Tensor:
    phase = (a.y + wave + 0.02 * a.x.square()) / 0.66
    return _furrow(phase, 0.15) * bump(a.side, a.y, 0, 7.6, 4.6, 1.35)


def crows_feet(a: Atlas, wave: Tensor) -> Tensor:
    across, up = a.side - 4.2, a.y - _AT["eye_y"] + wave
    far = (across.square() + up.square()).sqrt()
    fan = _furrow(torch.atan2(up, across.clamp(min=0.05)) / 0.36, 0.17)
    return fan * torch.exp(-(((far - 1.1) / 0.55) ** 2)) * smoothstep(0.1, 0.6, across)


def nasolabial(a: Atlas) -> Tensor:
    line = 1.62 + 0.50 * (-0.15 - a.y) ** 1 - 0.02 * (a.y + 1.5).square()
    return band(a.side, line, 0.17) * smoothstep(0.3, -0.5, a.y) * smoothstep(-4.4, -2.9, a.y) * (a.z > 4)


def marionette(a: Atlas) -> Tensor:
    line = 2.72 + 0.10 * (-3.6 - a.y)
    return band(a.side, line, 0.14) * smoothstep(-3.5, -4.2, a.y) * smoothstep(-6.6, -5.0, a.y) * (a.z > 4)


def frown_lines(a: Atlas) -> Tensor:
    return band(a.side, 0.62 + 0.05 * (a.y - 5.4), 0.13) * bump(a.side, a.y, 0.6, 5.6, 1.2, 0.85)


def under_eye(a: Atlas, wave: Tensor) -> Tensor:
    phase = (a.y - _AT["eye_y"] + 0.06 * (a.side - 3.1).square() + 0.6 * wave) / 0.34
    return _furrow(phase, 0.18) * bump(a.side, a.y, 3.2, _AT["eye_y"] - 0.95, 1.3, 0.45)


def bunny_lines(a: Atlas) -> Tensor:
    return _furrow((a.y + 0.8 * a.side) / 0.42, 0.18) * bump(a.side, a.y, 0.85, 2.6, 0.65, 1.0)


def dimples(a: Atlas) -> Tensor:
    return bump(a.side, a.y, _AT["mouth_half"] + 0.45, _AT["mouth_y"], 0.18, 0.55) * (a.z > 4)


def chin_pebbles(a: Atlas) -> Tensor:
    ripple = 0.5 + 0.5 * torch.sin(a.x * 9.0 + 2 * torch.sin(a.y * 5.0)) * torch.sin(
        a.y * 8.5 + 1.5 * torch.sin(a.x * 4.0)
    )
    return ripple**3 * bump(a.side, a.y, 0, -6.7, 1.5, 0.95)


def corner_lines(a: Atlas) -> Tensor:
    line = _AT["mouth_half"] + 0.30 + 0.22 * (_AT["mouth_y"] - a.y)
    return (
        band(a.side, line, 0.15)
        * smoothstep(_AT["mouth_y"] + 0.1, _AT["mouth_y"] - 0.5, a.y)
        * smoothstep(-5.6, -4.4, a.y)
    )


def _furrow(phase: Tensor, width: float) -> Tensor:
    """Grooves at every whole number of a phase."""
    off = phase - phase.floor() - 0.5
    return torch.exp(-((off / width) ** 2))


# Wrinkles that expressions fold: how deep at intensity 5, by unit.
FOLDS: dict[str, Callable[[Atlas], Tensor]] = {
    "AU1": lambda a: forehead_lines(a, 0 * a.x) * smoothstep(4.6, 1.0, a.side),
    "AU2": lambda a: forehead_lines(a, 0 * a.x) * smoothstep(1.2, 3.2, a.side),
    "AU4": lambda a: 1.2 * frown_lines(a),
    "AU6": lambda a: crows_feet(a, 0 * a.x) + 0.5 * under_eye(a, 0 * a.x),
    "AU7": lambda a: 0.5 * under_eye(a, 0 * a.x),
    "AU9": lambda a: bunny_lines(a) + 0.5 * nasolabial(a),
    "AU10": lambda a: 0.75 * nasolabial(a),
    "AU12": lambda a: nasolabial(a) + 0.3 * dimples(a),
    "AU14": lambda a: 1.6 * dimples(a),
    "AU15": corner_lines,
    "AU17": chin_pebbles,
    "AU20": lambda a: 0.6 * corner_lines(a) + 0.3 * nasolabial(a),
}
