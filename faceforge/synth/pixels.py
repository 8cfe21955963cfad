"""The covered pixels of a batch as one list: shading then costs nothing where nothing is."""

from dataclasses import dataclass

import torch
from torch import Tensor

from faceforge.face3d.raster import Fragments


@dataclass(frozen=True)
class Pixels:
    """N covered pixels of B pictures, and the corners (into B * V vertices) that each lies between."""

    shape: tuple[int, int, int]  # B, H, W
    flat: Tensor  # (N,) into B * H * W
    picture: Tensor  # (N,)
    corners: Tensor  # (N, 3)
    weights: Tensor  # (N, 3)
    depth: Tensor  # (N,)

    def mixed(self, attributes: Tensor) -> Tensor:
        """Attributes of vertices (B, V, D) at the pixels, (N, D)."""
        table = attributes.reshape(-1, attributes.shape[-1])
        first, second, third = (table.index_select(0, corner) for corner in self.corners.unbind(1))
        one, two, three = self.weights[:, :1], self.weights[:, 1:2], self.weights[:, 2:]
        return first * one + second * two + third * three

    def kept(self, keep: Tensor) -> "Pixels":
        """Only those pixels for which (N,) is true."""
        chosen = keep.nonzero().squeeze(1)
        parts = (self.flat, self.picture, self.corners, self.weights, self.depth)
        return Pixels(self.shape, *(each.index_select(0, chosen) for each in parts))

    def of_picture(self, values: Tensor) -> Tensor:
        """What belongs to a whole picture (B, ...), for each of its pixels (N, ...)."""
        return values.index_select(0, self.picture)

    def read(self, pictures: Tensor) -> Tensor:
        """Pictures (B, H, W) at the pixels (N,)."""
        return pictures.reshape(-1).index_select(0, self.flat)

    def write(self, values: Tensor, onto: Tensor) -> Tensor:
        """Values (N, ...) put into a copy of pictures (B, H, W, ...)."""
        return onto.flatten(0, 2).index_copy(0, self.flat, values.to(onto.dtype)).view_as(onto)


def covered(fragments: Fragments, faces: Tensor, vertices: int) -> Pixels:
    """The covered pixels of fragments whose meshes have so many vertices each."""
    height, width = fragments.zbuf.shape[1:]
    flat = (fragments.pix_to_face.reshape(-1) >= 0).nonzero().squeeze(1)
    packed = fragments.pix_to_face.reshape(-1).index_select(0, flat)
    picture = packed // len(faces)
    return Pixels(
        shape=(len(fragments.zbuf), height, width),
        flat=flat,
        picture=picture,
        corners=faces.index_select(0, packed - picture * len(faces)) + (picture * vertices)[:, None],
        weights=fragments.bary.reshape(-1, 3).index_select(0, flat),
        depth=fragments.zbuf.reshape(-1).index_select(0, flat),
    )


def textured(sheets: Tensor, picture: Tensor, uv: Tensor) -> Tensor:
    """Sheets (P, C, h, w) at texture coordinates (N, 2), u right and v down in 0..1, bilinear: (N, C)."""
    _, channels, high, wide = sheets.shape
    table = sheets.permute(0, 2, 3, 1).reshape(-1, channels)
    x, y = (uv[:, 0] * wide - 0.5).clamp(0, wide - 1), (uv[:, 1] * high - 0.5).clamp(0, high - 1)
    left, top = x.floor(), y.floor()
    across, down = (x - left)[:, None], (y - top)[:, None]
    right, low = (left + 1).clamp(max=wide - 1).long(), (top + 1).clamp(max=high - 1).long()
    rows, lows = (picture * high + top.long()) * wide, (picture * high + low) * wide

    def at(place: Tensor) -> Tensor:
        return table.index_select(0, place)

    upper = torch.lerp(at(rows + left.long()), at(rows + right), across)
    return torch.lerp(upper, torch.lerp(at(lows + left.long()), at(lows + right), across), down)
