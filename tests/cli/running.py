"""Running commands: in this process where torch is loaded already, or as a user's shell would."""

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from faceforge.cli import main

TINY = ("--model", "tiny")  # the random miniature: every network, no meaning


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def refusal(self) -> str:
        """The one line of a refused command; anything else about it fails."""
        assert self.code not in (0, None), f"not refused: {self.out}"
        assert self.out == "", self.out
        assert self.err.startswith("Error: "), self.err
        assert self.err.count("\n") == 1, self.err
        assert "Traceback" not in self.err
        assert "Nobody foresaw" not in self.err, self.err
        return self.err


def run(*arguments: object) -> Ran:
    """A command in this process, through the same entry point as the installed one."""
    out, err = io.StringIO(), io.StringIO()
    code = None
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as leaving:
            code = leaving.code
    assert isinstance(code, int)
    return Ran(code, out.getvalue(), err.getvalue())


def run_apart(*arguments: object, cwd: Path, limit: int | None = None) -> Ran:
    """The same in a process of its own; `limit` is the largest file it may write, in bytes."""
    import resource

    def limited() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    made = subprocess.run(
        [sys.executable, "-c", "from faceforge.cli import main; main()", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        preexec_fn=limited,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    return Ran(made.returncode, made.stdout, made.stderr)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
