"""SSSNet (Varanka et al., MEB): the shallow network that reads action units across datasets best."""

from torch import Tensor, nn

SIDE = 64  # pixels of its input


class SSSNet(nn.Module):
    """Flow channels (B, 3, 64, 64) to logits (B, num_classes); keys are those of the published weights."""

    def __init__(
        self, num_classes: int = 12, h_dims: tuple[int, int, int] = (32, 64, 256), softmax: bool = False
    ) -> None:
        super().__init__()
        first, second, hidden = h_dims
        self.conv1 = nn.Conv2d(3, first, 5)
        self.pool = nn.MaxPool2d(3, 3)
        self.bn1 = nn.BatchNorm2d(first)
        self.conv2 = nn.Conv2d(first, second, 3)
        self.pool2 = nn.MaxPool2d(2, 2)
        self.bn2 = nn.BatchNorm2d(second)
        self.dropout = nn.Dropout2d(0.5)
        self.fc1 = nn.Linear(second * 9 * 9, hidden)
        self.forget = nn.Dropout(0.5)
        self.fc = nn.Linear(hidden, num_classes)
        self.softmax = nn.Softmax(-1) if softmax else nn.Identity()

    def forward(self, channels: Tensor) -> Tensor:
        fine = self.dropout(self.bn1(self.pool(self.conv1(channels).relu())))
        coarse = self.dropout(self.bn2(self.pool2(self.conv2(fine).relu())))
        answer: Tensor = self.softmax(self.fc(self.forget(self.fc1(coarse.flatten(1)).relu())))
        return answer
