"""The embedded head as a HeadModel: identities become people, people make faces."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from faceforge.aus import checked, unsided
from faceforge.errors import BadHead
from faceforge.face3d.embedded import parts as part_shapes
from faceforge.face3d.embedded.curves import smoothstep
from faceforge.face3d.embedded.expression import CORRECTIVES, EXPRESSIONS, FIELDS, Face, side_weights
from faceforge.face3d.embedded.form import EYEBALL, Form, Landmarks, rest
from faceforge.face3d.embedded.grid import COLUMN, COLUMNS, HALF, ROW, ROWS
from faceforge.face3d.embedded.landmarks import contour68
from faceforge.face3d.embedded.parts import PATCHES
from faceforge.face3d.embedded.topology import first_vertices, texture_coordinates, triangles
from faceforge.face3d.embedded.traits import TRAITS, Traits
from faceforge.face3d.head import HeadMesh, HeadParams

FULL = 5.0  # the FACS intensity at which an expression coefficient is 1
LID = EYEBALL + 0.13  # radius on which the skin of the lids slides
JAW_OPEN = {"AU26": 0.24, "AU27": 0.38}  # radians at full intensity
_TMJ = (0.0, 1.0, 1.5)
_NECK = (0.0, -8.5, -1.5)
_CM = 0.01


@dataclass(frozen=True)
class Person:
    """Identities at rest: what is worth computing once and posing often."""

    traits: Traits
    form: Form

    @cached_property
    def fields(self) -> dict[str, Tensor]:
        """Displacements (B, ROWS, COLUMNS, 3) by sided unit, and by pair for correctives."""
        return {}

    def chosen(self, index: Tensor) -> "Person":
        """The people at an index (N,), repeats allowed."""
        at = Landmarks(*(each[index] for each in vars(self.form.at).values()))
        return Person(Traits(self.traits.values[index]), Form(self.form.skin[index], at))

    def field(self, code: str) -> Tensor:
        """The displacement of one sided unit at full intensity, kept once computed."""
        if code not in self.fields:
            whole = FIELDS[unsided(code)](Face(self.form.skin, self.form.at))
            left, right = side_weights(self.form)
            self.fields[unsided(code) + "L"], self.fields[unsided(code) + "R"] = whole * left, whole * right
        return self.fields[code]

    def corrective(self, pair: tuple[str, str]) -> Tensor:
        name = "+".join(pair)
        if name not in self.fields:
            self.fields[name] = CORRECTIVES[pair](Face(self.form.skin, self.form.at))
        return self.fields[name]

    @cached_property
    def lids(self) -> tuple[Tensor, Tensor]:
        """Closing the left and the right eye."""
        left, right = side_weights(self.form)
        whole = Face(self.form.skin, self.form.at).closing(0.93, 0.07)
        return whole * left, whole * right

    @cached_property
    def jaw_weight(self) -> Tensor:
        """How much the jaw carries each vertex of the skin, (B, ROWS, COLUMNS, 1)."""
        skin, at = self.form.skin, self.form.at
        x, y, z = skin[..., 0].abs(), skin[..., 1], skin[..., 2]
        below = torch.atan2(_TMJ[1] - y, (z - _TMJ[2]).clamp(min=0.05))
        corner = skin[:, ROW["seam_up"], HALF + COLUMN["mouth"]][:, None, None]
        line = torch.atan2(_TMJ[1] - corner[..., 1], corner[..., 2] - _TMJ[2])
        soft = math.radians(5) + math.radians(25) * smoothstep(at.mouth_half - 0.3, 5.6, x)
        by_angle = smoothstep(line - soft, line + soft, below)
        row = torch.arange(ROWS, dtype=x.dtype, device=skin.device)[None, :, None]
        lip = smoothstep(ROW["subnasal"] - 1.0, ROW["lip_up"] + 1.0, row)
        along = (x / at.mouth_half).clamp(max=1.0) ** 4
        edge = smoothstep(ROW["sulcus"] + 1.0, ROW["seam_low"], row)
        by_lip = torch.where(row >= ROW["seam_low"], 1 - 0.5 * along * edge, (0.04 + 0.46 * along) * lip)
        inside = smoothstep(at.mouth_half + 1.3, at.mouth_half - 0.1, x)
        weight = by_angle + (by_lip - by_angle) * inside * smoothstep(at.menton + 1.0, at.mouth_y - 2.5, y)
        fading = smoothstep(-0.5, 4.5, z) * smoothstep(ROW["throat"] + 3.0, ROW["menton"] + 0.5, row)
        return (weight * fading)[..., None]


class EmbeddedHead:
    """The head that anyone may use: anatomy as formulas, in metres outside and centimetres within."""

    identity_names = TRAITS
    expression_names = EXPRESSIONS

    def __init__(self, device: torch.device | None = None) -> None:
        faces, parts = triangles()
        self.faces = faces.to(device)
        self.parts = {name: index.to(device) for name, index in parts.items()}
        self.uv, self.uv_faces = texture_coordinates().to(device), self.faces
        self.vertex_count = first_vertices()["end"]

    def of(self, identity: Tensor | None = None, count: int = 1) -> Person:
        """People at rest; zeros are the average adult."""
        values = torch.zeros(count, len(TRAITS), device=self.faces.device) if identity is None else identity
        traits = Traits(values)
        return Person(traits, rest(traits))

    def __call__(self, params: HeadParams) -> HeadMesh:
        check_params(params)
        sizes = {len(each) for each in vars(params).values() if each is not None}
        if len(sizes - {1}) > 1:
            raise BadHead(f"Head parameters are batched differently: {sorted(sizes)}. Give each one row per head.")
        return self.pose(self.of(params.identity), params)

    def pose(self, person: Person, params: HeadParams) -> HeadMesh:
        """The people in an expression and a pose; one person may take many."""
        check_params(params)
        sizes = {len(person.traits.values), *(len(each) for each in vars(params).values() if each is not None)}
        if len(sizes - {1}) > 1:
            raise BadHead(f"People and poses are batched differently: {sorted(sizes)}. Give one pose per person.")
        skin = self._expressed(person, params)
        pieces = self._assembled(person, skin, params)
        vertices = torch.cat([pieces[name].flatten(1, -2) for name in ("skin", *(each.name for each in PATCHES))], 1)
        return self._placed(person, vertices, params)

    def from_aus(self, aus: Mapping[str, float]) -> HeadParams:
        """Jaw and lids for the units that are theirs, expression coefficients for the rest."""
        expression = torch.zeros(1, len(EXPRESSIONS), dtype=torch.float64, device=self.faces.device)
        jaw, lids = torch.zeros_like(expression[:, :3]), torch.zeros_like(expression[:, :2])
        for code, intensity in checked(aus).items():
            unit, sides = unsided(code), [code[-1]] if code[-1] in "LR" else ["L", "R"]
            if unit in JAW_OPEN:
                jaw[0, 0] += JAW_OPEN[unit] * intensity / FULL * len(sides) / 2
            elif unit in ("AU43", "AU45"):
                for side in sides:
                    lids[0, "LR".index(side)] += intensity / FULL
            else:
                for side in sides:
                    expression[0, EXPRESSIONS.index(unit + side)] += intensity / FULL
        # A jaw that closes beyond closed would drive the lower lip through the upper one.
        return HeadParams(expression=expression, jaw=jaw.clamp(min=0), eyelids=lids)

    def landmarks68(self, mesh: HeadMesh) -> Tensor:
        """The iBUG landmarks (B, 68, 3); the jaw contour follows the view down the z axis."""
        return contour68(mesh.vertices[:, : ROWS * COLUMNS].reshape(-1, ROWS, COLUMNS, 3))

    def _expressed(self, person: Person, params: HeadParams) -> Tensor:
        count = max([len(each) for each in vars(params).values() if each is not None] + [len(person.form.skin)])
        skin = person.form.skin.expand(count, -1, -1, -1)
        for coefficient, move in _moves(person, params):
            skin = skin + coefficient[:, None, None, None] * move
        skin = _parted(_over_globes(person, _parted(_parted(skin, _LIDS), _LIPS)), _LIDS)
        if params.jaw is None:
            return skin
        hinge = skin.new_tensor(_TMJ)
        turned = (skin - hinge) @ rotation(params.jaw.double()).mT[:, None] + hinge
        return skin + person.jaw_weight * (turned - skin)

    def _assembled(self, person: Person, skin: Tensor, params: HeadParams) -> dict[str, Tensor]:
        at, traits = person.form.at, person.traits
        jaw = torch.zeros(len(skin), 3, dtype=skin.dtype, device=skin.device) if params.jaw is None else params.jaw
        hinge, turn = skin.new_tensor(_TMJ), rotation(jaw.double()).mT[:, None]
        mouth = part_shapes.teeth(at)
        for name in ("teeth_low", "tongue"):
            mouth[name] = (mouth[name] - hinge) @ turn + hinge
        ball, _ = part_shapes.eyeball(skin.device)
        eyes = {}
        for index, (side, sign) in enumerate((("left", 1), ("right", -1))):
            gaze = torch.zeros_like(jaw) if params.eyes is None else params.eyes[:, index]
            centre = torch.cat([sign * at.eye_x, at.eye_y, at.eye_z], -1)[:, :, None]
            eyes[f"eye_{side}"] = ball @ rotation(gaze.double()).mT[:, None] + centre
        ears = part_shapes.ears(traits, at, person.form.skin)
        pieces = {"skin": skin, **part_shapes.rims(at, skin), **part_shapes.lining(skin), **mouth, **eyes, **ears}
        pieces["shoulders"] = part_shapes.shoulders(traits)
        return {name: each.expand(len(skin), *each.shape[1:]) for name, each in pieces.items()}

    def carried(self, points: Tensor, params: HeadParams, weight: Tensor | None = None) -> Tensor:
        """Resting points (B, N, 3) in centimetres as neck and root carry them; weight (B, N, 1) is the neck's."""
        if params.neck is not None:
            hinge = points.new_tensor(_NECK)
            weight = smoothstep(-12.5, -7.5, points[..., 1:2]) if weight is None else weight
            turned = (points - hinge) @ rotation(params.neck.double()).mT + hinge
            points = points + weight * (turned - points)
        return points if params.rotation is None else points @ rotation(params.rotation.double()).mT

    def _placed(self, person: Person, vertices: Tensor, params: HeadParams) -> HeadMesh:
        weight = smoothstep(-12.5, -7.5, vertices[..., 1:2])
        weight[:, first_vertices()["shoulders"] :] = 0
        joints = self._joints(person).expand(len(vertices), 5, 3)
        above = joints.new_tensor([0.0, 0.0, 1.0, 1.0, 1.0])[:, None]
        vertices = self.carried(vertices, params, weight) * _CM
        joints = self.carried(joints, params, above) * _CM
        if params.translation is not None:
            vertices, joints = vertices + params.translation[:, None], joints + params.translation[:, None]
        return HeadMesh(vertices, joints)

    def _joints(self, person: Person) -> Tensor:
        at = person.form.at
        left = torch.cat([at.eye_x, at.eye_y, at.eye_z], -1)
        fixed = left.new_tensor([(0.0, 0.0, 0.0), _NECK, _TMJ]).expand(len(left), 3, 3)
        return torch.cat([fixed, left, left * left.new_tensor([-1.0, 1.0, 1.0])], 1)


_SHAPES = {
    "identity": (len(TRAITS),), "expression": (len(EXPRESSIONS),), "rotation": (3,), "neck": (3,), "jaw": (3,),
    "eyes": (2, 3), "eyelids": (2,), "translation": (3,),
}  # fmt: skip


def check_params(params: HeadParams) -> None:
    """Refuses parameters of a wrong shape, or that are no numbers."""
    for name, value in vars(params).items():
        if value is None:
            continue
        if value.ndim != 1 + len(_SHAPES[name]) or tuple(value.shape[1:]) != _SHAPES[name]:
            wanted = ", ".join(["B", *map(str, _SHAPES[name])])
            raise BadHead(f"Head parameter {name!r} has shape {tuple(value.shape)}. Give ({wanted}).")
        if not torch.isfinite(value).all():
            raise BadHead(f"Head parameter {name!r} holds NaN or infinity. Give finite numbers.")


def rotation(axis_angle: Tensor) -> Tensor:
    """Axis-angle (..., 3) to matrices (..., 3, 3), smooth at zero."""
    angle = (axis_angle.square().sum(-1) + 1e-24).sqrt()[..., None, None]
    x, y, z = (axis_angle / angle[..., 0]).unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*x.shape, 3, 3)
    turned: Tensor = torch.sin(angle) * cross + (1 - torch.cos(angle)) * cross @ cross
    return turned + torch.eye(3, dtype=cross.dtype, device=cross.device)


def _moves(person: Person, params: HeadParams) -> list[tuple[Tensor, Tensor]]:
    """Coefficients (B,) and the displacements they scale, those at rest left out."""
    moves = []
    if params.expression is not None:
        given = dict(zip(EXPRESSIONS, params.expression.double().unbind(-1), strict=True))
        used = {code for code, value in given.items() if bool((value != 0).any())}
        moves += [(given[code], person.field(code)) for code in EXPRESSIONS if code in used]
        for pair in CORRECTIVES:
            a, b = (0.5 * (given[code + "L"] + given[code + "R"]) for code in pair)
            both = a.clamp(min=0) * b.clamp(min=0)
            if bool((both != 0).any()):
                moves.append((both, person.corrective(pair)))
    lids = torch.zeros(1, 2, dtype=torch.float64, device=person.form.skin.device)
    lids = lids if params.eyelids is None else params.eyelids.double()
    if params.eyes is not None:  # the upper lid follows the gaze up and down
        lids = lids + (0.9 * params.eyes[..., 0].double()).clamp(-0.22, 0.6) * (1 - lids.clamp(0, 1))
    if bool((lids != 0).any()):
        moves += list(zip(lids.unbind(-1), person.lids, strict=True))
    return moves


def _over_globes(person: Person, skin: Tensor) -> Tensor:
    """Lids slide over the eyeballs, never through them."""
    at = person.form.at
    rows = slice(ROW["fold"], ROW["orbit"] + 1)
    near = skin[:, rows]
    for sign in (-1, 1):
        centre = torch.cat([sign * at.eye_x, at.eye_y, at.eye_z], -1)[:, :, None]
        out = near - centre
        reach = out.norm(dim=-1, keepdim=True)
        inside = (reach < LID) & (out[..., 2:] > 0)
        near = torch.where(inside, centre + out * (LID / reach.clamp(min=0.3)), near)
    return torch.cat([skin[:, : rows.start], near, skin[:, rows.stop :]], 1)


@dataclass(frozen=True)
class _Slit:
    """Where two edges may touch: rows that follow the upper and the lower one, and the columns between its corners."""

    upper: str
    lower: str
    above: float  # rows over which the upper edge's shift fades
    below: float
    columns: tuple[int, int]


_LIDS = _Slit("lid_up", "lid_low", 6.0, 4.0, (COLUMN["inner"], COLUMN["outer"]))
_LIPS = _Slit("seam_up", "seam_low", 7.0, 6.0, (0, COLUMN["mouth"]))


def _parted(skin: Tensor, slit: _Slit) -> Tensor:
    """Edges may touch but not pass through each other: what overlaps is shared between both."""
    upper, lower = ROW[slit.upper], ROW[slit.lower]
    overlap = (skin[:, lower, :, 1] - skin[:, upper, :, 1]).clamp(min=0) / 2
    if not bool((overlap > 0).any()):
        return skin
    side = torch.arange(-HALF, HALF + 1, device=skin.device).abs()
    columns = (side >= slit.columns[0]) & (side <= slit.columns[1])
    row = torch.arange(ROWS, dtype=skin.dtype, device=skin.device)
    above = smoothstep(upper - slit.above, upper, row) * (row <= upper)
    below = smoothstep(lower + slit.below, lower, row) * (row >= lower)
    shift = (above - below)[None, :, None] * (overlap * columns)[:, None]
    return torch.cat([skin[..., :1], skin[..., 1:2] + shift[..., None], skin[..., 2:]], -1)
