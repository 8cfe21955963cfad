"""RigFace against its published classes: from a folder in the release's layout to the final latents."""

from functools import partial

import pytest
import torch

from faceforge import Forge
from faceforge.plugin import RIGFACE
from faceforge_plugins.rigface import RigFace
from tests.parity import paired
from tests.parity.golden import Case, cases, close, read

pytestmark = cases("rigface")
PICTURES = {"background": "in.bg_image", "render": "in.render_image"}


@pytest.fixture(scope="module")
def case(request: pytest.FixtureRequest) -> Case:
    return read(request.param)


@pytest.fixture(scope="module")
def forge(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Forge:
    below = "checkpoint-70000" if case.facts["batch"] > 1 else ""  # both layouts that its loader may meet
    return paired.converted(case, RIGFACE, RigFace, tmp_path_factory.mktemp(case.name), below)


@pytest.fixture(scope="module")
def jobs(case: Case) -> paired.Jobs:
    wanted = [{"vectors": {"expression": row}} for row in case["in.exp"]]
    return partial(paired.jobs, case, PICTURES, wanted)


def test_the_identity_encoder_sees_what_the_release_sees(case: Case, forge: Forge) -> None:
    paired.pictures_become_the_recorded_latents(case, forge, "source", "bg", "render")
    paired.the_identity_encoder_sees_what_the_release_sees(case, forge)


def test_one_forward_matches_inside_and_out(case: Case, forge: Forge, jobs: paired.Jobs) -> None:
    paired.one_forward_matches_inside_and_out(case, forge, jobs)


def test_every_step_of_the_pipeline_matches(case: Case, forge: Forge, jobs: paired.Jobs) -> None:
    paired.every_step_matches(case, forge, jobs)


def test_the_schedule_is_the_one_the_release_ran(case: Case, forge: Forge) -> None:
    paired.the_schedule_is_the_releases(case, forge)


def test_other_guidance_matches(case: Case, forge: Forge, jobs: paired.Jobs) -> None:
    paired.other_guidance_matches(case, forge, jobs)
    for guidance in (0.0, 7.5):  # whatever it is: a release that doubles its batch with two equal halves
        found = torch.stack([result.latents for result in forge.edit_many(jobs(guidance=guidance))])
        close(found, case["out.pipe.latents"], 1e-3)
