"""Commands of other packages, and how failures look whoever causes them."""

from pathlib import Path

import pytest

from tests.cli.running import TINY, run

CODE = '''
import click

@click.command()
@click.argument("what")
def shout(what):
    """Say it loudly."""
    if what == "crash":
        raise RuntimeError("two\\nlines")
    if what == "stop":
        raise KeyboardInterrupt
    if what == "space":
        raise OSError(28, "No space left on device", "out.png")
    if what == "memory":
        raise MemoryError
    click.echo(what.upper())
    return {"seven": 7}.get(what)
'''


@pytest.fixture(autouse=True)
def _another_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    about = site / "loud-1.2.dist-info"
    about.mkdir(parents=True)
    (site / "loud.py").write_text(CODE)
    (site / "fails.py").write_text("import a_package_nobody_has")
    (about / "METADATA").write_text("Name: loud\nVersion: 1.2\n")
    (about / "entry_points.txt").write_text(
        "[faceforge.commands]\nshout = loud:shout\nfails = fails:command\nnothing = loud:click\nedit = loud:shout\n"
    )
    monkeypatch.syspath_prepend(site)


def test_commands_of_other_packages_are_listed_without_being_imported() -> None:
    page = run("--help").out
    assert "Commands of other packages" in page
    for name in ("shout", "fails", "nothing"):
        assert f"  {name} " in page
    assert "from loud 1.2" in page


def test_they_run_and_return_exit_codes() -> None:
    ran = run("shout", "seven")
    assert (ran.code, ran.out) == (7, "SEVEN\n")
    assert run("shout", "hello").code == 0


def test_they_cannot_take_the_place_of_ours() -> None:
    assert "Change the face" in run("edit", *TINY, "--help").out


def test_broken_ones_break_only_themselves() -> None:
    assert "'fails' from loud 1.2 does not import" in run("fails").refusal
    assert "is not a click command" in run("nothing").refusal
    assert run("plugins").code == 0


def test_an_unknown_command_suggests() -> None:
    ran = run("edti")
    assert ran.code == 2
    assert "Did you mean 'edit'?" in ran.refusal


def test_what_nobody_foresaw_is_still_one_line() -> None:
    ran = run("shout", "crash")
    assert ran.code == 1
    assert ran.err.count("\n") == 1
    assert "RuntimeError: two lines" in ran.err
    assert "--debug" in ran.err


@pytest.mark.parametrize("line", [["--debug", "shout", "crash"], ["shout", "crash", "--debug"]])
def test_debug_adds_the_traceback(line: list[str]) -> None:
    ran = run(*line)
    assert ran.code == 1
    assert "Traceback" in ran.err
    assert ran.err.splitlines()[-1].startswith("Error: RuntimeError")


def test_an_interrupt_is_130() -> None:
    ran = run("shout", "stop")
    assert ran.code == 130
    assert ran.err.strip() == "Error: Interrupted. Whatever was half written is removed."


def test_a_full_disk_and_full_memory_say_what_to_do() -> None:
    assert "No space left on device: 'out.png'" in run("shout", "space").refusal
    assert "--low-memory" in run("shout", "memory").refusal
