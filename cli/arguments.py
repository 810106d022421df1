"""Arguments that commands have in common, and how all of them are read."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final

import click

from cli import voice

FOLDER: Final = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
AS_JSON: Final = click.option("--json", "as_json", is_flag=True, help="Write JSON.")
WITHOUT: Final = click.option(
    "--without",
    multiple=True,
    metavar="TARGET",
    help="Do without the answer of this target. May be repeated.",
)


class Commands(click.Group):
    """Commands in the order of a log's life, each of whose options is given once."""

    def list_commands(self, _: click.Context) -> list[str]:
        """The order in which they were added, which is not that of the alphabet."""
        return list(self.commands)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read what comes before the command; where there is none, help."""
        if not args:
            voice.say(ctx.get_help())
            # Nobody has asked for anything, so nothing was carried out.
            ctx.exit(voice.NOT_DONE)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that `args` name, and what is left for it to read."""
        name, command, rest = super().resolve_command(ctx, args)
        if command and not command.ignore_unknown_options:
            _check_once(click.Context(command, parent=ctx, info_name=name), rest)
        return name, command, rest


def _check_once(context: click.Context, args: list[str]) -> None:
    """Return if no option has two values, of which click would take the last."""
    if context.resilient_parsing:
        return
    _, _, given = context.command.make_parser(context).parse_args(list(args))
    for parameter, times in Counter(given).items():
        if times > 1 and isinstance(parameter, click.Option) and _once(parameter):
            name = parameter.opts[-1]
            raise click.UsageError(f"{name} is given twice; give it once", context)


def _once(option: click.Option) -> bool:
    """Whether a second value would be taken for the first; a switch has none."""
    return not (option.multiple or option.is_flag or option.count)
