"""A Forge and a whole photograph: what is missing is made, the face is edited on its crop, the rest stays as it was."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmarks.landmarker import found_model
from faceforge import Forge, load
from faceforge.aligning import on_size
from faceforge.conditions import MAKERS, Scene
from faceforge.errors import BadSpec, NoFace
from faceforge.face import Face
from faceforge.face.crops import face_crop
from faceforge.io.pictures import read_picture
from faceforge.io.provenance import read_provenance
from faceforge.jobs import Defaults
from faceforge.models import convert, forged
from faceforge.plugin import MAGICFACE, RIGFACE, Files
from faceforge.reading import Reader
from faceforge.spec import EditSpec
from faceforge.store.backbones import tiny
from faceforge.synth import Portrait, photograph, sample
from faceforge.synth.shots import Camera
from tests.cli.running import run
from tests.face.conftest import known
from tests.makes import Known, forge_of
from tests.releases import diffusers_files, paired_files, written

SIDE = 320
FAST: dict[str, Any] = {"steps": 1}


@cache
def somebody() -> Portrait:
    straight = dict.fromkeys(("yaw_deg", "pitch_deg", "roll_deg", "gaze_yaw_deg", "gaze_pitch_deg"), 0.0)
    return photograph([sample(300, **straight, camera=Camera(), occluder=None, aus={})], SIDE)[0]


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photos") / "ada.png"
    Image.fromarray(somebody().image).save(path)
    return path


@pytest.fixture(scope="module")
def finder() -> Known:
    return Known(known(somebody()))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Saved miniatures in the layouts of the two releases."""
    place = tmp_path_factory.mktemp("models")
    diffusers_files(tiny(), place / "base")
    for layout in (RIGFACE, MAGICFACE):
        files = Files((written(paired_files(layout), place / "releases" / layout.name),))
        forged(convert(layout.name, files, "", str(place / "base")), name=layout.name).save(place / layout.name)
    return {layout.name: place / layout.name for layout in (RIGFACE, MAGICFACE)}


@pytest.fixture(scope="module")
def rigface(folders: dict[str, Path], finder: Known) -> Forge:
    return load(folders["rigface"], finder=finder)


@pytest.fixture(scope="module")
def magicface(folders: dict[str, Path], finder: Known) -> Forge:
    return load(folders["magicface"], finder=finder)


@pytest.fixture(scope="module")
def reader(finder: Known) -> Reader:
    return Reader(finder)


def scene_of(reader: Reader, photo: Path, **wish: Any) -> Scene:
    found, spec = reader.read(read_picture(photo)), EditSpec(**wish)
    reading = found.readings(1)[0]
    turned = bool(spec.yaw_deg)
    return Scene(found, reading, face_crop(reading.face), reader.target(spec, reading, {}), turned)


def drawn(scene: Scene, maker: str) -> np.ndarray:
    return np.asarray(MAKERS[maker](scene), int)


def changed(image: Image.Image | None) -> np.ndarray:
    assert image is not None
    return (np.asarray(image, int) != somebody().image).any(2)


# The makers


def test_a_still_head_s_warp_is_the_crop_and_only_beyond_the_photograph_is_unknown(reader: Reader, photo: Path) -> None:
    scene = scene_of(reader, photo)
    assert np.array_equal(drawn(scene, "warp"), np.asarray(scene.source))
    inside = np.asarray(scene.crop.cut(Image.new("L", (SIDE, SIDE), 255)))
    assert np.array_equal(drawn(scene, "unknown")[..., 0], 255 - inside)


def test_a_turned_head_shows_what_the_photograph_does_not_know(reader: Reader, photo: Path) -> None:
    scene = scene_of(reader, photo, yaw_deg=20)
    ear = scene.landmarks_after[:4].mean(0).astype(int)  # the side that comes into view
    assert drawn(scene, "unknown")[ear[1] - 8 : ear[1] + 8, ear[0] - 8 : ear[0] + 24].max() > 200
    assert not np.array_equal(drawn(scene, "warp"), np.asarray(scene.source))


def test_the_render_lies_on_the_face_and_is_black_elsewhere(reader: Reader, photo: Path) -> None:
    scene = scene_of(reader, photo)
    render = drawn(scene, "rig-render")
    assert render.shape == (512, 512, 3)
    x, y = scene.landmarks[30].astype(int)
    assert render[y, x].min() > 40
    assert 0.4 < (render == 0).all(2).mean() < 0.8
    source = np.asarray(scene.source, float)
    cheeks = np.concatenate([render[y - 10 : y + 10, x + dx - 8 : x + dx + 8] for dx in (-55, 55)])
    seen = np.concatenate([source[y - 10 : y + 10, x + dx - 8 : x + dx + 8] for dx in (-55, 55)])
    assert np.abs(cheeks.mean((0, 1)) - seen.mean((0, 1))).max() < 45  # as bright as the photograph, of its hue


def test_the_render_follows_pose_light_and_expression(reader: Reader, photo: Path) -> None:
    plain = drawn(scene_of(reader, photo), "rig-render")
    across = np.arange(512)

    def middle(render: np.ndarray) -> float:
        face = render[200:300].sum((0, 2))
        return float((face * across).sum() / face.sum())

    assert middle(drawn(scene_of(reader, photo, light=(80.0, 0.0)), "rig-render")) > middle(plain) + 5
    scene = scene_of(reader, photo, yaw_deg=20)
    assert scene.landmarks_after[30, 0] > scene.landmarks[30, 0] + 10
    for wish in ({"yaw_deg": 20}, {"aus": {"AU26": 4}}, {"gaze_yaw_deg": 20}):
        assert np.abs(drawn(scene_of(reader, photo, **wish), "rig-render") - plain).max() > 40


def test_the_room_is_the_photograph_s_and_the_person_is_grey_wherever_it_will_be(reader: Reader, photo: Path) -> None:
    still, turned = scene_of(reader, photo), scene_of(reader, photo, yaw_deg=25)
    for scene in (still, turned):
        room = drawn(scene, "grey-person")
        grey = (room == 127).all(2)
        assert grey[scene.person].all()
        assert np.array_equal(room[~scene.person_after], np.asarray(scene.source)[~scene.person_after])
        assert grey[scene.silhouette(scene.after)].all()
    assert (turned.person_after & ~turned.person).sum() > 200


def test_jaw_dots_stand_on_black_and_turn_with_the_head(reader: Reader, photo: Path) -> None:
    for scene in (scene_of(reader, photo), scene_of(reader, photo, yaw_deg=15)):
        picture, chin = drawn(scene, "jaw-dots"), scene.landmarks_after[8].astype(int)
        x, y = scene.landmarks[30].astype(int)
        assert picture[y, x].max() == 0
        assert picture[chin[1] - 4 : chin[1] + 5, chin[0] - 4 : chin[0] + 5].max() > 150


# The Forge


@pytest.mark.parametrize("wish", [{"yaw_deg": 15, "light": "left"}, {"gaze_yaw_deg": 10}, {}])
def test_rigface_needs_nothing_but_the_photograph(rigface: Forge, photo: Path, wish: dict[str, Any]) -> None:
    result = rigface.edit(photo, **wish, **FAST)
    where = changed(result.image)
    assert where.any()
    assert not where[:, :4].any()
    assert not where[:40, :40].any()  # the room
    assert any("64 zeros, a neutral face" in note for note in result.notes)
    assert result.provenance["made"] == {"background": "grey-person", "render": "rig-render", "expression": "zeros"}
    assert result.provenance["pictures"].keys() == {"source"}
    assert result.provenance["pictures"]["source"]["name"] == "ada.png"
    assert result.provenance["vectors"] == {}


def test_magicface_changes_the_face_and_nothing_around_it(magicface: Forge, photo: Path) -> None:
    result = magicface.edit(photo, aus={"AU12": 2}, **FAST)
    where, landmarks = changed(result.image), somebody().landmarks
    x, y = landmarks[30].astype(int)
    assert where[y - 5 : y + 5, x - 5 : x + 5].mean() > 0.9
    left, _, right, _ = somebody().box
    assert not where[:, : int(left) - 12].any()  # two pixels of a crop as small as the miniature's
    assert not where[:, int(right) + 12 :].any()
    assert result.provenance["made"] == {"background": "jaw-dots"}


def test_the_same_wish_gives_the_same_pixels_and_a_photograph_is_read_once(
    rigface: Forge, finder: Known, photo: Path
) -> None:
    first = rigface.edit(photo, yaw_deg=8, **FAST)
    asked = finder.asked
    assert np.array_equal(np.asarray(rigface.edit(photo, yaw_deg=8, **FAST).image), np.asarray(first.image))
    assert finder.asked == asked
    fresh = Forge(rigface.backbone, defaults=rigface.defaults, finder=finder)
    for name in ("identity", "attributes", "attributes-render", "rigface"):
        fresh.plugins[name] = rigface.plugins[name]
    assert np.array_equal(np.asarray(fresh.edit(photo, yaw_deg=8, **FAST).image), np.asarray(first.image))


def test_a_sweep_is_its_single_edits(magicface: Forge, photo: Path) -> None:
    swept = [each.image for each in magicface.sweep(photo, au="AU4", values=(-1, 2), **FAST)]
    for value, image in zip((-1, 2), swept, strict=True):
        alone = magicface.edit(photo, aus={"AU4": value}, **FAST).image
        assert np.abs(np.asarray(image, int) - np.asarray(alone, int)).max() <= 1  # a batch rounds as batches do


def test_action_units_reach_rigface_through_the_render(rigface: Forge, photo: Path) -> None:
    alone = {"strength": {"rigface": 0.0}, **FAST}
    plain = rigface.edit(photo, **alone)
    smiling = rigface.edit(photo, aus={"AU12": 4, "AU33": 1}, **alone)  # AU33 is in no network's list
    assert not np.array_equal(np.asarray(plain.image), np.asarray(smiling.image))
    with pytest.raises(BadSpec, match="AU12 needs the vector 'expression' as well, 64 numbers"):
        rigface.edit(photo, aus={"AU12": 4}, **FAST)
    given = rigface.edit(photo, aus={"AU12": 4}, vectors={"expression": np.ones(64)}, **FAST)
    assert "expression" not in given.provenance["made"]
    assert given.provenance["vectors"].keys() == {"expression"}


def test_who_brings_all_conditions_is_asked_for_no_face(folders: dict[str, Path], photo: Path) -> None:
    nobody = Known()
    forge = load(folders["rigface"], finder=nobody)
    given: dict[str, Any] = {"pictures": {"background": photo, "render": photo}, "vectors": {"expression": np.ones(64)}}
    result = forge.edit(photo, **given, **FAST)
    assert nobody.asked == 0
    assert "made" not in result.provenance
    assert result.image is not None
    assert result.image.size == (64, 64)
    with pytest.raises(BadSpec, match="yaw_deg would have no effect"):
        forge.edit(photo, yaw_deg=5, **given, **FAST)
    with pytest.raises(NoFace, match="background and render would be made from one"):
        forge.edit(photo, **FAST)


def test_a_given_picture_of_the_photograph_s_size_is_cut_with_it(rigface: Forge, photo: Path) -> None:
    reading = rigface.aligner.reader.read(read_picture(photo)).readings(1)[0]
    crop = on_size(face_crop(reading.face), (64, 64))
    room = Image.fromarray(np.roll(somebody().image, 7, 0))
    edit = {"vectors": {"expression": np.ones(64)}, **FAST}
    whole = rigface.edit(photo, pictures={"background": room}, **edit)
    cut = rigface.edit(photo, pictures={"background": crop.cut(room)}, **edit)
    assert np.array_equal(np.asarray(whole.image), np.asarray(cut.image))
    assert whole.provenance["made"] == {"render": "rig-render"}


@pytest.mark.parametrize("wish", [{"yaw_deg": 5}, {"gaze_pitch_deg": 3}, {"light": "top"}, {"face": 2}])
def test_what_no_picture_shows_is_refused_and_never_ignored(
    magicface: Forge, photo: Path, wish: dict[str, Any]
) -> None:
    match = (
        "There is no face 2" if "face" in wish else rf"{next(iter(wish))} would have no effect.*--model warp.*rigface"
    )
    with pytest.raises((BadSpec, NoFace), match=match):
        magicface.edit(photo, **wish, **FAST)
    with pytest.raises(BadSpec, match="would have no effect"):
        forge_of("identity").edit(photo, **wish, **FAST)
    with pytest.raises(BadSpec, match="would have no effect"):
        magicface.edit(photo, pictures={"background": photo, "light": photo}, **FAST)


@pytest.mark.parametrize("plugins", [(), ("warp",)])
def test_any_denoiser_may_start_from_the_warp(finder: Known, photo: Path, plugins: tuple[str, ...]) -> None:
    forge = forge_of("identity", *plugins, finder=finder)
    edit: dict[str, Any] = {"start": "warp", "start_at": 0.7, "steps": 3, "yaw_deg": 10}
    result = forge.edit(photo, **edit)
    assert result.provenance["made"].keys() == ({"warp", "unknown"} if plugins else {"warp"})
    assert changed(result.image).any()
    assert not changed(result.image)[:, :4].any()
    straight = forge.edit(photo, **{**edit, "yaw_deg": -10})
    assert not np.array_equal(np.asarray(straight.image), np.asarray(result.image))


def test_all_faces_are_edited_and_pasted_into_one_picture(folders: dict[str, Path], tmp_path: Path) -> None:
    two = np.concatenate([somebody().image, somebody().image], 1)
    face = known(somebody())
    faces = [Face(face.landmarks + np.array([shift, 0]), (SIDE, 2 * SIDE), "known") for shift in (0, SIDE)]
    forge = load(folders["magicface"], finder=Known(*faces))
    result = forge.edit(Image.fromarray(two), aus={"AU12": 3}, face="all", **FAST)
    where = (np.asarray(result.image, int) != two).any(2)
    assert where.shape == (SIDE, 2 * SIDE)
    assert where[:, :SIDE].any()
    assert where[:, SIDE:].any()
    only = forge.edit(Image.fromarray(two), aus={"AU12": 3}, face=2, **FAST)
    where = (np.asarray(only.image, int) != two).any(2)
    assert where[:, :SIDE].any() != where[:, SIDE:].any()


def test_makers_are_saved_with_the_model_and_an_unknown_one_is_refused(
    rigface: Forge, finder: Known, photo: Path
) -> None:
    assert rigface.defaults.makes == {"background": "grey-person", "render": "rig-render"}
    assert (rigface.defaults.crop, rigface.defaults.zeros) == ("face", {"expression": 64})
    odd = forge_of("attributes", defaults=Defaults(makes={"background": "jaw-dot"}), finder=finder)
    with pytest.raises(BadSpec, match=r"no maker of conditions 'jaw-dot'.*Did you mean 'jaw-dots'"):
        odd.edit(photo, **FAST)


# The command line, with Google's landmarker


@pytest.fixture
def here(photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    model = found_model()
    if model is None:
        pytest.skip("no landmark model (set FACEFORGE_LANDMARKER)")
    monkeypatch.setenv("FACEFORGE_LANDMARKER", str(model))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photo.png").write_bytes(photo.read_bytes())
    return tmp_path


@pytest.mark.parametrize(
    ("name", "wish"),
    [
        ("rigface", ("--yaw", 15, "--light", "left")),
        ("magicface", ("--au", "AU12=2")),
        ("tiny", ("--plugin", "warp", "--start", "warp", "--start-at", 0.7, "--yaw", 10)),
    ],
)
def test_a_photograph_is_edited_and_repeated_from_the_command_line(
    here: Path, folders: dict[str, Path], name: str, wish: tuple[object, ...]
) -> None:
    model = ("--model", folders.get(name, name))
    ran = run("edit", "photo.png", *model, *wish, "--steps", 2, "-o", "one.png")
    assert ran.code == 0, ran.err
    assert Image.open("one.png").size == (SIDE, SIDE)
    again = run("edit", "--from", "one.png", *model, "-o", "two.png")
    assert again.code == 0, again.err
    assert np.array_equal(np.asarray(Image.open("one.png")), np.asarray(Image.open("two.png")))
    assert read_provenance("one.png") == read_provenance("two.png")
