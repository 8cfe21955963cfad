"""People, poses, lights and cameras become linear light, coverage and exact maps; batched, on any device.

Geometry is computed in double precision and snapped to a fine grid before it is rasterised: every machine then sees the
same triangles, and what remains of rounding is far below a grey level.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, normalize

from faceforge.face3d.embedded.curves import smoothstep
from faceforge.face3d.embedded.grid import COLUMN, COLUMNS, HALF, ROW, ROWS
from faceforge.face3d.embedded.model import EmbeddedHead, rotation
from faceforge.face3d.embedded.model import Person as Bones
from faceforge.face3d.embedded.topology import first_vertices
from faceforge.face3d.head import HeadMesh, HeadParams
from faceforge.face3d.mesh import even_normals
from faceforge.face3d.raster import Fragments, rasterize
from faceforge.synth import glasses as spectacles
from faceforge.synth import hair, shading, skin
from faceforge.synth.atlas import atlas
from faceforge.synth.fixtures import assembled
from faceforge.synth.occlusion import openness, towards
from faceforge.synth.person import Person
from faceforge.synth.pixels import Pixels, covered, textured
from faceforge.synth.shading import Lamps
from faceforge.synth.shots import Camera, Light, seen_by

SUPERSAMPLING = 2
PART_NAMES = ("background", "skin", "eye", "mouth", "ear", "clothes", "hair", "occluder")
_PART_OF = {"skin": 1, "rim": 2, "eye": 2, "lining": 3, "teeth": 3, "tongue": 3, "ear": 4, "shoulders": 5}
_FINE = 256  # subdivisions of a pixel that positions are snapped to
_STRANDS = (96, 384)
_SHELLS = ((0.78, 1.0, 0.72), (1.0, 0.7, 1.0))  # share of the thickness, opacity, brightness


@dataclass(frozen=True)
class Cast:
    """People whose textures are painted: what is worth doing once per person."""

    people: Sequence[Person]
    bones: Bones
    sheet: Tensor  # (P, 5, h, w) albedo, relief, gloss
    folds: Tensor  # (K, h, w) wrinkles of the units in skin.FOLDS
    strands: Tensor  # (P, 2, h, w) brightness, cover
    hair: Tensor  # (P, 3) colour
    lashes: Tensor  # (P,)
    shells: tuple[Tensor, ...]  # (P, N, 3) at rest, inner and outer
    glasses: Tensor  # (P, N, 3) at rest


@dataclass(frozen=True)
class Rendering:
    """B pictures (B, ..., H, W) in linear light and what they show."""

    light: Tensor  # (B, 3, H, W), weighted by coverage
    coverage: Tensor  # (B, 1, H, W)
    depth: Tensor  # (B, H, W) centimetres from the camera, 0 where nothing is
    normals: Tensor  # (B, 3, H, W) x right, y up, z to the camera
    parts: Tensor  # (B, H, W) int64, index into PART_NAMES
    mesh: HeadMesh


@dataclass(frozen=True)
class Shots:
    """B pictures to take: who, in which pose, with which wrinkles folded, by which camera, under which light."""

    who: Sequence[int]
    poses: HeadParams
    folds: Tensor  # (B, K) in 0..1
    cameras: Sequence[Camera]
    lights: Sequence[Light]


def cast(people: Sequence[Person], high: int, device: torch.device) -> Cast:
    """Paints people at a texture height in texels."""
    place = atlas(high, device)
    blank = torch.zeros(len(people), *place.x.shape, device=device)
    canvas = skin.Canvas(
        atlas=place,
        people=people,
        albedo=blank[:, None].expand(-1, 3, -1, -1),
        relief=blank,
        gloss=blank,
        seed=torch.tensor([person.noise for person in people], device=device),
    )
    traits = torch.tensor([person.traits for person in people], dtype=torch.float64, device=device)
    bones = EmbeddedHead(device).of(traits)
    return Cast(
        people=people,
        bones=bones,
        sheet=assembled(skin.painted(canvas)),
        folds=torch.stack([fold(place) for fold in skin.FOLDS.values()]),
        strands=torch.stack(hair.strands(people, _STRANDS, device), 1),
        hair=torch.tensor([person.hair for person in people], device=device),
        lashes=torch.tensor([person.lashes for person in people], device=device),
        glasses=spectacles.points(people, bones.form),
        shells=tuple(hair.shells(people, bones.form.skin, share).flatten(1, 2) for share, _, _ in _SHELLS),
    )


def render(crew: Cast, shots: Shots, size: int) -> Rendering:
    """One square picture per shot."""
    stage = _staged(crew, shots, size * SUPERSAMPLING)
    picture = _lashed(stage, _solid(stage))
    if any(crew.people[each].glasses != "none" for each in shots.who):
        picture = _spectacled(stage, picture)
    for number in range(len(_SHELLS)):
        picture = _haired(stage, picture, number)
    opacity = picture.opacity[:, None]
    return Rendering(
        light=avg_pool2d(picture.colour.permute(0, 3, 1, 2) * opacity, SUPERSAMPLING),
        coverage=avg_pool2d(opacity, SUPERSAMPLING),
        depth=picture.depth[:, ::SUPERSAMPLING, ::SUPERSAMPLING],
        normals=avg_pool2d(picture.normals.permute(0, 3, 1, 2), SUPERSAMPLING),
        parts=picture.parts[:, ::SUPERSAMPLING, ::SUPERSAMPLING],
        mesh=stage.mesh,
    )


@dataclass(frozen=True)
class _Stage:
    """One batch, posed and lit."""

    crew: Cast
    index: Tensor  # (B,) into the cast
    shots: Shots
    pixels: int  # of one side
    head: EmbeddedHead
    mesh: HeadMesh
    vertices: Tensor  # (B, V, 3) centimetres
    sheet: Tensor  # (B, 5, h, w), wrinkles folded
    reach: Tensor  # (B, V, L + 1) how much of each lamp and of the sky arrives
    lamps: Lamps

    def fragments(self, points: Tensor, faces: Tensor) -> Fragments:
        """What the cameras see of points (B, N, 3) in centimetres."""
        view = seen_by(self.shots.cameras, points.double())
        steps = self.pixels * _FINE / 2
        # A quarter of a step aside, no edge passes exactly through a pixel's centre.
        flat = (torch.round(view[..., :2] * steps) + 0.25) / steps
        snapped = torch.cat([flat, torch.round(view[..., 2:] * 4096) / 4096], -1).float()
        return rasterize(snapped, faces, (self.pixels, self.pixels))


@dataclass(frozen=True)
class _Picture:
    """A picture being made, (B, H, W, ...)."""

    colour: Tensor
    opacity: Tensor
    depth: Tensor
    normals: Tensor
    parts: Tensor

    def nearer(self, pixels: Pixels, slack: float) -> Tensor:
        there = pixels.read(self.depth)
        return (there == 0) | (pixels.depth < there + slack)

    def layered(self, pixels: Pixels, colour: Tensor, opacity: Tensor, part: int | None = None) -> "_Picture":
        """A translucent layer (N, 3) at an opacity (N,) over what is there."""
        flat = self.colour.flatten(0, 2).index_select(0, pixels.flat)
        under = pixels.read(self.opacity)
        cover = opacity + (1 - opacity) * under
        blended = (colour * opacity[:, None] + flat * (under * (1 - opacity))[:, None]) / cover.clamp(min=1e-6)[:, None]
        parts = pixels.read(self.parts)
        parts = parts if part is None else torch.where(opacity > 0.5, part, parts)
        return _Picture(
            pixels.write(blended, self.colour),
            pixels.write(cover, self.opacity),
            self.depth,
            self.normals,
            pixels.write(parts, self.parts),
        )


def _staged(crew: Cast, shots: Shots, pixels: int) -> _Stage:
    device = crew.sheet.device
    index = torch.tensor(shots.who, device=device)
    head = EmbeddedHead(device)
    mesh = head.pose(crew.bones.chosen(index), shots.poses)
    vertices = (mesh.vertices * 100).float()
    lamps = Lamps(
        torch.tensor([light.directions for light in shots.lights], device=device),
        torch.tensor([light.colours for light in shots.lights], device=device),
        torch.tensor([light.sky for light in shots.lights], device=device),
    )
    return _Stage(
        crew=crew,
        index=index,
        shots=shots,
        pixels=pixels,
        head=head,
        mesh=mesh,
        vertices=vertices,
        sheet=_folded(crew, index, shots.folds),
        reach=_reach(vertices, lamps, shots.poses),
        lamps=lamps,
    )


def _folded(crew: Cast, index: Tensor, folds: Tensor) -> Tensor:
    """Each person's sheet with the wrinkles of an expression, darker and deeper."""
    sheet = crew.sheet[index]
    used = (folds != 0).any(0).nonzero().squeeze(1)
    if len(used):
        depth = torch.einsum("bk,khw->bhw", folds[:, used].to(sheet), crew.folds[used])
        width = depth.shape[-1]
        sheet[:, :3, :, :width] *= (1 - 0.26 * depth.clamp(max=1.2))[:, None]
        sheet[:, 3, :, :width] -= 0.085 * depth
    return sheet


def _reach(vertices: Tensor, lamps: Lamps, poses: HeadParams) -> Tensor:
    """How much of each lamp and of the sky reaches every vertex, (B, V, L + 1)."""
    turn = torch.eye(3, dtype=torch.float64, device=vertices.device).expand(len(vertices), 3, 3)
    for each in (poses.neck, poses.rotation):
        if each is not None:
            turn = rotation(each.double()) @ turn
    shadow = towards(lamps.directions @ turn.float())  # in the head's own frame
    reach = torch.cat([shadow, openness(vertices.device).expand(len(vertices), 1, -1)], 1)
    reach[..., first_vertices()["rim_up_right"] : first_vertices()["ear_right"]] = 1  # shaded by a rule of their own
    return (reach * _inner_shade(vertices)[:, None]).transpose(1, 2)


def _inner_shade(vertices: Tensor) -> Tensor:
    """Eyes darken under the upper lid, the mouth with its depth, (B, V)."""
    shade, starts = torch.ones(vertices.shape[:2], device=vertices.device), first_vertices()
    grid = vertices[:, : ROWS * COLUMNS].reshape(-1, ROWS, COLUMNS, 3)
    for side, sign in (("right", -1), ("left", 1)):
        ball = slice(starts[f"eye_{side}"], starts[f"eye_{side}"] + 13 * 32)
        lid = grid[:, ROW["lid_up"], HALF + sign * (COLUMN["inner"] + COLUMN["outer"]) // 2]
        edge = lid[:, None, 1] - 0.10 * (vertices[:, ball, 0] - lid[:, None, 0]).square()
        shade[:, ball] = 0.38 + 0.62 * smoothstep(-0.02, 0.42, edge - vertices[:, ball, 1])
    mouth = slice(starts["lining_up"], starts["eye_right"])
    above, below = grid[:, ROW["seam_up"], HALF], grid[:, ROW["seam_low"], HALF]
    deep = (0.5 * (above + below)[:, None] - vertices[:, mouth]).norm(dim=-1)
    wide = smoothstep(0.1, 2.0, (above - below).norm(dim=-1))[:, None]
    shade[:, mouth] = smoothstep(6.0, 0.3, deep) * (0.35 + 0.65 * wide)
    return shade


def _solid(stage: _Stage) -> _Picture:
    """Skin, eyes, mouth, ears and clothes."""
    head = stage.head
    fragments = stage.fragments(stage.vertices, head.faces)
    pixels = covered(fragments, head.faces, stage.vertices.shape[1])
    uv = head.uv.float()[None].expand(len(stage.vertices), -1, -1)
    normals = even_normals(stage.vertices, head.faces)
    here = pixels.mixed(torch.cat([normals, uv, stage.reach], -1))
    smooth = normalize(here[:, :3], dim=-1)
    texel = textured(stage.sheet, pixels.picture, torch.stack([here[:, 3], 1 - here[:, 4]], 1))
    fine = _tilted(stage, pixels, smooth, texel[:, 3])
    colour = shading.skin(stage.lamps, pixels, texel[:, :3], fine, smooth, here[:, 5:], texel[:, 4])
    shape = pixels.shape
    blank = torch.zeros(*shape, device=colour.device)
    table = torch.zeros(len(head.faces), dtype=torch.int64, device=colour.device)
    for name, faces in head.parts.items():
        table[faces] = _PART_OF[name.split("_")[0]]
    face = fragments.pix_to_face.reshape(-1).index_select(0, pixels.flat) % len(head.faces)
    wide = torch.zeros(*shape, 3, device=colour.device)
    return _Picture(
        colour=pixels.write(colour, wide),
        opacity=pixels.write(torch.ones_like(pixels.depth), blank),
        depth=pixels.write(pixels.depth, blank),
        normals=pixels.write(fine, wide),
        parts=pixels.write(table[face], torch.zeros(*shape, dtype=torch.int64, device=colour.device)),
    )


def _tilted(stage: _Stage, pixels: Pixels, normals: Tensor, relief: Tensor) -> Tensor:
    """Normals tilted by the slope of the relief, read between neighbouring pixels."""
    batch, height, width = pixels.shape
    field = pixels.write(relief, torch.zeros(batch, height, width, device=relief.device))
    there = pixels.write(torch.ones_like(relief), torch.zeros_like(field))
    half = torch.tensor([camera.half_extent for camera in stage.shots.cameras], device=relief.device)
    scale = (width / 2 / half / 2)[:, None, None]
    across, down = torch.zeros_like(field), torch.zeros_like(field)
    across[:, :, 1:-1] = (field[:, :, 2:] - field[:, :, :-2]) * (there[:, :, 2:] * there[:, :, :-2])
    down[:, 1:-1] = (field[:, 2:] - field[:, :-2]) * (there[:, 2:] * there[:, :-2])
    x, y = pixels.read(across * scale), pixels.read(-down * scale)
    return normalize(normals - torch.stack([x, y, torch.zeros_like(x)], 1).clamp(-0.8, 0.8), dim=-1)


def _haired(stage: _Stage, picture: _Picture, number: int) -> _Picture:
    """One shell of hair over the picture, where it is nearer than what is there."""
    _, strength, brightness = _SHELLS[number]
    points = stage.head.carried(stage.crew.shells[number][stage.index], stage.shots.poses)
    faces, device = hair.shell_faces().to(points.device), points.device
    pixels = covered(stage.fragments(points, faces), faces, points.shape[1])
    pixels = pixels.kept(picture.nearer(pixels, 0.05))
    uv = hair.shell_uv().to(device)[None].expand(len(points), -1, -1)
    here = pixels.mixed(torch.cat([even_normals(points.float(), faces), uv], -1))
    normals = normalize(here[:, :3], dim=-1)
    tone, cover = textured(stage.crew.strands, pixels.of_picture(stage.index), here[:, 3:]).unbind(1)
    if number:  # the outer shell is wisps; seen edge-on it would be a line in the air
        cover = cover * strength * smoothstep(0.30, 0.62, tone) * smoothstep(0.10, 0.45, normals[:, 2].abs())
    body = pixels.of_picture(stage.crew.hair[stage.index]) * (brightness * (0.35 + 1.15 * tone))[:, None]
    return picture.layered(
        pixels, shading.hair(stage.lamps, pixels, body, normals, tone), cover, PART_NAMES.index("hair")
    )


def _lashed(stage: _Stage, picture: _Picture) -> _Picture:
    """Upper lashes, drawn as dark combs."""
    strips = hair.lash_strips(stage.vertices[:, : ROWS * COLUMNS].reshape(-1, ROWS, COLUMNS, 3))
    rows, count = strips.shape[2:4]
    points, faces = strips.flatten(1, 3), hair.comb_faces(rows, count).to(strips.device)
    pixels = covered(stage.fragments(points, faces), faces, points.shape[1])
    pixels = pixels.kept(picture.nearer(pixels, 0.08))
    along, out = pixels.mixed(hair.comb_uv(rows, count).to(points)[None].expand(len(points), -1, -1)).unbind(1)
    comb = 0.55 + 0.45 * torch.sin(along * 95.0 + 3.0 * torch.sin(along * 31.0))
    opacity = 0.95 * pixels.of_picture(stage.crew.lashes[stage.index]) * smoothstep(1.0, 0.25, out) * comb
    return picture.layered(pixels, torch.full((len(out), 3), 0.006, device=out.device), opacity)


def _spectacled(stage: _Stage, picture: _Picture) -> _Picture:
    """Glasses where they are worn: frames, and lenses that mirror a little."""
    crew, faces = stage.crew, spectacles.faces().to(stage.vertices.device)
    points = stage.head.carried(crew.glasses[stage.index], stage.shots.poses)
    pixels = covered(stage.fragments(points, faces), faces, points.shape[1])
    pixels = pixels.kept(picture.nearer(pixels, 0.0))
    people = [crew.people[each] for each in stage.shots.who]
    table = torch.tensor([(spectacles.SHAPES[each.glasses][4], *each.glasses_colour) for each in people])
    lens, colour = (pixels.of_picture(part.to(points.device)) for part in (table[:, 0], table[:, 1:]))
    solid = spectacles.solid().to(points.device)[None, :, None].expand(len(points), -1, 1).contiguous()
    frame = smoothstep(0.93, 0.97, pixels.mixed(solid)[:, 0])
    normals = normalize(pixels.mixed(even_normals(points.float(), faces)), dim=-1)
    normals = normals * torch.where(normals[:, 2:] < 0, -1.0, 1.0)
    tone = torch.full_like(lens, 0.6)
    lit = shading.hair(stage.lamps, pixels, colour + 0.01, normals, tone)
    mirrored = torch.lerp(0.02 + 0.25 * shading.sky(stage.lamps, pixels, normals), lit, frame[:, None])
    return picture.layered(pixels, mirrored, (lens + (1 - lens) * frame) * (lens > 0))
