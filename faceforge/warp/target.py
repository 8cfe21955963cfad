"""Where a fitted head shall go: an edit as head parameters and light, within what the face can do."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import normalize

from faceforge.aus import unsided
from faceforge.face3d import light as lights
from faceforge.face3d.embedded.model import FULL, EmbeddedHead
from faceforge.face3d.fitted import HeadFit
from faceforge.face3d.head import HeadParams
from faceforge.face3d.skinning import axis_angles, rotations
from faceforge.spec import EditSpec

_AROUND = [(x, y, 1.0) for x in (-0.8, 0.0, 0.8) for y in (-0.5, 0.0, 0.5)]  # normals that a face shows


@dataclass(frozen=True)
class Target:
    """A head to be drawn instead of the fitted one, the action units it shows, and what could not be granted."""

    params: HeadParams
    aus: Mapping[str, float]  # FACS 0..5, by side
    light: Tensor  # (1, 9, 3)
    notes: tuple[str, ...] = ()


def target(fit: HeadFit, spec: EditSpec, head: EmbeddedHead, *, light: Tensor | None = None) -> Target:
    """The fitted head with an edit's changes; `light` (9, 3) is one measured elsewhere and goes before the spec's."""
    before = by_side(fit.aus)
    after, notes = _granted(before, by_side(spec.aus))
    params = _posed(_expressed(fit.params, head, before, after), spec)
    wanted = light[None] if light is not None else _wanted(spec.light)
    return Target(params, after, fit.light if wanted is None else relit(fit.light, wanted), tuple(notes))


def by_side(aus: Mapping[str, float]) -> dict[str, float]:
    """Every unit as its two halves.

    >>> by_side({"AU12": 2.0, "AU12L": 1.0})
    {'AU12L': 3.0, 'AU12R': 2.0}
    """
    found: dict[str, float] = {}
    for code, value in aus.items():
        for side in (code[-1],) if code[-1] in "LR" else ("L", "R"):
            found[unsided(code) + side] = found.get(unsided(code) + side, 0.0) + value
    return found


def relit(before: Tensor, wanted: Tensor) -> Tensor:
    """A wanted light (1, 9, 3) as bright over the front of the face as the one before it, so that exposure stays."""
    front = normalize(torch.tensor(_AROUND), dim=1)[None]
    gain = lights.shade(front, before.float()).clamp(min=0).mean() / lights.shade(front, wanted.float()).mean()
    return wanted.to(before) * gain.clamp(0.1, 10.0)


def _granted(before: Mapping[str, float], change: Mapping[str, float]) -> tuple[dict[str, float], list[str]]:
    after, cut = dict(before), {}
    for code, wish in change.items():
        asked = before.get(code, 0.0) + wish
        after[code] = min(max(asked, 0.0), FULL)
        if abs(after[code] - asked) > 1e-6:
            cut[code] = after[code] - before.get(code, 0.0)
    return after, list(_said(change, cut))


def _said(change: Mapping[str, float], cut: Mapping[str, float]) -> Iterator[str]:
    for unit in dict.fromkeys(unsided(code) for code in cut):
        code = max((unit + side for side in "LR" if unit + side in cut), key=lambda each: abs(cut[each]))
        edge = "the face shows no more of it to take away" if change[code] < 0 else f"intensities end at {FULL:g}"
        yield f"{unit} was changed by {cut[code]:+.1f} instead of {change[code]:+g}: {edge}"


def _expressed(
    params: HeadParams, head: EmbeddedHead, before: Mapping[str, float], after: Mapping[str, float]
) -> HeadParams:
    """The parameters moved by the difference of two expressions: what the units do not explain stays."""
    if after == before:
        return params
    old, new = head.from_aus(before), head.from_aus(after)
    moved = {}
    for name in ("expression", "jaw", "eyelids"):
        own, step = getattr(params, name), getattr(new, name) - getattr(old, name)
        moved[name] = step if own is None else own + step.to(own)
    return replace(params, **moved)


def _posed(params: HeadParams, spec: EditSpec) -> HeadParams:
    """The head turned on its neck about the axes of the picture, and the eyes in it."""
    if spec.yaw_deg or spec.pitch_deg or spec.roll_deg:
        turn = _turn(-spec.pitch_deg, spec.yaw_deg, -spec.roll_deg)
        neck = turn if params.rotation is None else _within(turn, rotations(params.rotation.double()))
        if params.neck is not None:
            neck = neck @ rotations(params.neck.double())
        params = replace(params, neck=axis_angles(neck))
    if spec.gaze_yaw_deg or spec.gaze_pitch_deg:
        step = torch.deg2rad(torch.tensor([-spec.gaze_pitch_deg, spec.gaze_yaw_deg, 0.0], dtype=torch.float64))
        eyes = torch.zeros(1, 2, 3, dtype=torch.float64) if params.eyes is None else params.eyes
        params = replace(params, eyes=eyes + step)
    return params


def _turn(x_deg: float, y_deg: float, z_deg: float) -> Tensor:
    return rotations(torch.deg2rad(torch.tensor([[x_deg, y_deg, z_deg]], dtype=torch.float64)))


def _within(turn: Tensor, root: Tensor) -> Tensor:
    """A turn about the picture's axes as one about those of a turned body."""
    return root.mT @ turn @ root


def _wanted(light: str | tuple[float, float] | None) -> Tensor | None:
    if light is None:
        return None
    if isinstance(light, str):
        return lights.preset(light)
    across, up = torch.deg2rad(torch.tensor(light, dtype=torch.float64)).tolist()
    flat = float(torch.cos(torch.tensor(up)))
    direction = (
        flat * float(torch.sin(torch.tensor(across))),
        float(torch.sin(torch.tensor(up))),
        flat * float(torch.cos(torch.tensor(across))),
    )
    return lights.Studio(0.25, (lights.Lamp(direction, 0.85),)).light()
