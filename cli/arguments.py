"""Arguments that commands have in common, and how all of them are read."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from cli import voice
from verifier.errors import MalformedError
from verifier.spelling import parse_decimal

_Command = TypeVar("_Command", bound=Callable[..., Any])

FOLDER: Final = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
AS_JSON: Final = click.option("--json", "as_json", is_flag=True, help="Write JSON.")
_URL_VARIABLE: Final = "PROVLOG_URL"
WITHOUT: Final = click.option(
    "--without",
    multiple=True,
    metavar="NAME",
    help="Do without the answer of this target, anchor or witness. May be repeated.",
)


class Named(click.Path):
    """Where something is written: an empty name would be that of this folder."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        """The path, if it has a name."""
        if not value:
            self.fail("it is empty", param, ctx)
        return super().convert(value, param, ctx)


class Commands(click.Group):
    """Commands in the order of a log's life, each of whose options is given once."""

    def list_commands(self, _: click.Context) -> list[str]:
        """The order in which they were added, which is not that of the alphabet."""
        return list(self.commands)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read what comes before the command; where there is none, help."""
        if not args and not ctx.resilient_parsing:
            voice.say(ctx.get_help())
            # Nobody has asked for anything, so nothing was carried out.
            ctx.exit(voice.NOT_DONE)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that `args` name, and what is left for it to read."""
        name, command, rest = super().resolve_command(ctx, args)
        # Who asks a shell to complete a line has not finished it.
        whole = not ctx.resilient_parsing
        if command and whole and not command.ignore_unknown_options:
            _check_once(click.Context(command, parent=ctx, info_name=name), rest)
        return name, command, rest


def _check_once(context: click.Context, args: list[str]) -> None:
    """Return if no option has two values, of which click would take the last."""
    _, _, given = context.command.make_parser(context).parse_args(list(args))
    for parameter, times in Counter(given).items():
        if times > 1 and isinstance(parameter, click.Option) and _once(parameter):
            name = parameter.opts[-1]
            raise click.UsageError(f"{name} is given twice; give it once", context)


def _once(option: click.Option) -> bool:
    """Whether a second value would be taken for the first; a switch has none."""
    return not (option.multiple or option.is_flag or option.count)


def log_and(metavar: str) -> Callable[[_Command], _Command]:
    """LOG and what belongs to it; LOG may be left out, so click cannot tell them."""
    metavar = f"[LOG] {metavar}".rstrip()
    return click.argument("words", metavar=metavar, nargs=-1, type=click.Path())


def split_words(
    words: Sequence[str], wanted: str, *, least: int, most: int
) -> tuple[str, list[str]]:
    """LOG, and the words behind it; LOG may be left out where PROVLOG_URL says it."""
    log, rest, whence = os.environ.get(_URL_VARIABLE, ""), list(words), ""
    if rest and (not log or _is_place(rest[0])):
        log = rest.pop(0)
    elif rest:
        no_place = f"{rest[0]!r} is no address, and no folder here"
        whence = f"LOG is {log} (from {_URL_VARIABLE}), for {no_place}; "
    if not log:
        says = f"which log is not said; give LOG, or set {_URL_VARIABLE}"
        raise click.UsageError(says)
    if not least <= len(rest) <= most:
        given = " ".join(rest) or "nothing"
        says = f"{whence}after LOG comes {wanted or 'nothing'}, not {given!r}"
        raise click.UsageError(says)
    return log, rest


def number(word: str, name: str) -> int:
    """An index or a size, in the one spelling that these have."""
    try:
        return parse_decimal(word, name)
    except MalformedError as error:
        raise click.UsageError(str(error)) from None


def is_address(log: str) -> bool:
    """Whether it is behind an address."""
    return log.startswith(("http://", "https://"))


def _is_place(word: str) -> bool:
    """Whether somebody means a log by it, where one is named already."""
    return is_address(word) or (os.path.isdir(word) and not word.isdigit())
