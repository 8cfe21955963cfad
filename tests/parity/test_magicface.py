"""MagicFace against its published classes: from a folder in the release's layout to the final latents."""

from functools import partial

import pytest

from faceforge import Forge
from faceforge.aus import ORDERS
from faceforge.plugin import MAGICFACE
from faceforge_plugins.magicface import MagicFace
from tests.parity import paired
from tests.parity.golden import Case, aus_of, cases, read

pytestmark = cases("magicface")


@pytest.fixture(scope="module")
def case(request: pytest.FixtureRequest) -> Case:
    return read(request.param)


@pytest.fixture(scope="module")
def forge(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Forge:
    return paired.converted(case, MAGICFACE, MagicFace, tmp_path_factory.mktemp(case.name))


@pytest.fixture(scope="module")
def jobs(case: Case) -> paired.Jobs:
    changes = [{"aus": aus_of(row, ORDERS["disfa12"])} for row in case["in.au"]]
    return partial(paired.jobs, case, {"background": "in.bg_image"}, changes)


def test_the_identity_encoder_sees_what_the_release_sees(case: Case, forge: Forge) -> None:
    paired.pictures_become_the_recorded_latents(case, forge, "source", "bg")
    paired.the_identity_encoder_sees_what_the_release_sees(case, forge)


def test_one_forward_matches_inside_and_out(case: Case, forge: Forge, jobs: paired.Jobs) -> None:
    paired.one_forward_matches_inside_and_out(case, forge, jobs)


def test_every_step_of_the_pipeline_matches(case: Case, forge: Forge, jobs: paired.Jobs) -> None:
    paired.every_step_matches(case, forge, jobs)


def test_other_guidance_matches(case: Case, forge: Forge, jobs: paired.Jobs) -> None:
    paired.other_guidance_matches(case, forge, jobs)


def test_the_schedule_is_the_one_the_release_ran(case: Case, forge: Forge) -> None:
    paired.the_schedule_is_the_releases(case, forge)
