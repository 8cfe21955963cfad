"""People made ready for the stage: bones, painted skin, hair and glasses at rest; worth doing once per person."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from faceforge.face3d.embedded.model import EmbeddedHead
from faceforge.face3d.embedded.model import Person as Bones
from faceforge.synth import collars, hair, skin, wrinkles
from faceforge.synth import glasses as spectacles
from faceforge.synth.atlas import atlas
from faceforge.synth.fixtures import assembled
from faceforge.synth.hair import Coat
from faceforge.synth.person import Person


@dataclass(frozen=True)
class Cast:
    """P people whose textures are painted."""

    people: Sequence[Person]
    bones: Bones
    sheet: Tensor  # (P, 5, h, w) albedo, relief, gloss
    folds: Tensor  # (K, h, w) wrinkles of the units in wrinkles.FOLDS
    strands: Tensor  # (P, 1, h, w)
    hair: Tensor  # (P, 3) colour
    lashes: Tensor  # (P,)
    cap: Coat
    locks: Coat
    glasses: Tensor  # (P, N, 3) at rest
    collars: tuple[Tensor, Tensor]  # places at rest and colours, (P, N, 3) each


def cast(people: Sequence[Person], high: int, device: torch.device) -> Cast:
    """Paints people at a texture height in texels."""
    place = atlas(high, device)
    blank = torch.zeros(len(people), *place.x.shape, device=device)
    canvas = skin.Canvas(
        atlas=place,
        people=people,
        albedo=blank[:, None].expand(-1, 3, -1, -1),
        relief=blank,
        gloss=blank,
        seed=torch.tensor([person.noise for person in people], device=device),
    )
    traits = torch.tensor([person.traits for person in people], dtype=torch.float64, device=device)
    bones = EmbeddedHead(device).of(traits)
    body = hair.cap(people, bones.form.skin)
    return Cast(
        people=people,
        bones=bones,
        sheet=assembled(skin.painted(canvas)),
        folds=torch.stack([fold(place) for fold in wrinkles.FOLDS.values()]),
        strands=hair.strands(people, device),
        hair=torch.tensor([person.hair for person in people], device=device),
        lashes=torch.tensor([person.lashes for person in people], device=device),
        cap=body,
        locks=hair.locks(people, body),
        collars=collars.worn(people, bones.form.skin),
        glasses=spectacles.points(people, bones),
    )
