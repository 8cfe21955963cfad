"""Every registered plugin keeps every law of the contract."""

import pytest

from faceforge.store.registry import listings, plugin_class
from faceforge.testing import LAWS, Bench, Law

KINDS = [listing.name for listing in listings()]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("kind", KINDS)
def test_every_plugin_keeps_every_law(kind: str, law: Law) -> None:
    law(Bench(plugin_class(kind)))


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_fineface_keeps_every_law_with_its_lora(law: Law) -> None:
    law(Bench(plugin_class("fineface"), rank=4))


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_identity_keeps_every_law_when_it_leaves_the_null_branch(law: Law) -> None:
    law(Bench(plugin_class("identity"), normed=True, null="drop"))
