"""Pictures of heads that networks are conditioned on: albedo, shading, render, normals and depth.

`View` makes every map as plain numbers. What the releases save of them is in `rigface` and `magicportrait`; `clean` is
what new work should start from. Maps are (B, C, H, W) and 0 where nothing is seen.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from faceforge.errors import BadMesh
from faceforge.face3d.inputs import check_index, check_rows, check_tensor
from faceforge.face3d.light import shade
from faceforge.face3d.raster import Fragments, Rasterizer, interpolate_vertices, rasterize

TEXTURE_SIDE = 256
TEXTURE_COMPONENTS = 50


@dataclass(frozen=True)
class Texture:
    """Pictures, and where on them the corners of faces lie."""

    pixels: Tensor  # (B or 1, C, h, w)
    uv: Tensor  # (T, 2) in 0..1, v up
    uv_faces: Tensor  # (F, 3) into uv

    def __post_init__(self) -> None:
        check_tensor("A texture", self.pixels, ("B", "C", "h", "w"))
        check_tensor("Texture coordinates", self.uv, ("T", 2))
        check_tensor("Faces of a texture", self.uv_faces, ("F", 3))
        check_index("Faces of a texture", self.uv_faces, len(self.uv))
        if not self.pixels.numel():
            raise BadMesh(f"A texture of shape {tuple(self.pixels.shape)}; expected at least one pixel.")


@dataclass(frozen=True)
class View:
    """Meshes that share faces, as one rasterisation saw them."""

    fragments: Fragments
    faces: Tensor

    @classmethod
    def of(
        cls,
        projected: Tensor,
        faces: Tensor,
        size: tuple[int, int],
        *,
        cull_backfaces: bool = False,
        perspective_correct: bool = False,
        rasterizer: Rasterizer = rasterize,
    ) -> "View":
        """The view of projected vertices (B, V, 3) in NDC; `perspective_correct` where a perspective camera did it."""
        found = rasterizer(
            projected, faces, size, cull_backfaces=cull_backfaces, perspective_correct=perspective_correct
        )
        return cls(found, faces)

    @property
    def coverage(self) -> Tensor:
        """1 where a mesh is seen, (B, 1, H, W)."""
        return self.fragments.covered[:, None].to(self.fragments.bary.dtype)

    def attribute(self, values: Tensor, faces: Tensor | None = None) -> Tensor:
        """Values of vertices (B or 1, V, D) as seen, (B, D, H, W); other `faces` (F, 3) may index the values."""
        found = interpolate_vertices(self.fragments, values, self.faces if faces is None else faces)
        return found.permute(0, 3, 1, 2)

    def normals(self, normals: Tensor) -> Tensor:
        """Normals of vertices (B, V, 3) as interpolated, not of unit length, (B, 3, H, W)."""
        return self.attribute(normals)

    def unit_normals(self, normals: Tensor) -> Tensor:
        """The same, of unit length."""
        return F.normalize(self.normals(normals), dim=1)

    def depth(self, z: Tensor) -> Tensor:
        """Depths (B, V) of vertices, rising away from the viewer: 1 at a mesh's nearest vertex, 0 at its farthest."""
        check_tensor("Depths", z, ("B", "V"))
        if not z.shape[1]:
            return torch.zeros_like(self.coverage)
        return self._depth(z, z.amin(1, keepdim=True), z.amax(1, keepdim=True))

    def depth_in_call(self, z: Tensor) -> Tensor:
        """The same with one range for all meshes: MagicPortrait's expression, meant for one at a time."""
        return self._depth(z, z.amin(), z.amax())

    def grid(self, texture: Texture) -> Tensor:
        """Where on the texture each pixel looks, (B, 2, H, W), x right and y down in -1..1."""
        corners = torch.stack([texture.uv[:, 0] * 2 - 1, 1 - texture.uv[:, 1] * 2], 1)
        return self.attribute(corners[None].to(self.fragments.bary), texture.uv_faces)

    def albedo(self, texture: Texture) -> Tensor:
        """The texture, sampled between its pixels, (B, C, H, W)."""
        return self._sampled(texture, "border")

    def albedo_published(self, texture: Texture) -> Tensor:
        """The same with the releases' dark rim: beyond the texture's outermost centres it fades into black."""
        return self._sampled(texture, "zeros")

    def shading(self, normals: Tensor, light: Tensor) -> Tensor:
        """What lights (B or 1, 9, 3) make of normals (B, 3, H, W); as published, unclamped and not 0 outside."""
        return shade(normals.permute(0, 2, 3, 1), light).permute(0, 3, 1, 2)

    def _sampled(self, texture: Texture, beyond: str) -> Tensor:
        if texture.uv_faces.shape != self.faces.shape:
            shapes = f"{tuple(texture.uv_faces.shape)} and {tuple(self.faces.shape)}"
            raise BadMesh(f"Faces of the texture and of the mesh have shapes {shapes}; expected the same.")
        check_rows("A texture", texture.pixels, len(self.fragments.pix_to_face))
        grid = self.grid(texture).permute(0, 2, 3, 1)
        pixels = texture.pixels.to(grid).expand(len(grid), -1, -1, -1)
        return F.grid_sample(pixels, grid, padding_mode=beyond, align_corners=False) * self.coverage

    def _depth(self, z: Tensor, nearest: Tensor, farthest: Tensor) -> Tensor:
        span = farthest - nearest
        # a flat mesh has no range: all of it is nearest
        share = torch.where(span > 0, (farthest - z) / torch.where(span > 0, span, 1), 1)
        return self.attribute(share[..., None])


@dataclass(frozen=True)
class Conditions:
    """What a release is conditioned on, (B, 3, H, W) each, as it looks before it is written to 8 bits."""

    render: Tensor
    normal: Tensor
    depth: Tensor


def published(view: View, z: Tensor, normals: Tensor, texture: Texture, light: Tensor) -> Conditions:
    """All maps as the releases' renderer computes them: signed normals, unclamped light, one depth range per mesh.

    `z` (B, V) are depths and `normals` (B, V, 3) those of the head before the camera.
    """
    normal = view.normals(normals)
    render = view.albedo_published(texture) * view.shading(normal, light)
    return Conditions(render, normal, view.depth(z).expand(-1, 3, -1, -1))


def rigface(view: View, normals: Tensor, texture: Texture, light: Tensor) -> Tensor:
    """RigFace's render in 0..1, (B, 3, H, W)."""
    return (view.albedo_published(texture) * view.shading(view.normals(normals), light)).clamp(0, 1)


def magicportrait(view: View, z: Tensor, normals: Tensor, texture: Texture, light: Tensor) -> Conditions:
    """MagicPortrait's three maps in 0..1: its writer turns what a normal has of negative into 0."""
    raw = published(view, z, normals, texture, light)
    return Conditions(raw.render.clamp(0, 1), raw.normal.clamp(0, 1), raw.depth.clamp(0, 1))


def clean(view: View, z: Tensor, normals: Tensor, texture: Texture, light: Tensor) -> Conditions:
    """The maps in 0..1 without the releases' losses: normals of unit length moved to (n + 1) / 2, no negative light."""
    normal = view.unit_normals(normals)
    shading = view.shading(normal, light).clamp(min=0)
    render = (view.albedo(texture) * shading).clamp(0, 1)
    return Conditions(render, (normal + 1) / 2 * view.coverage, view.depth(z).clamp(0, 1).expand(-1, 3, -1, -1))


def written(maps: Tensor) -> Tensor:
    """Maps as 8 bits, as the releases' picture writer rounds them: x * 255 + 0.5, clamped, cut off."""
    return (maps * 255 + 0.5).clamp(0, 255).to(torch.uint8)


def flame_texture(mean: Tensor, basis: Tensor, coefficients: Tensor) -> Tensor:
    """FLAME's texture space as RGB pictures (B, 3, 256, 256).

    `mean` (512, 512, 3) and `basis` (512, 512, 3, n) are BGR in 0..255 as in its file; `coefficients` are (B, m), of
    which the releases have 50.
    """
    if mean.ndim != 3 or basis.shape[:3] != mean.shape or coefficients.shape[-1] > basis.shape[-1]:
        shapes = ", ".join(str(tuple(each.shape)) for each in (mean, basis, coefficients))
        raise BadMesh(f"A texture space of shapes {shapes}; expected (h, w, 3), (h, w, 3, n) and (B, up to n).")
    check_tensor("Coefficients of a texture", coefficients, ("B", "m"))
    side = mean.shape[0] // TEXTURE_SIDE
    if not side or mean.shape[:2] != (side * TEXTURE_SIDE,) * 2:
        raise BadMesh(
            f"A texture space of shape {tuple(mean.shape)}; expected a square, {TEXTURE_SIDE} pixels or twice."
        )
    mean, basis = mean[::side, ::side], basis[::side, ::side, :, : coefficients.shape[-1]]
    found = mean + torch.einsum("hwcn,bn->bhwc", basis, coefficients)
    return found.permute(0, 3, 1, 2).flip(1) / 255
