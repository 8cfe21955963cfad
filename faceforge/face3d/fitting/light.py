"""Light and skin of a photograph, by least squares over the skin that the fitted head shows.

Only their product is seen. By convention the light is white on average over the skin that is seen and shades it by 1 on
average, so that the skin's albedo is its mean colour; skin darker or paler than people's is taken as too little or too
much light.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from faceforge.face3d.embedded.grid import COLUMN, COLUMNS, HALF, ROW, ROWS
from faceforge.face3d.embedded.model import EmbeddedHead
from faceforge.face3d.fitting.unknowns import SCALE, Frame, Numbers, camera, head_params
from faceforge.face3d.light import FACTORS, basis
from faceforge.face3d.mesh import vertex_normals

DARKEST, PALEST = 0.16, 0.86  # luminance of people's skin in display values
_LUMA = (0.299, 0.587, 0.114)
_SAMPLE_CM = 0.4  # the picture is smoothed to this, so that pores and hairs are averaged
_FACING = 0.22  # least cosine between normal and view
_ROUNDS = 5
_STIFF = (0.0, 1.0, 1.0, 1.0, 40.0, 40.0, 40.0, 40.0, 40.0)  # pseudo-samples that hold each harmonic at 0
_LEAST_FRONT = 0.3  # of the light from the sides; skin that is seen is hardly ever lit from behind alone
_OUTLIER = 0.10  # of the mean brightness, at which samples begin to fade


@dataclass(frozen=True)
class Lit:
    """Light (1, 9, 3) and albedo (3,); how much of the skin is explained by them."""

    light: Tensor
    albedo: Tensor
    explained: float


@cache
def _skin_places() -> tuple[Tensor, Tensor]:
    """Indices of the grid's vertices on bare skin, and each one's share of the face: forehead, cheeks, nose, chin."""
    row, column = torch.meshgrid(torch.arange(ROWS), torch.arange(-HALF, HALF + 1).abs(), indexing="ij")
    face = (row >= ROW["forehead"]) & (row <= ROW["menton"] - 2) & (column <= COLUMN["temple"] + 1)
    brows = (row >= ROW["brow_top"] - 1) & (row <= ROW["fold"]) & (column >= 3)
    eyes = (row > ROW["fold"]) & (row < ROW["bag"]) & (column >= 6) & (column <= COLUMN["outer"] + 2)
    nostrils = (row >= ROW["nostril"] - 1) & (row <= ROW["subnasal"]) & (column <= 8)
    mouth = (row >= ROW["lip_up"] - 2) & (row <= ROW["lip_low"] + 2) & (column <= COLUMN["mouth"] + 2)
    index = (face & ~brows & ~eyes & ~nostrils & ~mouth).flatten().nonzero().squeeze(1)
    return index, index


def lit(head: EmbeddedHead, picture: NDArray[np.uint8 | np.float32], x: Numbers, frame: Frame) -> Lit:
    """Light and albedo of a picture (H, W, 3) in display values, bytes or 0..1."""
    mesh = head(head_params(x))
    skin = mesh.vertices[:, : ROWS * COLUMNS]
    triangles = head.faces[head.parts["skin"]]
    index, _ = _skin_places()
    normals = vertex_normals(skin, triangles)[0, index]
    towards = F.normalize(-skin[0, index], dim=1)  # the camera stands at the origin
    facing = (normals * towards).sum(1)
    colours, inside = _sampled(picture, camera(x, frame).project(skin[:, index], frame.size)[0], x)
    area = _areas(skin, triangles)[index] * facing
    seen = inside & (facing > _FACING)
    if int(seen.sum()) < 60:
        return Lit(torch.zeros(1, 9, 3, dtype=torch.float64), torch.full((3,), 0.5, dtype=torch.float64), 0.0)
    return _explained(normals[seen], colours[seen], area[seen])


def _sampled(picture: NDArray[np.uint8 | np.float32], places: Tensor, x: Numbers) -> tuple[Tensor, Tensor]:
    """Smoothed colours (N, 3) of a picture at NDC (N, 3), and which of them lie in it."""
    height, width = picture.shape[:2]
    short = min(height, width)
    step = max(1, int(np.exp(x[SCALE]) * _SAMPLE_CM))
    grid = -places[:, :2] * torch.tensor([short / width, short / height], dtype=torch.float64)
    inside = (grid.abs() < 1).all(1)
    block = (grid + 1) / 2 * grid.new_tensor([width / step, height / step])
    first, last = (block.amin(0) - 2).clamp(min=0).long(), (block.amax(0) + 3).clamp(min=3).long()
    (left, top), (right, bottom) = (first * step).tolist(), (last * step).tolist()
    left, top = min(left, (width - 1) // step * step), min(top, (height - 1) // step * step)
    part = torch.tensor(picture[top:bottom, left:right]).permute(2, 0, 1)[None]
    part = part.float() / 255 if part.dtype == torch.uint8 else part
    part = F.avg_pool2d(part, step, ceil_mode=True, count_include_pad=False)
    # whole blocks may reach beyond the border
    share = (block - block.new_tensor([left / step, top / step])) / block.new_tensor([part.shape[3], part.shape[2]])
    found = F.grid_sample(part.double(), (2 * share - 1)[None, None], align_corners=False, padding_mode="border")
    return found[0, :, 0].T, inside


def _areas(skin: Tensor, triangles: Tensor) -> Tensor:
    """Of the skin about each vertex (V,)."""
    first, second, third = (skin[0, corner] for corner in triangles.unbind(1))
    doubled = torch.linalg.cross(second - first, third - first).norm(dim=1)
    total: Tensor = torch.zeros(skin.shape[1], dtype=skin.dtype)
    for corner in triangles.unbind(1):
        total = total.index_add(0, corner, doubled / 6)
    return total


def _explained(normals: Tensor, colours: Tensor, area: Tensor) -> Lit:
    """Robust least squares of colours (N, 3) over the harmonics of normals (N, 3)."""
    luma = colours @ colours.new_tensor(_LUMA)
    share = area / area.mean()
    weight = share * _near_the_skin(colours, luma)
    harmonics = basis(normals)
    stiff = torch.diag(colours.new_tensor(_STIFF) * len(normals) / 1000 * colours.new_tensor(FACTORS).square())
    for _ in range(_ROUNDS):
        weighted = harmonics * weight[:, None]
        product = torch.linalg.solve(weighted.T @ harmonics + stiff, weighted.T @ colours)
        off = (colours - harmonics @ product).norm(dim=1) / luma.median().clamp(min=0.02)
        weight = share / (1 + (off / _OUTLIER) ** 2) ** 2
    product = _from_the_front(product, harmonics, weight)
    shading = harmonics @ product
    colour = (shading * weight[:, None]).sum(0) / weight.sum()
    brightness = float(colour @ colour.new_tensor(_LUMA))
    level = min(max(brightness, DARKEST), PALEST) / max(brightness, 1e-3)
    albedo = (colour * level).clamp(1e-3, 1.0)
    explained = float(((off < 2 * _OUTLIER) * share).sum() / share.sum())
    return Lit((product / albedo)[None], albedo, explained)


def _from_the_front(product: Tensor, harmonics: Tensor, weight: Tensor) -> Tensor:
    """The same brightness (9, 3), but with some light from where the viewer stands: bands 0 and 1 there look alike."""
    front = torch.maximum(product[3], _LEAST_FRONT * product[1:3].norm(dim=0))
    level = (harmonics[:, 3] * weight).sum() / (weight.sum() * harmonics[0, 0])
    found = product.clone()
    found[0] -= (front - product[3]) * level
    found[3] = front
    return found


def _near_the_skin(colours: Tensor, luma: Tensor) -> Tensor:
    """1 for colours like most of them whatever their brightness, 0 for hair, cloth and what else covers a face."""
    tint = colours / luma[:, None].clamp(min=0.02)
    odd = (tint - tint.median(0).values).norm(dim=1)
    dark = (luma.median().clamp(min=0.02) / luma.clamp(min=0.005)).log().clamp(min=0)
    near: Tensor = 1 / (1 + (odd / 0.25) ** 4 + (dark / 0.9) ** 4)
    return near
