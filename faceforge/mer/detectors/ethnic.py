"""Ethnicity-aware networks (ICMEW 2025): emotion read together with the group a face was labelled as.

They see the stored flow picture at 224 pixels under the mean and deviation of ImageNet. Labels of groups come from an
algorithm and its authors call the scores unstable: here for comparison, and never a part of a score.
"""

import torch
from torch import Tensor, nn

from faceforge.mer.detectors import resnet
from faceforge.mer.detectors.resnet import resnet18
from faceforge.mer.detectors.tinyvit import WIDTH, TinyViT

SIDE = 224  # pixels of their input


class SharedTrunk(nn.Module):
    """One ResNet-18, two answers: logits of emotions (B, num_classes) and of groups (B, num_cultures)."""

    def __init__(self, num_classes: int = 3, num_cultures: int = 2) -> None:
        super().__init__()
        self.spatial_model = resnet18()
        self.linear_layer_emotion = nn.Linear(resnet.WIDTH, num_classes)
        self.linear_layer_race = nn.Linear(resnet.WIDTH, num_cultures)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        seen = self.spatial_model(pictures).flatten(1)
        return self.linear_layer_emotion(seen), self.linear_layer_race(seen)


class LateFusion(nn.Module):
    """Logits of emotions, of groups, and of emotions from both trunks; of the three trunks one is for no answer at all.

    As published both features come from the trunk of emotions; `faithful=False` uses that of groups too.
    """

    def __init__(self, num_classes: int = 3, num_cultures: int = 2, faithful: bool = True) -> None:
        super().__init__()
        self.faithful = faithful
        self.spatial_model_emote, self.spatial_model_race, self.spatial_model_gender = (resnet18() for _ in range(3))
        self.linear_layer_emotion = nn.Linear(resnet.WIDTH, num_classes)
        self.linear_layer_race = nn.Linear(resnet.WIDTH, num_cultures)
        self.linear_layer_gender = nn.Linear(resnet.WIDTH, 2)
        self.final_linear_layer = nn.Linear(2 * resnet.WIDTH, num_classes)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        emotion = self.spatial_model_emote(pictures).flatten(1)
        group = emotion if self.faithful else self.spatial_model_race(pictures).flatten(1)
        fused = self.final_linear_layer(torch.cat([emotion, group], 1))
        return self.linear_layer_emotion(emotion), self.linear_layer_race(group), fused


class TinyViTLateFusion(nn.Module):
    """The same answers from two TinyViTs, the last from the mean of what they see."""

    def __init__(self, num_classes: int = 3, num_cultures: int = 2) -> None:
        super().__init__()
        self.spatial_model_emote, self.spatial_model_race = TinyViT(), TinyViT()
        self.emote_linear_layer = nn.Linear(WIDTH, num_classes)
        self.race_linear_layer = nn.Linear(WIDTH, num_cultures)
        self.final_linear_layer = nn.Linear(WIDTH, num_classes)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        emotion, group = self.spatial_model_emote(pictures), self.spatial_model_race(pictures)
        fused = self.final_linear_layer((emotion + group) / 2)
        return self.emote_linear_layer(emotion), self.race_linear_layer(group), fused
