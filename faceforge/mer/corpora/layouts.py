"""How each corpus lies on disk and what its table calls things: one row per corpus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from faceforge.aus import ORDERS


@dataclass(frozen=True)
class Layout:
    """One corpus: its table, its folders, and what is known of it when it is whole."""

    title: str
    clips: int  # of the whole corpus; 0 where that is not known
    folder: str  # where a clip lies, with {id}, {subject}, {emotion} and {clip}
    licence: str
    columns: Mapping[str, str] = field(default_factory=dict)  # by what they hold; without any, folders say everything
    optional: Mapping[str, str] = field(default_factory=dict)  # columns that not every edition has
    ignored: tuple[str, ...] = ()  # columns that are known and of no use here
    digits: int = 0  # of a subject's number; 0 leaves subjects as they are written
    prefix: str = ""  # before that number
    middle: bool = False  # no apex is coded: the frame halfway is taken
    numbered: bool = False  # clips of one name get a running number on disk
    again: Mapping[str, str] = field(default_factory=dict)  # emotions that folders call otherwise
    alone: tuple[int, ...] = ()  # action units with clips enough to train on this corpus alone
    positives: tuple[int, ...] = ()  # clips with each unit of CD6ME, when whole

    @property
    def published(self) -> dict[str, int]:
        """Clips of the whole corpus with each unit of CD6ME."""
        return dict(zip(ORDERS["cd6me12"], self.positives, strict=True)) if self.positives else {}


_CAS = "signed agreement with the Institute of Psychology, CAS (casme.psych.ac.cn)"
_OULU = "signed agreement with the University of Oulu"

_WIDELY = {  # columns that corpora after CASME II call alike
    "subject": "Subject",
    "clip": "Filename",
    "onset": "OnsetFrame",
    "apex": "ApexFrame",
    "offset": "OffsetFrame",
    "units": "Action Units",
    "emotion": "Estimated Emotion",
}

LAYOUTS: Mapping[str, Layout] = {
    "casme": Layout(
        title="CASME",
        clips=189,
        folder="sub{subject}/{clip}",
        licence=_CAS,
        columns={
            "subject": "Subject",
            "clip": "Filename",
            "onset": "OnsetF",
            "apex": "ApexF1",
            "offset": "OffsetF",
            "emotion": "Emotion",
            "units": "AU",
        },
        ignored=("ApexF2",),
        digits=2,
        alone=(1, 4, 9, 14),
        positives=(23, 17, 70, 0, 1, 4, 40, 3, 9, 23, 14, 13),
    ),
    "casme2": Layout(
        title="CASME II",
        clips=256,
        folder="sub{subject}/{clip}",
        licence=_CAS,
        columns=_WIDELY,
        optional={"objective": "Objective Class"},
        digits=2,
        alone=(1, 2, 4, 7, 12, 14, 15, 17),
        positives=(26, 22, 130, 2, 13, 39, 13, 16, 34, 27, 16, 25),
    ),
    "samm": Layout(
        title="SAMM",
        clips=159,
        folder="{subject}/{clip}",
        licence="signed agreement with Manchester Metropolitan University",
        columns={**_WIDELY, "objective": "Objective Classes"},
        ignored=("Inducement Code", "Duration", "Micro", "Notes"),
        digits=3,
        alone=(2, 4, 7, 12),
        positives=(6, 18, 23, 10, 3, 46, 5, 6, 28, 13, 4, 6),
    ),
    "smic": Layout(
        title="SMIC-HS",
        clips=164,
        folder="{id}/micro/{emotion}/{clip}",
        licence=_OULU,
        digits=2,
        prefix="s",
        middle=True,
    ),
    "fourd": Layout(
        title="4DME, grey",
        clips=267,
        folder="{id}/{clip}",
        licence=_OULU,
        columns={
            "subject": "sub_ID",
            "clip": "fold_name",
            "onset": "Onset",
            "apex": "Apex",
            "offset": "Offset",
            "units": "AUs",
        },
        optional={"emotion": "Emotion"},
        ignored=(
            "fold",
            "Length",
            "eye blink",
            "Positive",
            "Negative",
            "Surprise",
            "Repression",
            "Others",
            "Total",
            "subME_number",
            "video_number",
            "video emo",
            "self-report emo",
        ),
        digits=2,
        prefix="S",
        alone=(1, 2, 4, 6, 7, 12, 17, 45),
        positives=(46, 54, 102, 8, 25, 89, 1, 2, 53, 4, 6, 11),
    ),
    "mmew": Layout(
        title="MMEW",
        clips=300,
        folder="{emotion}/{clip}",
        licence="signed agreement with its authors (Shandong University)",
        columns=_WIDELY,
        ignored=("remarks",),
        digits=2,
        prefix="S",
        again={"others": "repression"},
        alone=(1, 2, 4, 5, 7, 10, 12, 14),
        positives=(50, 41, 109, 70, 10, 47, 8, 38, 37, 17, 6, 11),
    ),
    "casme3a": Layout(
        title="CAS(ME)3, part A",
        clips=860,
        folder="{id}/{clip}/color",
        licence=_CAS,
        columns={
            "subject": "Subject",
            "clip": "Filename",
            "onset": "Onset",
            "apex": "Apex",
            "offset": "Offset",
            "units": "AU",
            "emotion": "emotion",
        },
        optional={"objective": "Objective class"},
        numbered=True,
        positives=(153, 128, 274, 44, 8, 27, 50, 10, 15, 193, 6, 20),
    ),
    "casme3c": Layout(
        title="CAS(ME)3, part C",
        clips=0,
        folder="{subject}/{clip}/color",
        licence=_CAS,
        columns={"subject": "sub", "clip": "count", "onset": "onset", "offset": "offset", "units": "au"},
        optional={"emotion": "emotion"},
        ignored=("PHY",),
        digits=2,
        middle=True,
    ),
}
