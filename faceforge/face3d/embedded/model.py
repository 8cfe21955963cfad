"""The embedded head as a HeadModel: identities become people, people make faces."""

from collections.abc import Mapping

import torch
from torch import Tensor

from faceforge.aus import checked, unsided
from faceforge.errors import BadHead
from faceforge.face3d.embedded import parts as part_shapes
from faceforge.face3d.embedded.curves import smoothstep
from faceforge.face3d.embedded.edges import settled, unfolded
from faceforge.face3d.embedded.expression import EXPRESSIONS
from faceforge.face3d.embedded.form import rest
from faceforge.face3d.embedded.grid import COLUMNS, ROWS
from faceforge.face3d.embedded.landmarks import contour68
from faceforge.face3d.embedded.mixing import moves
from faceforge.face3d.embedded.parts import PATCHES
from faceforge.face3d.embedded.person import Person
from faceforge.face3d.embedded.places import NECK, TMJ
from faceforge.face3d.embedded.topology import first_vertices, texture_coordinates, triangles
from faceforge.face3d.embedded.traits import TRAITS, Traits
from faceforge.face3d.head import HeadMesh, HeadParams

__all__ = ["JAW_OPEN", "EmbeddedHead", "Person", "rotation"]

FULL = 5.0  # the FACS intensity at which an expression coefficient is 1
JAW_OPEN = {"AU26": 0.24, "AU27": 0.38}  # radians at full intensity
JAW_WIDEST = 0.42
_CM = 0.01


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
        return self.placed(person, self.formed(person, params), params)

    def formed(self, person: Person, params: HeadParams) -> Tensor:
        """The vertices (B, V, 3) in an expression, in centimetres, before neck and root carry them."""
        pieces = self._assembled(person, self.skin(person, params), params)
        return torch.cat([pieces[name].flatten(1, -2) for name in ("skin", *(each.name for each in PATCHES))], 1)

    def placed(self, person: Person, formed: Tensor, params: HeadParams) -> HeadMesh:
        """Formed vertices where neck and root carry them."""
        weight = neck_weight(formed[..., 1:2])
        weight[:, first_vertices()["shoulders"] :] = 0
        joints = self._joints(person).expand(len(formed), 5, 3)
        above = joints.new_tensor([0.0, 0.0, 1.0, 1.0, 1.0])[:, None]
        vertices = self.carried(formed, params, weight) * _CM
        joints = self.carried(joints, params, above) * _CM
        if params.translation is not None:
            vertices, joints = vertices + params.translation[:, None], joints + params.translation[:, None]
        return HeadMesh(vertices, joints)

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
        # A lid shuts once. A jaw that closes beyond closed would drive the lower lip through the upper one.
        return HeadParams(expression=expression, jaw=jaw.clamp(0, JAW_WIDEST), eyelids=lids.clamp(max=1))

    def landmarks68(self, mesh: HeadMesh) -> Tensor:
        """The iBUG landmarks (B, 68, 3); the jaw contour follows the view down the z axis."""
        return contour68(mesh.vertices[:, : ROWS * COLUMNS].reshape(-1, ROWS, COLUMNS, 3))

    def _assembled(self, person: Person, skin: Tensor, params: HeadParams) -> dict[str, Tensor]:
        at, traits = person.form.at, person.traits
        jaw = torch.zeros(len(skin), 3, dtype=skin.dtype, device=skin.device) if params.jaw is None else params.jaw
        hinge, turn = skin.new_tensor(TMJ), rotation(jaw.double()).mT[:, None]
        mouth = part_shapes.teeth(at)
        for name in ("teeth_low", "tongue"):
            mouth[name] = (mouth[name] - hinge) @ turn + hinge
        ball, _ = part_shapes.eyeball(skin.device)
        eyes = {}
        for index, (side, sign) in enumerate((("left", 1), ("right", -1))):
            gaze = torch.zeros_like(jaw) if params.eyes is None else params.eyes[:, index]
            centre = torch.cat([sign * at.eye_x, at.eye_y, at.eye_z], -1)[:, :, None]
            eyes[f"eye_{side}"] = ball @ rotation(gaze.double()).mT[:, None] + centre
        ears = part_shapes.ears(traits, person.form.skin)
        pieces = {"skin": skin, **part_shapes.rims(at, skin), **part_shapes.lining(skin), **mouth, **eyes, **ears}
        pieces["shoulders"] = part_shapes.shoulders(traits)
        return {name: each.expand(len(skin), *each.shape[1:]) for name, each in pieces.items()}

    def skin(self, person: Person, params: HeadParams) -> Tensor:
        """The skin in an expression, (B, ROWS, COLUMNS, 3) in centimetres, before neck and root carry it."""
        count = max([len(each) for each in vars(params).values() if each is not None] + [len(person.form.skin)])
        skin = person.form.skin.expand(count, -1, -1, -1)
        for coefficient, move in moves(person, params):
            skin = skin + coefficient[:, None, None, None] * move
        skin = settled(person.form, skin)
        if params.jaw is not None:
            hinge = skin.new_tensor(TMJ)
            turned = (skin - hinge) @ rotation(params.jaw.double()).mT[:, None] + hinge
            skin = skin + person.jaw_weight * (turned - skin)
        return unfolded(person.form.skin, skin)

    def carried(self, points: Tensor, params: HeadParams, weight: Tensor | None = None) -> Tensor:
        """Resting points (B, N, 3) in centimetres as neck and root carry them; weight (B, N, 1) is the neck's."""
        if params.neck is not None:
            hinge = points.new_tensor(NECK)
            weight = neck_weight(points[..., 1:2]) if weight is None else weight
            turned = (points - hinge) @ rotation(params.neck.double()).mT + hinge
            points = points + weight * (turned - points)
        return points if params.rotation is None else points @ rotation(params.rotation.double()).mT

    def _joints(self, person: Person) -> Tensor:
        at = person.form.at
        left = torch.cat([at.eye_x, at.eye_y, at.eye_z], -1)
        fixed = left.new_tensor([(0.0, 0.0, 0.0), NECK, TMJ]).expand(len(left), 3, 3)
        return torch.cat([fixed, left, left * left.new_tensor([-1.0, 1.0, 1.0])], 1)


def neck_weight(y: Tensor) -> Tensor:
    """How much the neck carries what rests at a height: nothing at the collar, all above the jaw."""
    return smoothstep(-12.5, -7.5, y)


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
        if not len(value):
            raise BadHead(f"Head parameter {name!r} has no rows. Give one per head, or leave it out.")
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
