"""The words of the auditor's command line, and how their values are read."""

from __future__ import annotations

import argparse
import os
import re
from datetime import UTC, datetime

from verifier.claim import KINDS
from verifier.errors import MalformedError
from verifier.spelling import parse_decimal, parse_hash

_STATUS = """exit status:
  0  what was asked holds
  1  it does not hold; the report says which check
  2  it could not be carried out"""


def parser(prog: str) -> argparse.ArgumentParser:
    """The command line of `prog`."""
    top = argparse.ArgumentParser(
        prog=prog,
        description="Check what a transparency log says, without trusting it.",
        epilog=_STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    verify = _command(commands, "verify", "check a bundle or a tlog-proof, offline")
    _add_trust(verify)
    verify.add_argument(
        "--entry", metavar="FILE", help="the entry that the evidence is about"
    )
    verify.add_argument(
        "--artifact", metavar="FILE", help="a file that the entry must describe"
    )
    _add_kind(verify)
    verify.add_argument(
        "evidence", metavar="EVIDENCE", help="a file, or - for standard input"
    )

    audit = _command(
        commands, "audit", "check a whole log: every entry, every tile, the root"
    )
    _add_trust(audit)
    audit.add_argument(
        "--checkpoint",
        metavar="FILE",
        help="hold the log against this one, not against its own",
    )
    _add_kind(audit)
    audit.add_argument(
        "--strict", action="store_true", help="decode every entry of a record log"
    )
    audit.add_argument(
        "--processes",
        type=_count,
        default=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1,
        metavar="N",
        help="how many processes share the work [%(default)s]",
    )
    audit.add_argument(
        "--resume", metavar="FILE", help="keep the progress here, and go on from it"
    )
    audit.add_argument(
        "source", metavar="SOURCE", help="a folder, or an http(s) address"
    )

    monitor = _command(commands, "monitor", "see that a log has grown, and only grown")
    _add_trust(monitor)
    monitor.add_argument(
        "--state",
        metavar="FILE",
        required=True,
        help="what was seen, from one round to the next",
    )
    monitor.add_argument(
        "source", metavar="SOURCE", help="a folder, or an http(s) address"
    )

    inspect = _command(commands, "inspect", "say what a file is, verifying nothing")
    inspect.add_argument(
        "evidence", metavar="FILE", help="a file, or - for standard input"
    )
    return top


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, says: str
) -> argparse.ArgumentParser:
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
        help="the time to measure age by [the clock]",
    )
    command.add_argument(
        "--final",
        type=_final,
        metavar="SIZE:ROOT",
        help="the last tree of a log whose key was lost; root in hex or base64",
    )
    command.add_argument(
        "--allow-extensions",
        action="store_true",
        help="accept checkpoints with extension lines, which are not read",
    )


def _add_kind(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--entries",
        choices=KINDS,
        default="auto",
        help="read entries as a record log's, as bytes, or as they look [%(default)s]",
    )


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


def _final(text: str) -> tuple[int, bytes]:
    size, _, root = text.partition(":")
    root = root.removeprefix("sha256:")
    try:
        if re.fullmatch("[0-9a-f]{64}", root):
            return parse_decimal(size, "the final size"), bytes.fromhex(root)
        return parse_decimal(size, "the final size"), parse_hash(root, "the final root")
    except MalformedError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
