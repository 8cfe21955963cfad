"""The command line: `faceforge COMMAND`, one file per command, each loaded only when it is used.

Exit codes: 0 done, 1 refused or failed, 2 not a valid command line, 130 interrupted; `check` counts failures.
"""

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from faceforge import __version__
from faceforge.cli.commands import Commands
from faceforge.cli.failures import one_line
from faceforge.cli.terminal import spare_processor, warnings_as_notes


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="faceforge %(version)s")
def cli() -> None:
    """Edit faces: say what should change in action units (FACS), and plugins make a diffusion model do it.

    \b
    Examples:
      faceforge edit --au AU12=2 --au AU6=1 -o smile.png      # smile, on the shipped sample portrait
      faceforge edit ada.png --preset surprise -o ada-surprised.png
      faceforge sweep ada.png --au AU4 --values -3:3:1 -o frown.png
      faceforge plugins                                       # what is installed, and its licence
      faceforge doctor                                        # what works on this machine

    Every command explains itself: faceforge COMMAND --help. Exit codes: 0 done, 1 refused or failed, 2 not a
    valid command line, 130 interrupted.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and leave with its exit code; every failure is one line on stderr."""
    spare_processor()
    with warnings_as_notes():
        sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    try:
        code = cli.main(arguments, prog_name="faceforge", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "faceforge"
        click.echo(f"Error: {one_line(error.format_message())} See `{where} --help`.", err=True)
        return error.exit_code
    except click.ClickException as error:
        click.echo(f"Error: {one_line(error.format_message())}", err=True)
        return error.exit_code
    except click.Abort:
        click.echo("Error: Interrupted. Whatever was half written is removed.", err=True)
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
