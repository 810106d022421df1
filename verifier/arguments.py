"""The words of the auditor's command line, and how their values are read."""

from __future__ import annotations

import argparse
import os
import re
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, NoReturn, TypeAlias

from verifier.coseclaim import LEAVES
from verifier.entry import KINDS
from verifier.errors import MalformedError
from verifier.report import escape
from verifier.spelling import parse_decimal, parse_hash

_STATUS = """exit status:
  0  what was asked holds
  1  it does not hold; the report says which check
  2  it could not be carried out"""


class _Parser(argparse.ArgumentParser):
    """One that guesses nothing, and escapes what it repeats."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, allow_abbrev=False)
        self.register("action", None, _Once)

    def error(self, message: str) -> NoReturn:
        super().error(escape(message))


class _Once(argparse.Action):
    """An option that is given once: a file whose name is an option gives it again."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        given = namespace.__dict__.setdefault("given", set())
        if option_string and self.dest in given:
            parser.error(f"{option_string} is given twice")
        given.add(self.dest)
        setattr(namespace, self.dest, values)


# argparse has no public name for it.
_Commands: TypeAlias = "argparse._SubParsersAction[_Parser]"  # noqa: SLF001
VARIABLE: Final = "PROVLOG_TOKEN"
_FILE_OR_STDIN: Final = "a file, or - for standard input"
_FOLDER_OR_ADDRESS: Final = "a folder, or an http(s) address"


def parser(prog: str) -> argparse.ArgumentParser:
    """The command line of `prog`."""
    top = _Parser(
        prog=prog,
        description="Check what a transparency log says, without trusting it.",
        epilog=_STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=_version())
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    _add_verify(commands)
    _add_audit(commands)
    _add_monitor(commands)
    inspect = _command(commands, "inspect", "say what a file is, verifying nothing")
    inspect.add_argument("evidence", metavar="FILE", help=_FILE_OR_STDIN)
    return top


def options_of(command: str) -> list[str]:
    """The options of `command`, for a shell that completes them."""
    # argparse has no public name for these, either.
    groups = parser("")._subparsers._group_actions  # type: ignore[union-attr] # noqa: SLF001
    commands: _Commands = groups[0]  # type: ignore[assignment]
    return [*commands.choices[command]._option_string_actions]  # noqa: SLF001


def _add_verify(commands: _Commands) -> None:
    verify = _command(
        commands, "verify", "check a bundle, a receipt or a transparent statement"
    )
    _add_trust(verify)
    option = verify.add_argument
    option("--entry", metavar="FILE", help="the entry that the evidence is about")
    option("--artifact", metavar="FILE", help="a file that the entry must describe")
    option(
        "--producer",
        metavar="FILE",
        action="append",
        help="whose statement it must be: keys, certificates, or a log's register of "
        "producers; may be repeated",
    )
    option(
        "--threshold",
        type=_count,
        default=1,
        metavar="N",
        help="how many of these keys must have signed [%(default)s]",
    )
    option(
        "--from",
        dest="first",
        type=_parse_first,
        metavar="SIZE:ROOT",
        help="the tree that you believed before, for a COSE receipt that it only grew",
    )
    option(
        "--leaf",
        choices=LEAVES,
        default=LEAVES[0],
        help="what the log of a COSE receipt has for an entry: the statement, or its "
        "SHA-256, as some services do [%(default)s]",
    )
    _add_kind(verify)
    option(
        "--misbehaviour",
        action="store_true",
        help="the evidence is a proof that the log has signed two histories",
    )
    option("evidence", metavar="EVIDENCE", help=_FILE_OR_STDIN)


def _add_audit(commands: _Commands) -> None:
    audit = _command(
        commands, "audit", "check a whole log: every entry, every tile, the root"
    )
    _add_trust(audit)
    option = audit.add_argument
    option(
        "--checkpoint",
        metavar="FILE",
        help="hold the log against this checkpoint, or that of this receipt or bundle",
    )
    _add_kind(audit)
    option("--strict", action="store_true", help="decode every entry of a record log")
    option(
        "--processes",
        type=_count,
        default=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1,
        metavar="N",
        help="how many processes share the work [%(default)s]",
    )
    option("--resume", metavar="FILE", help="keep the progress here, and go on from it")
    _add_token(audit)
    option("source", metavar="SOURCE", help=_FOLDER_OR_ADDRESS)


def _add_monitor(commands: _Commands) -> None:
    monitor = _command(commands, "monitor", "see that a log has grown, and only grown")
    _add_trust(monitor)
    option = monitor.add_argument
    option(
        "--state",
        metavar="FILE",
        required=True,
        help="what was seen, from one round to the next",
    )
    _add_token(monitor)
    option("source", metavar="SOURCE", help=_FOLDER_OR_ADDRESS)


def _command(commands: _Commands, name: str, says: str) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name,
        help=says,
        description=says[0].upper() + says[1:] + ".",
        epilog=_STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("--json", action="store_true", help="write the report as JSON")
    return command


def _add_trust(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--policy",
        metavar="FILE",
        required=True,
        help="whom to believe (c2sp.org/tlog-policy)",
    )
    command.add_argument(
        "--max-age",
        type=_count,
        metavar="SECONDS",
        help="how old the quorum's newest cosignatures may be",
    )
    command.add_argument(
        "--now",
        type=_time,
        metavar="TIME",
        help="the time to measure age by: 2026-11-20T10:00:00Z, or seconds [the clock]",
    )
    command.add_argument(
        "--final",
        type=parse_final,
        metavar="SIZE:ROOT",
        help="the last tree of a log whose key was lost; root in hex or base64",
    )
    command.add_argument(
        "--allow-extensions",
        action="store_true",
        help="accept checkpoints with extension lines, which are not read",
    )


def _add_token(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--token-file",
        metavar="FILE",
        help=f"where a token for SOURCE is, else in {VARIABLE}; never on the "
        "command line, which others can see",
    )


def _add_kind(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--entries",
        choices=KINDS,
        default="auto",
        help="read entries as those of such a log, or as they look [%(default)s]",
    )


def _version() -> str:
    for name in ("provlog-verifier", "provlog"):
        with suppress(PackageNotFoundError):
            return version(name)
    return "not installed"


def _count(text: str) -> int:
    try:
        number = parse_decimal(text, "the number")
    except MalformedError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if not number:
        raise argparse.ArgumentTypeError("it must be at least 1")
    return number


def _time(text: str) -> int:
    """Seconds since the epoch, or a time such as 2026-11-20T10:00:00Z."""
    if text.isascii() and text.isdigit():
        if len(text) == len("20261120"):
            raise argparse.ArgumentTypeError("for a day write 2026-11-20T00:00:00Z")
        return _count(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            "not seconds since 1970 or an ISO 8601 time"
        ) from None
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError("the time has no zone; end it with Z for UTC")
    try:
        return int(moment.astimezone(UTC).timestamp())
    except OverflowError:
        raise argparse.ArgumentTypeError("the time is too far away") from None


def parse_final(text: str) -> tuple[int, bytes]:
    """SIZE:ROOT, the root in hex or base64; ArgumentTypeError if it is neither."""
    return _parse_tree(text, "final")


def _parse_first(text: str) -> tuple[int, bytes]:
    return _parse_tree(text, "first")


def _parse_tree(text: str, which: str) -> tuple[int, bytes]:
    size, _, root = text.partition(":")
    root = root.removeprefix("sha256:")
    try:
        if re.fullmatch("[0-9a-f]{64}", root):
            return parse_decimal(size, f"the {which} size"), bytes.fromhex(root)
        found = parse_hash(root, f"the {which} root")
        return parse_decimal(size, f"the {which} size"), found
    except MalformedError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
