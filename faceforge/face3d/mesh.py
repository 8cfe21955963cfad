"""Small facts about meshes."""

import torch
from torch import Tensor
from torch.nn.functional import normalize


def vertex_normals(vertices: Tensor, faces: Tensor) -> Tensor:
    """Unit normals of vertices (B, V, 3): the sum of their faces' corner cross products, so larger faces weigh more."""
    return _gathered(_face_normals(vertices, faces), vertices, faces)


def even_normals(vertices: Tensor, faces: Tensor) -> Tensor:
    """Unit normals of vertices (B, V, 3) to which every face counts alike: smooth where large faces meet small ones."""
    return _gathered(normalize(_face_normals(vertices, faces), eps=1e-12, dim=-1), vertices, faces)


def smoothed(values: Tensor, faces: Tensor, times: int) -> Tensor:
    """Values of vertices (V, D), each so many times replaced by the mean over the faces around it."""
    count = _summed(values.new_ones(len(faces), 1), values[:, :1], faces).clamp(min=1)
    for _ in range(times):
        middle = torch.stack([values.index_select(0, corner) for corner in faces.unbind(1)]).mean(0)
        values = _summed(middle, values, faces) / count
    return values


def _summed(per_face: Tensor, like: Tensor, faces: Tensor) -> Tensor:
    total = torch.zeros_like(like)
    for corner in faces.unbind(1):  # scatter_add adds in the order of index_add, many times faster
        total = total.scatter_add(0, corner[:, None].expand_as(per_face), per_face)
    return total


def _face_normals(vertices: Tensor, faces: Tensor) -> Tensor:
    """Cross products of two edges of each face, (B, F, 3)."""
    first, second, third = (vertices.index_select(1, corner) for corner in faces.unbind(1))
    across: Tensor = torch.linalg.cross(second - first, third - first)
    return across


def _gathered(per_face: Tensor, vertices: Tensor, faces: Tensor) -> Tensor:
    total = torch.stack([_summed(each, like, faces) for each, like in zip(per_face, vertices, strict=True)])
    return normalize(total, eps=1e-6, dim=-1)
