"""Protocols over clips of a reader: folds, answers that are kept, and scores that are those of the protocols."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import save_file

from faceforge.errors import BadPicture, BadSpec, BadWeights, CannotWrite
from faceforge.io.journal import Journal
from faceforge.mer.answering import Detected
from faceforge.mer.corpora import read
from faceforge.mer.corpora.clips import Clip
from faceforge.mer.detectors import detector
from faceforge.mer.examination import answers_of, class_score, folds_of, key, table, unit_score
from faceforge.mer.f1 import uf1_uar
from faceforge.mer.protocols import CD6ME, UNITS, cd6me, summary
from tests.mer.test_corpora_coded import flow_tree

CORPORA = [*CD6ME, *CD6ME[::-1], "samm"]
RANDOM = np.random.default_rng(0)
TRUTH = RANDOM.integers(0, 2, (len(CORPORA), 12))
LOGITS = RANDOM.normal(size=TRUTH.shape)
CLIPS = [
    Clip(corpus, f"{row % 3}", f"c{row}", (Path("1.png"), Path("2.png")), 1, tuple(np.array(UNITS)[TRUTH[row] == 1]))
    for row, corpus in enumerate(CORPORA)
]


class Told:
    """Answers from a list, counted."""

    codes: Sequence[str] = UNITS
    about = {"told": True}  # noqa: RUF012

    def __init__(self, silent: str = "") -> None:
        self.asked: list[str] = []
        self.silent = silent

    def answer(self, clip: Clip) -> list[float]:
        self.asked.append(clip.name)
        if clip.name == self.silent:
            raise BadPicture("no face")
        return [float(each) for each in LOGITS[int(clip.name[1:])]]


def test_scores_are_those_of_the_protocol_in_its_order() -> None:
    found = unit_score(CLIPS, folds_of("cd6me", CLIPS), LOGITS.tolist())
    expected = summary(cd6me(CORPORA), TRUTH, LOGITS)
    assert list(found["corpora"]) == [*CD6ME]
    assert list(found["units"].values()) == pytest.approx(list(expected.per_unit))
    assert list(found["corpora"].values()) == pytest.approx(list(expected.per_dataset))
    assert f"**{expected.unit_average:.1f}**" in table(found)
    assert found["positives"]["AU1"] == TRUTH[:, 0].sum()
    one_out = unit_score(CLIPS, folds_of("loso", CLIPS), LOGITS.tolist())
    assert one_out["units"] == pytest.approx(found["units"])


def test_holdout_scores_what_it_tests_and_nothing_else() -> None:
    folds = folds_of("holdout", CLIPS, ("samm", "mmew"))
    rows = [row for row, corpus in enumerate(CORPORA) if corpus in ("samm", "mmew")]
    found = unit_score(CLIPS, folds, LOGITS.tolist())
    assert list(found["corpora"]) == ["samm", "mmew"]
    assert found["positives"] == dict(zip(UNITS, TRUTH[rows].sum(0), strict=True))
    assert all(set(fold.train).isdisjoint(rows) for fold in folds)
    for tested in ((), ("disfa",), tuple(CD6ME)):
        with pytest.raises(BadSpec, match="holdout tests some of"):
            folds_of("holdout", CLIPS, tested)


def test_an_examination_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    file, run = tmp_path / "answers.jsonl", {"judge": "told"}
    first, again, fresh = Told(), Told(), Told(silent="c2")
    begun = answers_of(CLIPS[:3], first, Journal(file, run))
    with file.open("a") as opened:
        opened.write('{"clip": "half')
    whole = answers_of(CLIPS, again, Journal(file, run))
    assert again.asked == [clip.name for clip in CLIPS[3:]]
    assert whole[:3] == begun
    assert whole == [pytest.approx(list(each)) for each in LOGITS]
    with pytest.raises(CannotWrite, match="another evaluation"):
        Journal(file, {"judge": "another"})
    silent = answers_of(CLIPS, fresh, Journal(tmp_path / "silent.jsonl", run))
    assert [clip.name for clip, each in zip(CLIPS, silent, strict=True) if each is None] == ["c2"]
    without = LOGITS.copy()
    without[2] = -1
    folds = folds_of("cd6me", CLIPS)
    assert unit_score(CLIPS, folds, silent) == unit_score(CLIPS, folds, without.tolist())


def test_clips_have_keys_of_their_own() -> None:
    other = Clip("casme", "0", "c0", (Path("5.png"), Path("9.png")), 1)
    assert len({key(clip) for clip in [*CLIPS, other]}) == len(CLIPS) + 1


@pytest.mark.filterwarnings("ignore:No clip has class")
def test_a_detector_answers_each_subject_with_the_weights_that_never_saw_him(tmp_path: Path) -> None:
    clips = read("flow", flow_tree(tmp_path / "flow")).clips
    weights = tmp_path / "weights"
    weights.mkdir()
    for number, subject in enumerate(("sub01", "s03", "006")):
        network = detector("ststnet", num_classes=3)
        network.fc.weight.data.zero_()  # type: ignore[union-attr, operator]
        network.fc.bias.data.zero_()[number] = 1  # type: ignore[union-attr, operator, index]
        save_file(dict(network.state_dict()), weights / f"{subject}.safetensors")
    answers = answers_of(clips, Detected("ststnet", weights), Journal(tmp_path / "answers.jsonl", {}))
    said = {clip.subject: int(np.argmax(each)) for clip, each in zip(clips, answers, strict=True) if each is not None}
    assert said == {"01": 0, "s03": 1, "006": 2}
    found = class_score(clips, answers)
    assert found["confusion"] == [[1, 1, 1]] * 3
    assert found["scores"]["all"] == {"uf1": pytest.approx(1 / 3), "uar": pytest.approx(1 / 3), "clips": 9}
    assert found["scores"]["smic"]["uar"] == pytest.approx(uf1_uar([0, 1, 2], [1, 1, 1])[1])
    (weights / "006.safetensors").unlink()
    with pytest.raises(BadWeights, match="no weights for '006'"):
        answers_of(clips, Detected("ststnet", weights), Journal(tmp_path / "again.jsonl", {}))


def test_what_is_not_among_a_protocol_s_corpora_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSpec, match=r"MEGC2019 is .*; casme, casme3a, fourd, mmew is not in it"):
        folds_of("megc2019", CLIPS)
    with pytest.raises(BadSpec, match="CD6ME is"):
        folds_of("cd6me", CLIPS[:3])
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadWeights, match="holds no weights"):
        Detected("ststnet", tmp_path / "empty")
    with pytest.raises(BadPicture, match="2 clips have no answer"):
        class_score(CLIPS[:2], [None, None])
