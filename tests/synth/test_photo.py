"""The camera: absence at zero, continuity through every effect, and likeness to what cameras really do."""

from dataclasses import asdict, replace
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from faceforge.errors import BadSpec
from faceforge.synth import jpeg, lens
from faceforge.synth.draws import Draws
from faceforge.synth.photo import Photo, apply, developed, quantised, sample, to_display, to_linear

EFFECTS = {
    "exposure": Photo(exposure=0.7),
    "temperature": Photo(temperature=-0.6),
    "tint": Photo(tint=0.5),
    "shoulder": Photo(shoulder=0.4),
    "contrast": Photo(contrast=0.6),
    "fade": Photo(fade=0.1),
    "saturation": Photo(saturation=-0.5),
    "vignette": Photo(vignette=0.5),
    "lens_blur": Photo(lens_blur=0.02),
    "motion": Photo(motion=0.06, motion_angle_deg=30.0),
    "fringe": Photo(fringe=0.01),
    "shot_noise": Photo(shot_noise=0.05, noise_colour=0.4, grain=0.6),
    "read_noise": Photo(read_noise=0.02),
    "sharpening": Photo(sharpening=0.8),
    "coarseness": Photo(coarseness=2.2),
    "jpeg_quality": Photo(jpeg_quality=40),
    "jpeg_halved": Photo(jpeg_quality=40, jpeg_halved=True),
}


def lights(count: int, height: int = 48, width: int = 48, seed: int = 0) -> Tensor:
    """Renderings with soft shapes and fine grain, some of it brighter than white."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, 5, 5, generator=generator)
    soft = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic").clamp(min=0)
    return 1.2 * soft * (0.7 + 0.6 * torch.rand(count, 3, height, width, generator=generator))


def seeds(count: int) -> Tensor:
    return torch.arange(count) + 11


@pytest.mark.parametrize("effect", EFFECTS)
def test_every_effect_shows(effect: str) -> None:
    light = lights(1)
    assert not torch.equal(apply(light, [EFFECTS[effect]], seeds(1)), apply(light, [Photo()], seeds(1)))


@pytest.mark.parametrize("effect", EFFECTS)
def test_an_effect_on_one_picture_leaves_its_neighbour_as_it_is(effect: str) -> None:
    light = lights(2)
    together = developed(light, [EFFECTS[effect], Photo()], seeds(2))
    assert torch.equal(together[1:], to_display(light[1:]))


@pytest.mark.parametrize("effect", EFFECTS)
def test_a_picture_does_not_depend_on_its_neighbours(effect: str) -> None:
    light = lights(3)
    strong = replace(EFFECTS[effect], lens_blur=0.05, coarseness=5.0, motion=0.1, jpeg_quality=3)
    together = developed(light, [EFFECTS[effect], strong, Photo()], seeds(3))
    alone = developed(light[:1], [EFFECTS[effect]], seeds(1))
    torch.testing.assert_close(together[:1], alone, rtol=0, atol=1e-5)


def test_a_perfect_camera_only_encodes() -> None:
    light = lights(2)
    assert torch.equal(apply(light, [Photo()] * 2, seeds(2)), quantised(to_display(light)))


@pytest.mark.parametrize("rough", [0.0, 0.5, 1.0])
def test_a_difference_in_the_last_bits_never_grows_beyond_one_grey_level(rough: float) -> None:
    generator = torch.Generator().manual_seed(5)
    for start in range(0, 48, 8):
        light = lights(8, seed=start)
        other = light * (1 + 1e-6 * (2 * torch.rand(light.shape, generator=generator) - 1))
        photos = [sample(Draws(start + number, "photo"), rough) for number in range(8)]
        one, two = (developed(some, photos, seeds(8)) for some in (light, other))
        assert (one - two).abs().max() * 255 < 0.01
        assert (quantised(one).int() - quantised(two).int()).abs().max() <= 1


def test_sampled_photos_give_whole_pictures() -> None:
    for start in range(0, 64, 16):
        photos = [sample(Draws(start + number, "photo")) for number in range(16)]
        pictures = developed(lights(16, seed=start), photos, seeds(16))
        assert pictures.isfinite().all()
        assert ((pictures >= 0) & (pictures <= 1)).all()
        assert (pictures.flatten(1).std(dim=1) > 0.02).all()


def test_a_rough_camera_is_worse_than_a_clean_one() -> None:
    light = lights(24)
    perfect = to_display(light)
    losses = []
    for rough in (0.0, 1.0):
        photos = [
            replace(sample(Draws(number, "photo"), rough), exposure=0.0, temperature=0.0, tint=0.0, contrast=0.0)
            for number in range(24)
        ]
        losses.append(float((developed(light, photos, seeds(24)) - perfect).square().mean()))
    assert losses[1] > 1.2 * losses[0]


def test_sampled_numbers_are_the_same_for_the_same_draws() -> None:
    assert asdict(sample(Draws(3, "photo"))) == asdict(sample(Draws(3, "photo")))
    assert sample(Draws(3, "photo")) != sample(Draws(4, "photo"))


@pytest.mark.parametrize("size", [(1, 1), (1, 17), (9, 1), (13, 22)])
def test_pictures_of_any_size_are_taken(size: tuple[int, int]) -> None:
    photos = [replace(sample(Draws(number, "photo"), 1.0), coarseness=3.0, jpeg_halved=True) for number in range(4)]
    pictures = apply(lights(4, *size), photos, seeds(4))
    assert pictures.shape == (4, 3, *size)
    assert pictures.dtype == torch.uint8


@pytest.mark.parametrize("halved", [False, True])
@pytest.mark.parametrize("quality", [20, 50, 90])
def test_compression_resembles_jpeg(quality: int, halved: bool) -> None:
    picture = quantised(to_display(lights(1, 64, 64)))
    file = BytesIO()
    Image.fromarray(picture[0].permute(1, 2, 0).numpy()).save(
        file, "JPEG", quality=quality, subsampling=2 if halved else 0
    )
    theirs = torch.from_numpy(np.array(Image.open(file))).permute(2, 0, 1)[None] / 255
    ours = jpeg.compressed(picture / 255, [quality], [halved])
    # Ours rounds softly, hence loses a little less.
    assert (ours - theirs).abs().mean() < 0.72 * (theirs - picture / 255).abs().mean()


def test_blur_keeps_flat_pictures_and_spreads_points_evenly() -> None:
    point = torch.zeros(1, 1, 41, 41)
    point[..., 20, 20] = 1
    spread = lens.blurred(point, [3.0])[0, 0]
    places = torch.arange(41) - 20.0
    assert float(spread.sum()) == pytest.approx(1, abs=1e-5)
    assert float((spread.sum(0) * places.square()).sum()) == pytest.approx(9, rel=0.05)
    torch.testing.assert_close(lens.blurred(torch.ones(1, 3, 8, 8), [3.0]), torch.ones(1, 3, 8, 8))


def test_motion_runs_along_its_direction() -> None:
    point = torch.zeros(2, 1, 31, 31)
    point[..., 15, 15] = 1
    sideways, upwards = lens.moved(point, [8.0, 8.0], [0.0, 90.0])[:, 0]
    assert (sideways.sum(0) > 1e-3).sum() >= 8
    assert (sideways.sum(1) > 1e-3).sum() == 1
    torch.testing.assert_close(sideways, upwards.T, rtol=0, atol=1e-4)


def test_noise_is_as_strong_as_asked_and_depends_on_the_seed() -> None:
    grey = torch.full((2, 3, 128, 128), 0.25)
    for grain in (0.0, 0.8):
        photo = Photo(shot_noise=0.04, read_noise=0.01, noise_colour=0.5, grain=grain)
        light = to_linear(developed(grey, [photo, photo], seeds(2)))
        # Variances add: 0.25 of the light's, and the sensor's own.
        assert float(light.std()) == pytest.approx((0.25 * 0.04**2 + 0.01**2) ** 0.5, rel=0.06)
        assert not torch.equal(light[0], light[1])


def test_display_and_linear_are_inverse() -> None:
    values = torch.linspace(0, 1, 1001)
    torch.testing.assert_close(to_linear(to_display(values)), values, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("shape", "photos", "seed"),
    [
        ((1, 1, 8, 8), 1, seeds(1)),
        ((3, 8, 8), 3, seeds(3)),
        ((2, 3, 8, 0), 2, seeds(2)),
        ((2, 3, 8, 8), 1, seeds(2)),
        ((2, 3, 8, 8), 2, seeds(1)),
        ((2, 3, 8, 8), 2, seeds(2).float()),
    ],
)
def test_wrong_shapes_are_refused(shape: tuple[int, ...], photos: int, seed: Tensor) -> None:
    with pytest.raises(BadSpec, match="Give"):
        apply(torch.zeros(shape), [Photo()] * photos, seed)


@pytest.mark.parametrize(
    "photo",
    [Photo(jpeg_quality=101), Photo(coarseness=0.5), Photo(lens_blur=-1.0), Photo(motion=9.0), Photo(lens_blur=40.0)],
)
def test_numbers_out_of_range_are_refused(photo: Photo) -> None:
    with pytest.raises(BadSpec, match="Give"):
        apply(lights(1), [photo], seeds(1))


def test_numbers_that_are_not_finite_are_refused() -> None:
    with pytest.raises(BadSpec, match="finite"):
        Photo(exposure=float("nan"))
