"""What lies over the face: lashes, hair, glasses; each a function from one picture to the next."""

import torch
from torch import Tensor
from torch.nn.functional import normalize

from faceforge.face3d.embedded.curves import smoothstep
from faceforge.face3d.embedded.grid import COLUMNS, ROWS
from faceforge.face3d.mesh import even_normals
from faceforge.synth import collars, lashes, shading, styles
from faceforge.synth import glasses as spectacles
from faceforge.synth.hair import Coat
from faceforge.synth.pixels import covered, textured
from faceforge.synth.stage import Picture, Stage

CLOTHES, HAIR = 5, 6  # their numbers among the parts


def collared(stage: Stage, picture: Picture) -> Picture:
    """Cloth around the neck."""
    if not any(stage.crew.people[each].garment in collars.COLLARS for each in stage.shots.who):
        return picture
    places, colours = (each[stage.index] for each in stage.crew.collars)
    points, faces = stage.head.carried(places, stage.shots.poses), collars.faces().to(places.device)
    pixels = covered(stage.fragments(points, faces), faces, points.shape[1])
    pixels = pixels.kept(picture.nearer(pixels, 0.0))
    here = pixels.mixed(torch.cat([even_normals(points.float(), faces), colours], -1))
    normals = normalize(here[:, :3], dim=-1)
    inside = normals[:, 2:] < 0
    normals = torch.where(inside, -normals, normals)
    lit = shading.cloth(stage.lamps, pixels, here[:, 3:], normals)
    picture = picture.layered(pixels, torch.where(inside, 0.4 * lit, lit), torch.ones_like(pixels.depth))
    return picture.solid(pixels, normals, CLOTHES)


def lashed(stage: Stage, picture: Picture) -> Picture:
    """Upper lashes, drawn as dark combs."""
    strips = lashes.strips(stage.vertices[:, : ROWS * COLUMNS].reshape(-1, ROWS, COLUMNS, 3))
    rows, count = strips.shape[2:4]
    points, faces = strips.flatten(1, 3), lashes.comb_faces(rows, count).to(strips.device)
    pixels = covered(stage.fragments(points, faces), faces, points.shape[1])
    pixels = pixels.kept(picture.nearer(pixels, 0.08))
    along, out = pixels.mixed(lashes.comb_uv(rows, count).to(points)[None].expand(len(points), -1, -1)).unbind(1)
    comb = 0.55 + 0.45 * torch.sin(along * 95.0 + 3.0 * torch.sin(along * 31.0))
    opacity = 0.95 * pixels.of_picture(stage.crew.lashes[stage.index]) * smoothstep(1.0, 0.25, out) * comb
    return picture.layered(pixels, torch.full((len(out), 3), 0.006, device=out.device), opacity)


def capped(stage: Stage, picture: Picture) -> Picture:
    """The body of the hair."""
    return _haired(stage, picture, stage.crew.cap, stage.cap, 0.05)


def locked(stage: Stage, picture: Picture) -> Picture:
    """Locks over it."""
    points = stage.head.carried(stage.crew.locks.points[stage.index], stage.shots.poses)
    return _haired(stage, picture, stage.crew.locks, points, 0.0)


def _haired(stage: Stage, picture: Picture, coat: Coat, points: Tensor, slack: float) -> Picture:
    """One coat of hair over the picture, where it is nearer than what is there."""
    pixels = covered(stage.fragments(points, coat.faces), coat.faces, points.shape[1])
    pixels = pixels.kept(picture.nearer(pixels, slack))
    here = pixels.mixed(_carried(stage, coat, points))
    normals, along = normalize(here[:, :3], dim=-1), normalize(here[:, 3:6], dim=-1)
    end, across = here[:, 8], here[:, 9]
    tone = textured(stage.crew.strands, pixels.of_picture(stage.index), here[:, 6:8])[:, 0]
    people = [stage.crew.people[each] for each in stage.shots.who]
    density = pixels.of_picture(styles.numbers(people, "density", here))
    cover = smoothstep(0.0, 0.4, (1 - end) * coat.firm + (tone - 0.55) * 1.1 + 0.15)
    cover = cover * smoothstep(0.0, 0.5, (1 - across.abs()) * 2.2 + (tone - 0.5) * 1.2)
    thin = density * smoothstep(0.1, 0.6, tone + density - 0.55)
    cover = cover * torch.where(density > 0.99, 1.0, thin)
    curl = pixels.of_picture(styles.numbers(people, "curl", here))
    normals = normalize(normals + along * (1.4 * curl * (tone - 0.5))[:, None], dim=-1)
    inside = smoothstep(-0.10, -0.55, normals[:, 2])[:, None]
    body = pixels.of_picture(stage.crew.hair[stage.index]) * (0.22 + 1.4 * tone)[:, None]
    lit = shading.hair(stage.lamps, pixels, body, normals, along, tone)
    lit = torch.lerp(lit, 0.35 * body * shading.sky(stage.lamps, pixels, -normals), inside)
    normals = torch.where(normals[:, 2:] < 0, -normals, normals)
    picture = picture.layered(pixels, lit, cover)
    chosen = (cover > 0.5).nonzero().squeeze(1)
    return picture.solid(pixels.kept(cover > 0.5), normals.index_select(0, chosen), HAIR)


def _carried(stage: Stage, coat: Coat, points: Tensor) -> Tensor:
    """Normals, directions and comb of a coat whose points are carried to (B, N, 3), float32 (B, N, 10)."""
    tips = [
        stage.head.carried((coat.points + 0.05 * each)[stage.index], stage.shots.poses) - points
        for each in (coat.normals, coat.along)
    ]
    return torch.cat([*tips, coat.comb[stage.index]], -1).float()


def spectacled(stage: Stage, picture: Picture) -> Picture:
    """Glasses where they are worn: frames, and lenses that mirror a little."""
    crew, faces = stage.crew, spectacles.faces().to(stage.vertices.device)
    people = [crew.people[each] for each in stage.shots.who]
    if all(each.glasses == "none" for each in people):
        return picture
    points = stage.head.carried(crew.glasses[stage.index], stage.shots.poses)
    pixels = covered(stage.fragments(points, faces), faces, points.shape[1])
    pixels = pixels.kept(picture.nearer(pixels, 0.0))
    table = torch.tensor([(spectacles.SHAPES[each.glasses][4], *each.glasses_colour) for each in people])
    lens, colour = (pixels.of_picture(part.to(points.device)) for part in (table[:, 0], table[:, 1:]))
    solid = spectacles.solid().to(points.device)[None, :, None].expand(len(points), -1, 1).contiguous()
    frame = smoothstep(0.93, 0.97, pixels.mixed(solid)[:, 0])
    normals = normalize(pixels.mixed(even_normals(points.float(), faces)), dim=-1)
    normals = normals * torch.where(normals[:, 2:] < 0, -1.0, 1.0)
    lit = shading.varnish(stage.lamps, pixels, colour + 0.01, normals)
    mirrored = torch.lerp(0.02 + 0.25 * shading.sky(stage.lamps, pixels, normals), lit, frame[:, None])
    return picture.layered(pixels, mirrored, (lens + (1 - lens) * frame) * (lens > 0))
