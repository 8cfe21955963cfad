"""STSTNet (Liong et al., FG 2019): three narrow branches over horizontal flow, vertical flow and strain."""

import torch
from torch import Tensor, nn

SIDE = 28  # pixels of its input; 26 to 31 fit
_WIDTHS = (3, 5, 8)


class STSTNet(nn.Module):
    """Flow channels (B, in_channels, 28, 28) to logits (B, num_classes); keys are those of the published weights.

    The authors' own weights expect strain, vertical and horizontal flow in this order, from 0 to 255.
    """

    def __init__(self, in_channels: int = 3, num_classes: int = 12) -> None:
        super().__init__()
        self.conv1, self.conv2, self.conv3 = (nn.Conv2d(in_channels, width, 3, padding=2) for width in _WIDTHS)
        self.bn1, self.bn2, self.bn3 = (nn.BatchNorm2d(width) for width in _WIDTHS)
        self.maxpool = nn.MaxPool2d(3, 3, padding=1)
        self.avgpool = nn.AvgPool2d(2)
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(sum(_WIDTHS) * 5 * 5, num_classes)

    def forward(self, channels: Tensor) -> Tensor:
        branches = ((self.conv1, self.bn1), (self.conv2, self.bn2), (self.conv3, self.bn3))
        seen = [self.dropout(self.maxpool(norm(conv(channels).relu()))) for conv, norm in branches]
        answer: Tensor = self.fc(self.avgpool(torch.cat(seen, 1)).flatten(1))
        return answer
