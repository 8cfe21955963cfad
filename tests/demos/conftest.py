"""A visitor who has opened the sample."""

import pytest

from faceforge_demos.session import Session


@pytest.fixture(scope="module")
def opened() -> Session:
    session = Session()
    session.open_sample()
    return session
