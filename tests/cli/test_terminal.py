"""What is said while a command works, and to whom."""

import io
import warnings
from contextlib import redirect_stderr
from pathlib import Path

from faceforge.cli.terminal import Progress, warnings_as_notes
from faceforge.core.loop import Step
from tests.cli.running import TINY, run
from tests.makes import portrait


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def steps(progress: Progress) -> None:
    for number in (1, 2):
        progress.step(Step(number, 2, 0, None, None))  # type: ignore[arg-type]


def test_a_terminal_shows_steps_and_pictures_and_is_left_clean() -> None:
    with redirect_stderr(Terminal()) as screen, Progress(3) as progress:
        steps(progress)
        progress.picture(1)
        steps(progress)
    shown = screen.getvalue()
    assert "2/2" in shown
    assert "1/3 pictures" in shown
    assert shown.split("\r")[-1] == ""


def test_a_file_gets_no_progress_bar() -> None:
    with redirect_stderr(io.StringIO()) as file, Progress() as progress:
        steps(progress)
    assert file.getvalue() == ""


def test_warnings_are_one_line_and_those_for_programmers_are_none() -> None:
    with redirect_stderr(io.StringIO()) as file, warnings_as_notes():
        warnings.warn("two\nlines", stacklevel=1)
        warnings.warn("old name", DeprecationWarning, stacklevel=1)
        warnings.warn("will change", FutureWarning, stacklevel=1)
    assert file.getvalue() == "Note: two lines\n"


def test_an_animation_is_used_with_a_note(here: Path) -> None:
    portrait(side=40).save("in.gif", save_all=True, append_images=[portrait(seed=1, side=40)])
    ran = run("edit", *TINY, "in.gif", "--steps", 1, "-o", "out.png")
    assert ran.code == 0
    assert ran.err == "Note: 'in.gif' has several frames; only the first is used.\n"


def test_clipped_numbers_are_told(here: Path) -> None:
    assert run("new", "glow").code == 0
    text = Path("glow.py").read_text().replace('kind="change")', 'kind="change", range=(-1.0, 1.0))')
    Path("glow.py").write_text(text)
    ran = run("edit", *TINY, "--plugin", "glow.py", "--au", "AU12=3", "--steps", 1, "-o", "out.png")
    assert "glow: AU12 was clipped from 3 to 1" in ran.out
