"""The pictures that networks are conditioned on, made from a photograph and a fitted head: one function for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from faceforge.core.device import HOST
from faceforge.face.attributes import attribute_picture
from faceforge.face.crops import Crop
from faceforge.face.found import Points
from faceforge.face.people import Inside, person
from faceforge.face3d import maps, rig
from faceforge.face3d.embedded.model import EmbeddedHead
from faceforge.face3d.head import HeadParams
from faceforge.io.pictures import Picture
from faceforge.reading import Photograph, Reading
from faceforge.synth import person as people
from faceforge.synth.casting import cast
from faceforge.warp.levels import like
from faceforge.warp.motion import motion
from faceforge.warp.plate import Plate
from faceforge.warp.posed import Posed
from faceforge.warp.target import Target
from faceforge.warp.warp import Warped, warp
from faceforge.warp.window import pixels

_TEXELS = 256  # the side of the texture that RigFace's renders were made with
_GAMMA = 1 / 2.2  # painted skin is linear light, renders are display values
_PLAIN = dict.fromkeys(("lipstick", "eyeliner", "shadow", "blush", "freckles", "moles", "wrinkles", "bags"), 0.0) | {
    "hair_style": "bald", "beard": "none", "sex": "female", "age": 30.0, "tone": 4.0,
}  # fmt: skip


@dataclass
class Scene:
    """One face of a photograph on its crop, and where its head shall go: what every condition is drawn from."""

    photograph: Photograph
    reading: Reading
    crop: Crop
    wanted: Target
    turned: bool  # the head takes another pose

    @cached_property
    def source(self) -> Image.Image:
        """The photograph's crop."""
        return self.crop.cut(self.photograph.picture.image)

    @cached_property
    def landmarks(self) -> Points:
        """The face's 68 points in the crop."""
        return self.crop.to_crop(self.reading.face.landmarks)

    @cached_property
    def landmarks_after(self) -> Points:
        """The same where another pose takes them."""
        if not self.turned:
            return self.landmarks
        before, after = (self._points68(each) for each in (self.reading.fit.params, self.wanted.params))
        return self.crop.to_crop(self.reading.face.landmarks + after - before)

    @cached_property
    def person(self) -> Inside:
        """Where the crop shows the person, with hair and clothes."""

        def found() -> Inside:
            head = self.silhouette(self.plate.at_rest)
            return person(self.source, self.landmarks, sure=head) | head

        key = ("person", id(self.reading), self.crop.matrix.tobytes(), self.crop.size)
        where: Inside = self.photograph.once(key, found)
        return where

    @cached_property
    def person_after(self) -> Inside:
        """Where the person was or will be: beside it nothing has to change."""
        return self.person | self.silhouette(self.after) | self._moved() if self.turned else self.person

    @cached_property
    def after(self) -> Posed:
        """The head as it shall be."""
        return self.plate.posed(self.wanted.params)

    @cached_property
    def warped(self) -> Warped:
        """The photograph with its own pixels moved."""
        return warp(self.plate, self.wanted)

    @cached_property
    def moved(self) -> Picture:
        """The same at full size, in the photograph's own channels and depth."""
        warped, alpha = self.warped, self.photograph.alpha
        return self.photograph.edited(warped.picture, None if alpha is None else warped.carried(alpha))

    @property
    def plate(self) -> Plate:
        return self.photograph.plate(self.reading)

    def view(self, posed: Posed) -> maps.View:
        """A posed head without shoulders, which no condition shows, as the crop sees it."""
        width, height = self.crop.size
        half = min(width, height) / 2
        matrix = torch.from_numpy(self.crop.matrix).float()
        x, y = (posed.points[:, :2] @ matrix[:2, :2].T + matrix[:2, 2]).unbind(1)
        depth = posed.points[:, 2] - posed.points[:, 2].amin() + 1
        ndc = torch.stack([(width / 2 - x) / half, (height / 2 - y) / half, depth], 1)
        return maps.View.of(ndc[None], bare_faces(), (height, width))

    def silhouette(self, posed: Posed) -> Inside:
        """Where the crop shows a posed head."""
        found: Inside = self.view(posed).coverage[0, 0].numpy() > 0.5
        return found

    def _moved(self) -> Inside:
        """Where the warp takes the person: hair and clothes go with the head."""
        width, height = self.crop.size
        grid = np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), -1)
        places = torch.from_numpy(self.crop.to_picture(grid.reshape(-1, 2)).reshape(grid.shape)).float()
        offset = motion(self.plate, self.wanted).offset  # on the plate's grid: large photographs need no finer mask
        moved = torch.stack([self.plate.looked_up(each, places) for each in offset], 2).double().numpy()
        was = np.floor(grid + moved * self.crop.scale).astype(int)
        found: Inside = self.person[was[..., 1].clip(0, height - 1), was[..., 0].clip(0, width - 1)]
        return found

    def _points68(self, params: HeadParams) -> Points:
        plate, fit = self.plate, self.reading.fit
        points = plate.head.landmarks68(plate.head.pose(plate.person, params))
        return pixels(fit.camera.project(points, fit.size), fit.size)[0, :, :2].double().numpy()


def warped_crop(scene: Scene) -> Image.Image:
    """The photograph's own pixels where the wish takes them."""
    return scene.crop.cut(scene.moved.image)


def unknown(scene: Scene) -> Image.Image:
    """White where the warp knows nothing, and beyond the photograph."""
    known = scene.crop.cut(Image.fromarray(like(1 - scene.warped.unknown, torch.uint8).numpy()))
    return ImageOps.invert(known).convert("RGB")


def jaw_dots(scene: Scene) -> Image.Image:
    """MagicFace's: the person in black, the jaw as coloured dots."""
    return attribute_picture(scene.source, scene.landmarks_after, hidden=scene.person_after)


def grey_person(scene: Scene) -> Image.Image:
    """RigFace's background: the person in grey, where it is and where it will be."""
    return Image.fromarray(rig.grey_person(np.asarray(scene.source), scene.person_after))


def rig_render(scene: Scene) -> Image.Image:
    """RigFace's render: the head as it shall be, in its pose, expression and light, on black."""
    light, skin = scene.wanted.light.float(), scene.reading.fit.albedo.float()
    drawn = maps.rigface(scene.view(scene.after), scene.after.normals[None], texture(skin), light)
    return Image.fromarray(maps.written(drawn)[0].permute(1, 2, 0).numpy())


def rig_numbers(scene: Scene) -> Tensor:
    """The head as it shall be, as numbers: for models that were trained on this head."""
    return numbers_of(scene.wanted.params)


def numbers_of(params: HeadParams) -> Tensor:
    """Expression, jaw, lids and gaze of one head of ours, one after the other."""
    sizes = {"expression": len(EmbeddedHead().expression_names), "jaw": 3, "eyelids": 2, "eyes": 6}
    given = {name: getattr(params, name) for name in sizes}
    parts = [torch.zeros(size) if given[name] is None else given[name].flatten() for name, size in sizes.items()]
    return torch.cat(parts).float()


Maker = Callable[[Scene], Image.Image]
MAKERS: Mapping[str, Maker] = {
    "warp": warped_crop,
    "unknown": unknown,
    "jaw-dots": jaw_dots,
    "grey-person": grey_person,
    "rig-render": rig_render,
}
VECTORS: Mapping[str, Callable[[Scene], Tensor]] = {"rig-numbers": rig_numbers}


def texture(skin: Tensor) -> maps.Texture:
    """A face without hair or make-up whose skin has a colour (3,), on the embedded head."""
    shades, faces = _shades(), bare_faces()
    pixels = (shades * skin[:, None, None]).clamp(0, 1)[None]
    return maps.Texture(pixels, EmbeddedHead().uv.float(), faces)


@cache
def bare_faces() -> Tensor:
    """The embedded head's faces (F, 3) without shoulders."""
    head = EmbeddedHead()
    kept = torch.ones(len(head.faces), dtype=torch.bool)
    kept[head.parts["shoulders"]] = False
    return head.faces[kept]


@cache
def _shades() -> Tensor:
    """A plain face's colours as shares of its skin's (3, h, w), display values."""
    somebody = people.sample(0, **_PLAIN)
    painted = cast([somebody], _TEXELS, HOST).sheet[0, :3]
    shares = (painted.clamp(min=0) / torch.tensor(somebody.skin)[:, None, None]) ** _GAMMA
    # Half of the colour: a painted blush on skin of another hue would look like a bruise.
    found: Tensor = torch.lerp(shares.mean(0, keepdim=True), shares, 0.5)
    return found
