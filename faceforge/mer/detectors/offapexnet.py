"""OFF-ApexNet (Gan et al., 2019) as the public benchmark runs it: two convolutions over the flow alone."""

from torch import Tensor, nn

SIDE = 28  # pixels of its input


class OffApexNet(nn.Module):
    """Horizontal and vertical flow (B, 2, 28, 28) to logits (B, num_classes); keys are the published ones."""

    def __init__(self, num_classes: int = 12) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(2, 6, 3, padding=1)
        self.conv2 = nn.Conv2d(6, 16, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.dropout = nn.Dropout(0.5)
        self.fc1 = nn.Linear(16 * 7 * 7, 1024)
        self.fc = nn.Linear(1024, num_classes)

    def forward(self, channels: Tensor) -> Tensor:
        seen = self.pool(self.conv1(channels).relu())
        seen = self.pool(self.conv2(seen).relu())
        hidden = self.fc1(self.dropout(seen.flatten(1))).relu()
        answer: Tensor = self.fc(self.dropout(hidden))
        return answer
