"""pytorch3d's rasteriser behind the same protocol, for comparison and for its CUDA kernels; imported when called."""

from torch import Tensor

from faceforge.errors import MissingPackage
from faceforge.face3d.raster import Fragments, check_mesh, check_size


def rasterize(
    vertices: Tensor,
    faces: Tensor,
    size: tuple[int, int],
    *,
    cull_backfaces: bool = False,
    perspective_correct: bool = False,
    z_clip: float | None = None,
) -> Fragments:
    """What `faceforge.face3d.raster.rasterize` returns, found by pytorch3d."""
    try:
        from pytorch3d.renderer.mesh.rasterize_meshes import rasterize_meshes
        from pytorch3d.structures import Meshes
    except ImportError as missing:
        raise MissingPackage(
            f"This rasteriser needs pytorch3d ({missing}). Build it for your torch: `pip install --no-build-isolation "
            '"git+https://github.com/facebookresearch/pytorch3d.git@v0.7.9"`, or use faceforge.face3d.raster.'
        ) from missing
    check_mesh(vertices, faces)
    check_size(size)
    meshes = Meshes(verts=vertices, faces=faces.long().expand(len(vertices), -1, -1))
    found = rasterize_meshes(
        meshes,
        image_size=tuple(size),
        blur_radius=0.0,
        faces_per_pixel=1,
        perspective_correct=perspective_correct,
        cull_backfaces=cull_backfaces,
        z_clip_value=z_clip,
    )
    pix_to_face, zbuf, bary = (each.squeeze(3) for each in found[:3])
    return Fragments(pix_to_face.long(), zbuf, bary)
