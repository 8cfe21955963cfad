"""Help in sections: an option says under which heading it belongs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any

import click

OTHER = "Options"


class Option(click.Option):
    """An option with the heading it belongs under."""

    def __init__(self, *declarations: Any, section: str = OTHER, **settings: Any) -> None:
        super().__init__(*declarations, **settings)
        self.section = section


class Command(click.Command):
    """A command whose help groups its options by section; the general ones come last."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and not isinstance(parameter, click.Argument):
                sections[getattr(parameter, "section", OTHER)].append(record)
        for title in sorted(sections, key=lambda title: title == OTHER):
            with formatter.section(title):
                formatter.write_dl(sections[title])


option: Callable[..., Callable[[Any], Any]] = partial(click.option, cls=Option)
