"""A photograph with its fitted head, prepared once and warped many times."""

from collections.abc import Mapping
from functools import cached_property

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d, normalize

from faceforge.errors import BadPicture
from faceforge.face3d.camera import Perspective
from faceforge.face3d.embedded.curves import smoothstep
from faceforge.face3d.embedded.grid import COLUMNS, ROWS
from faceforge.face3d.embedded.model import EmbeddedHead, Person
from faceforge.face3d.embedded.topology import first_vertices
from faceforge.face3d.fitted import HeadFit
from faceforge.face3d.head import HeadParams
from faceforge.face3d.mesh import even_normals
from faceforge.face3d.raster import rasterize
from faceforge.warp.anatomy import INNER, faces_of, twins, vertices_of
from faceforge.warp.levels import in_floats, looked_up
from faceforge.warp.posed import Posed, Seen, level, visible
from faceforge.warp.spread import continued, grown, nearness, outline
from faceforge.warp.window import Window, pixels

HAIR_CM = 5.0  # beyond the fitted head, which has none
_RIM = 2  # grid points
STILL = 0.02  # pixels: less motion than this is none
FINEST = 640  # grid points to a side of the window: motion is smooth, and pixels are read at full resolution


class Plate:
    """A picture (3, H, W), of 8 or 16 bits or in 0..1, the head fitted to it, and what the two say of each other."""

    def __init__(self, picture: Tensor, fit: HeadFit, head: EmbeddedHead | None = None) -> None:
        if tuple(picture.shape) != (3, *fit.size):
            raise BadPicture(
                f"A picture of shape {tuple(picture.shape)} and a head fitted to (3, {fit.size[0]}, {fit.size[1]}). "
                f"Fit the head to this picture."
            )
        self.picture, self.fit = picture, fit
        self.head = head or EmbeddedHead()
        self.person: Person = self.head.of(fit.params.identity)
        self.at_rest = self.posed(fit.params)
        self.window = Window.around(self._solid(self.at_rest), fit.size, FINEST)
        if min(self.window.height, self.window.width, *self.window.grid) < 8:
            raise BadPicture("The fitted head lies outside the picture. Fit it again, with the face in view.")

    def posed(self, params: HeadParams) -> Posed:
        """The person of the photograph in some pose."""
        mesh = self.head.placed(self.person, self._formed(params), params)
        vertices = mesh.vertices.float()
        points = pixels(self.fit.camera.project(mesh.vertices, self.fit.size), self.fit.size)[0].float()
        return Posed(vertices[0], points, even_normals(vertices, self.head.faces)[0])

    def _formed(self, params: HeadParams) -> Tensor:
        """The person in an expression; the photograph's own, which a head that only turns keeps, is formed once."""
        own = self.fit.params
        if any(getattr(params, name) is not getattr(own, name) for name in ("expression", "jaw", "eyes", "eyelids")):
            return self.head.formed(self.person, params)
        return self._formed_at_rest

    @cached_property
    def _formed_at_rest(self) -> Tensor:
        return self.head.formed(self.person, self.fit.params)

    def seen(self, posed: Posed, window: Window) -> Seen:
        """What a part of the window shows of it."""
        faces = visible(window.on_grid(posed.points[:, :2]), self.head.faces, self.skin, window.grid)
        mesh = window.ndc(posed.points[None]), self.head.faces.index_select(0, faces)
        fragments, (rows, columns) = rasterize(*mesh, window.raster), window.grid
        found = fragments.pix_to_face[0, :rows, :columns].reshape(-1)
        flat = (found >= 0).nonzero().squeeze(1)
        face = faces.index_select(0, found.index_select(0, flat))
        weights = fragments.bary[0, :rows, :columns].reshape(-1, 3).index_select(0, flat)
        return Seen(flat, face, self.head.faces.index_select(0, face), weights, window.grid)

    @cached_property
    def skin(self) -> Tensor:
        """Which faces (F,) are skin, which hides its back."""
        return faces_of(self.head, ("skin", "ear"))

    @cached_property
    def shown_at_rest(self) -> Seen:
        """What the grid shows of the photograph's own head."""
        return self.seen(self.at_rest, self.window)

    @cached_property
    def depth(self) -> Tensor:
        """Of the photograph's own head on the grid (h, w); -1 beside it."""
        seen = self.shown_at_rest
        return seen.spread(seen.mixed(self.at_rest.points[:, 2:])[:, 0] + 1) - 1

    @cached_property
    def farthest(self) -> Tensor:
        """The deepest around each grid point (h, w): where the head falls away, one point aside is much deeper."""
        return max_pool2d(self.depth[None, None], 3, stride=1, padding=1)[0, 0]

    @cached_property
    def core(self) -> Tensor:
        """The photograph's own head on the grid (h, w), without the rim where fitting and the photograph may differ."""
        return (~grown(self.depth < 0, _RIM)).float()

    @cached_property
    def edge(self) -> Tensor:
        """The outline of the photograph's own head on the grid (h, w)."""
        return outline(self.depth >= 0)

    @cached_property
    def colours(self) -> Tensor:
        """The picture (3, h, w) at the grid's points."""
        y, x = (self.window.centres()[:, 0, 1].long(), self.window.centres()[0, :, 0].long())
        return in_floats(self.picture[:, y[:, None], x])

    @cached_property
    def around_openings(self) -> Tensor:
        """Eyes and mouth as the photograph shows them, with lashes and lips' edges, on the grid (h, w)."""
        shown = (self.openings["eye"] > 0) | (self.openings["mouth"] > 0)
        return grown(shown, max(2, round(0.2 * self.points_per_cm))).float()

    @cached_property
    def openings(self) -> Mapping[str, Tensor]:
        """Where the photograph shows an eye, and where the mouth's inside, on the grid (h, w) each."""
        seen = self.shown_at_rest
        return {kind: seen.spread(faces[seen.face].float()) for kind, faces in self.inner.items()}

    def facing(self, posed: Posed) -> Tensor:
        """How squarely each vertex faces the camera, (V,): the cosine between its normal and the view."""
        return (posed.normals * normalize(self._eye() - posed.vertices, dim=1)).sum(1)

    @cached_property
    def belongs(self) -> Tensor:
        """How much each grid point (h, w) belongs to the head: hair beside the fitted head is known by its colour."""
        inside = self.depth >= 0
        per_cm, colours = self.points_per_cm, self.colours
        head = continued(colours, inside.float())
        behind = continued(colours, 1 - nearness(inside, HAIR_CM * per_cm, 1.5 * HAIR_CM * per_cm))
        from_head, from_behind = ((colours - each).square().sum(0) + 1e-4 for each in (head, behind))
        likely = smoothstep(0.6, 0.9, from_behind / (from_head + from_behind))
        likely = avg_pool2d(likely[None, None], 7, stride=1, padding=3)[0, 0]
        return torch.where(inside, 1.0, likely * nearness(inside, 0.6 * HAIR_CM * per_cm, HAIR_CM * per_cm))

    def read(self, places: Tensor) -> Tensor:
        """Colours (3, N) of the photograph at places (N, 2) in pixels."""
        return looked_up(self.picture, places[None])[:, 0]

    def looked_up(self, values: Tensor, places: Tensor, *, mode: str = "bilinear") -> Tensor:
        """Values on the grid (h, w) at places (n, m, 2) in pixels."""
        return self.window.read(values[None], places, mode=mode)[0]

    @cached_property
    def shown(self) -> Tensor:
        """How squarely each vertex faces the camera in the photograph, (V,)."""
        return self.facing(self.at_rest)

    @cached_property
    def level(self) -> Tensor:
        """What the photograph's light makes of its vertices, (V, 3)."""
        return level(self.at_rest.normals, self.fit.light)

    @cached_property
    def inner(self) -> Mapping[str, Tensor]:
        """Which faces (F,) are eyes, and which the mouth's inside."""
        return {kind: faces_of(self.head, names) for kind, names in INNER.items()}

    def shift(self, posed: Posed) -> Tensor:
        """From where vertices are in a pose to where they are in the photograph, (V, 2) in pixels.

        The mouth's inside goes with its teeth: in a photograph it is they that fill an open mouth.
        """
        shift = (self.at_rest.points - posed.points)[:, :2]
        for jaw, others in (("teeth_up", ("lining_up",)), ("teeth_low", ("lining_low", "tongue"))):
            middle = shift[vertices_of(jaw)].mean(0)
            for name in others:
                shift[vertices_of(name)] = middle
        return shift

    @cached_property
    def twins(self) -> Tensor:
        """The vertex (V,) on the other side of the face, or of the eye, that each resembles."""
        return twins().to(self.picture.device)

    @cached_property
    def points_per_cm(self) -> float:
        """Grid points to a centimetre at the eyes."""
        skin = slice(0, ROWS * COLUMNS)
        metres = self.at_rest.vertices[skin, 1].amax() - self.at_rest.vertices[skin, 1].amin()
        seen = self.at_rest.points[skin, 1].amax() - self.at_rest.points[skin, 1].amin()
        return float(seen / metres) / 100 / self.window.step

    def _eye(self) -> Tensor:
        """The camera's place, (3,); far away in front for cameras that have none."""
        camera = self.fit.camera
        if isinstance(camera, Perspective):
            eye: Tensor = -(camera.translation[:, None] @ camera.rotation.mT)[0, 0]
            return eye.float()
        return torch.tensor([0.0, 0.0, 100.0])

    def _solid(self, posed: Posed) -> Tensor:
        """Places of head and neck, without the shoulders."""
        return posed.points[: first_vertices()["shoulders"], :2]
