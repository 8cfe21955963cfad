"""Small facts about meshes."""

import torch
from torch import Tensor


def vertex_normals(vertices: Tensor, faces: Tensor) -> Tensor:
    """Unit normals of vertices (B, V, 3): the sum of their faces' corner cross products, so larger faces weigh more."""
    corners = torch.unflatten(vertices[:, faces.reshape(-1)], 1, (len(faces), 3))
    across = torch.linalg.cross(corners[:, :, 1] - corners[:, :, 0], corners[:, :, 2] - corners[:, :, 0])
    total = torch.zeros_like(vertices)
    for corner in range(3):
        total = total.index_add(1, faces[:, corner], across)
    return torch.nn.functional.normalize(total, eps=1e-6, dim=-1)
