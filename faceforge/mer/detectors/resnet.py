"""ResNet-18 (He et al., CVPR 2016) without its classifier, under the keys of the layers in a row."""

from torch import Tensor, nn

WIDTH = 512  # of its features


def resnet18() -> nn.Sequential:
    """Pictures (B, 3, H, W) to features (B, 512, 1, 1)."""
    stem = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)
    levels = [_level(before, after) for before, after in ((64, 64), (64, 128), (128, 256), (256, WIDTH))]
    return nn.Sequential(*stem, *levels, nn.AdaptiveAvgPool2d(1))


class _Block(nn.Module):
    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        stride = after // before
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        shorten = nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after)
        self.downsample = nn.Sequential(*shorten) if stride > 1 else nn.Sequential()

    def forward(self, seen: Tensor) -> Tensor:
        changed = self.bn2(self.conv2(self.bn1(self.conv1(seen)).relu()))
        answer: Tensor = (changed + self.downsample(seen)).relu()
        return answer


def _level(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(_Block(before, after), _Block(after, after))
