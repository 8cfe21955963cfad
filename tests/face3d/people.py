"""People of the embedded head for tests, and what can be measured on their skin. Centimetres."""

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import combinations

import torch
from torch import Tensor

from faceforge.aus import UNITS
from faceforge.face3d.embedded.grid import COLUMN, COLUMNS, HALF, ROW, ROWS, skin_faces
from faceforge.face3d.embedded.model import EmbeddedHead, Person
from faceforge.face3d.embedded.parts import PATCHES
from faceforge.face3d.embedded.topology import first_vertices
from faceforge.face3d.embedded.traits import TRAITS
from faceforge.face3d.head import JOINTS, HeadMesh, HeadParams

CM = 100.0
HEAD = EmbeddedHead()
MIRROR = torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64)


def identities(count: int, seed: int = 0, most: float = 1.9) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    normal = torch.randn(count, len(TRAITS), generator=generator, dtype=torch.float64)
    return (0.85 * normal).clamp(-most, most)


def symmetric(count: int, seed: int) -> Tensor:
    even = torch.tensor([not name.startswith("asym_") for name in TRAITS], dtype=torch.float64)
    return identities(count, seed) * even


def crowd(count: int, *, most: float = 1.9, seed: int = 2) -> Iterator[HeadMesh]:
    """Random people at rest, fifty at a time."""
    for some in identities(count, seed, most).split(50):
        yield HEAD(HeadParams(identity=some))


def skin(mesh: HeadMesh) -> Tensor:
    """The skin as a grid, (B, ROWS, COLUMNS, 3) in cm."""
    return CM * mesh.vertices[:, : ROWS * COLUMNS].unflatten(1, (ROWS, COLUMNS))


def part(mesh: HeadMesh, name: str) -> Tensor:
    """The vertices of one patch, (B, N, 3) in cm."""
    patch = next(each for each in PATCHES if each.name == name)
    first = first_vertices()[name]
    return CM * mesh.vertices[:, first : first + patch.rows * patch.columns]


def faced(mixtures: list[Mapping[str, float]]) -> HeadParams:
    """One row per mixture of units."""
    each = [HEAD.from_aus(mixture) for mixture in mixtures]
    rows = {name: [getattr(one, name) for one in each] for name in ("expression", "jaw", "eyelids")}
    return HeadParams(**{name: torch.cat(row) for name, row in rows.items()})


def making(person: Person, *mixtures: Mapping[str, float]) -> HeadMesh:
    return HEAD.pose(person, faced(list(mixtures)))


@cache
def average() -> Person:
    return HEAD.of()


@cache
def at_rest() -> HeadMesh:
    return HEAD.pose(average(), HeadParams())


def one_hot(size: tuple[int, ...], *place: int, value: float) -> Tensor:
    found = torch.zeros(size, dtype=torch.float64)
    found[place] = value
    return found


def corners(faces: Tensor, vertices: Tensor) -> tuple[Tensor, Tensor]:
    """Middles and area vectors of faces (F, 3) on vertices (B, V, 3), (B, F, 3) each."""
    a, b, c = vertices[:, faces].unbind(2)
    return (a + b + c) / 3, torch.linalg.cross(b - a, c - a) / 2


@cache
def face_triangles() -> Tensor:
    """Triangles of the face (F, 3).

    Left out: the crown's first row, whose ring has no width, the underside of the nose and everything under the chin.
    """
    faces = torch.from_numpy(skin_faces()).long()
    row, column = faces // COLUMNS, (faces % COLUMNS - HALF).abs()
    nose = (row.amin(1) >= ROW["ala"]) & (row.amax(1) <= ROW["subnasal"]) & (column.amax(1) <= COLUMN["inner"])
    return faces[(row.amin(1) > 0) & (row.amax(1) <= ROW["menton"]) & (column.amax(1) <= COLUMN["ear"]) & ~nose]


def turned_inside_out(mesh: HeadMesh) -> Tensor:
    """Skin of the face in cm² that looks into the head, (B,); the rims of parted lips and deep dimples do too."""
    middle, normal = corners(face_triangles(), skin(mesh).flatten(1, 2))
    away = torch.stack([middle[..., 0], (middle[..., 1] - 5).clamp(min=0), middle[..., 2]], -1)
    inward = ((normal * away).sum(-1) < 0) & (middle[..., 0].abs() < 6)
    return (normal.norm(dim=-1) * inward).sum(1)


def folded(mesh: HeadMesh, rest: HeadMesh) -> Tensor:
    """Skin in cm² that a viewer in front sees at rest and that then shows its back, (B,)."""
    _, normal = corners(face_triangles(), skin(mesh).flatten(1, 2))
    _, still = corners(face_triangles(), skin(rest).flatten(1, 2))
    over = (normal[..., 2] < 0) & (still[..., 2] > 0.3 * still.norm(dim=-1))
    return (normal.norm(dim=-1) * over).sum(1)


def lid_edges(mesh: HeadMesh) -> Iterator[tuple[Tensor, Tensor]]:
    """The upper and the lower lid's edge of the left and of the right eye, corner to corner, (B, N, 3)."""
    columns = torch.arange(COLUMN["inner"], COLUMN["outer"] + 1)
    for sign in (1, -1):
        yield tuple(skin(mesh)[:, ROW[name], HALF + sign * columns] for name in ("lid_up", "lid_low"))


def lid_opening(mesh: HeadMesh) -> Tensor:
    """What both pairs of lids leave open, seen from the front, in cm² (B,)."""
    openings = []
    for upper, lower in lid_edges(mesh):
        width = upper[..., 0].diff(dim=1).abs()
        gap = upper[..., 1] - lower[..., 1]
        openings.append((width * (gap[:, 1:] + gap[:, :-1]).abs() / 2).sum(1))
    return openings[0] + openings[1]


def lid_overlap(mesh: HeadMesh) -> Tensor:
    """How far upper lids hang below lower ones anywhere, in cm (B,)."""
    return torch.stack([(lower - upper)[..., 1].amax(1) for upper, lower in lid_edges(mesh)]).amax(0)


def lip_overlap(mesh: HeadMesh) -> Tensor:
    """How far the upper lip hangs below the lower one anywhere, in cm (B,)."""
    lips = slice(HALF - COLUMN["mouth"], HALF + COLUMN["mouth"] + 1)
    return (skin(mesh)[:, ROW["seam_low"], lips, 1] - skin(mesh)[:, ROW["seam_up"], lips, 1]).amax(1)


def to_the_globe(mesh: HeadMesh) -> Tensor:
    """The least distance from the lids' skin to the middle of its eyeball, in cm (B,)."""
    columns = torch.arange(COLUMN["inner"], COLUMN["outer"] + 1)
    lids = slice(ROW["crease"], ROW["bag"] + 1)
    eyes = ((JOINTS.index("left_eye"), 1), (JOINTS.index("right_eye"), -1))
    centres = {sign: CM * mesh.joints[:, joint, None, None] for joint, sign in eyes}
    reach = [(skin(mesh)[:, lids, HALF + sign * columns] - centre).norm(dim=-1) for sign, centre in centres.items()]
    return torch.stack(reach).amin((0, 2, 3))


def pairs() -> list[Mapping[str, float]]:
    return [dict.fromkeys(two, 5.0) for two in combinations(UNITS, 2)]
