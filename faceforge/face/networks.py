"""The two small networks of the embedded face finder: where faces are, and where each landmark is.

Both read one grey channel, once as it is and once with the contrast of its neighbourhood evened out: of drawn faces
they shall learn where brightness changes, not how bright skin is.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

POINTS = 70  # 68 landmarks, then the left and the right iris
CROP = 96  # pixels of a landmarker's crop
CELLS = 24  # of a heat map
STRIDE = 8  # pixels of one cell of the face map
TYPICAL = 34.0  # pixels of a face for which the face map answers size 0
_SURROUNDINGS = 13  # pixels over which contrast is evened


class FaceMap(nn.Module):
    """Grey pictures (B, 1, H, W) to (B, 4, H/8, W/8): is a face centred here, offsets in cells, log size."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.body = nn.Sequential(
            Layer(2, width, 5, 2),
            Layer(width, 2 * width, 3, 2),
            Layer(2 * width, 3 * width, 3, 2),
            Residual(3 * width),
            Residual(3 * width),
            Residual(3 * width),
        )
        self.answer = nn.Conv2d(3 * width, 4, 1)

    def forward(self, grey: Tensor) -> Tensor:
        answer: Tensor = self.answer(self.body(evened(grey)))
        return answer


class PointMaps(nn.Module):
    """Grey crops (B, 1, 96, 96) to one heat map per point, logits (B, 70, 24, 24)."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        a, b, c, d = width, 2 * width, 4 * width, 6 * width
        self.fine = nn.Sequential(Layer(2, a, 5, 2), Layer(a, b, 3, 2), Residual(b))
        self.middle = nn.Sequential(Layer(b, c, 3, 2), Residual(c))
        self.coarse = nn.Sequential(Layer(c, d, 3, 2), Residual(d), Residual(d))
        self.rise = nn.ModuleList([Layer(d, c, 1), Layer(c, b, 1)])
        self.mixed = nn.ModuleList([Layer(c, c, 3), Layer(b, 2 * b, 3)])
        self.answer = nn.Conv2d(2 * b, POINTS, 1)

    def forward(self, grey: Tensor) -> Tensor:
        fine = self.fine(evened(grey))
        middle = self.middle(fine)
        coarse = self.coarse(middle)
        middle = self.mixed[0](middle + _doubled(self.rise[0](coarse)))
        fine = self.mixed[1](fine + _doubled(self.rise[1](middle)))
        answer: Tensor = self.answer(fine)
        return answer


def evened(grey: Tensor) -> Tensor:
    """Two channels (B, 2, H, W): standardised over the picture, and over the neighbourhood of each pixel."""
    grey = grey.float()
    centred = grey - grey.mean((2, 3), keepdim=True)
    whole = centred / (centred.square().mean((2, 3), keepdim=True).sqrt() + 0.02)
    around = _smooth(centred)
    apart = centred - around
    local = apart / (_smooth(apart.square()).clamp(min=0).sqrt() + 0.02)
    return torch.cat([whole, local], 1)


def read_maps(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Heat maps (B, N, h, w) as points (B, N, 2) in 0..1 of the crop and their variance (B, N) in the same unit."""
    share = maps.float().flatten(2).softmax(-1).reshape(maps.shape)
    down, across = share.sum(3), share.sum(2)
    at_y, at_x = _places(maps.shape[2], maps.device), _places(maps.shape[3], maps.device)
    y, x = (down * at_y).sum(-1), (across * at_x).sum(-1)
    variance = (down * (at_y - y[..., None]).square()).sum(-1) + (across * (at_x - x[..., None]).square()).sum(-1)
    return torch.stack([x, y], -1), variance


def _places(cells: int, device: torch.device) -> Tensor:
    return (torch.arange(cells, device=device, dtype=torch.float32) + 0.5) / cells


def _smooth(field: Tensor) -> Tensor:
    """Means over squares; twice, so that the squares do not show."""
    for axis in (2, 3, 2, 3):
        field = _means(field, axis)
    return field


def _means(field: Tensor, axis: int) -> Tensor:
    """Means over neighbours along one axis, from sums of all before."""
    edge = _SURROUNDINGS // 2
    count = field.shape[axis]
    first, last = (field.narrow(axis, place, 1) for place in (0, count - 1))
    shape = [edge if number == axis else -1 for number in range(4)]
    before = [edge + 1 if number == axis else -1 for number in range(4)]
    sums = torch.cat([first.expand(before), field, last.expand(shape)], axis).cumsum(axis)
    return (sums.narrow(axis, _SURROUNDINGS, count) - sums.narrow(axis, 0, count)) / _SURROUNDINGS


def _doubled(field: Tensor) -> Tensor:
    return interpolate(field, scale_factor=2.0, mode="nearest")


class Layer(nn.Sequential):
    """Convolution, norm over groups of channels, and a bend."""

    def __init__(self, before: int, after: int, kernel: int, stride: int = 1) -> None:
        convolution = nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=False)
        super().__init__(convolution, nn.GroupNorm(8, after), nn.ReLU())


class Residual(nn.Module):
    """Two convolutions beside the way straight on."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.change = nn.Sequential(Layer(width, width, 3), nn.Conv2d(width, width, 3, padding=1))

    def forward(self, field: Tensor) -> Tensor:
        changed: Tensor = self.change(field)
        return torch.relu(field + changed)
