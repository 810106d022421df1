"""provlog freeze: end a log, for ever."""

from __future__ import annotations

import sys
from pathlib import Path
from shlex import quote

import click

from cli import voice
from cli.arguments import FOLDER, WITHOUT
from ledger.clock import read_clock
from ledger.errors import Refused
from ledger.log.log import Log
from ledger.log.own import freeze as last_entry
from ledger.log.pool import Admitted
from verifier.errors import MalformedError


@click.command(
    epilog="""\b
Exit status:
  0  the log has ended; its last checkpoint is on standard output
  1  the reason cannot be logged, and nothing has happened
  2  it could not be carried out, or was not confirmed

\b
Example:
  provlog freeze LOG --reason "key stolen" > final-checkpoint"""
)
@FOLDER
@click.option(
    "--reason", metavar="TEXT", help="Why; it is logged, in a record log only."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@WITHOUT
def freeze(
    folder: Path, reason: str | None, without: tuple[str, ...], *, yes: bool
) -> None:
    """End the log in DIR, for ever: nothing is appended to it after this.

    What was logged stays, and can be verified. A log that has ended says its last
    checkpoint again.
    """
    with Log.open(folder, without=without) as log:
        if log.hold and log.hold.state == "frozen":
            if reason is not None:
                voice.tell("warning: it had ended before; this reason is not logged")
        else:
            if log.hold:
                raise log.hold
            last = _last(log, reason)
            if not yes:
                _confirm(log)
            log.submit(last, freeze=True).wait()
        note = log.checkpoint(time=read_clock().wall_ms // 1000)
        size, root = log.head.size, log.head.root
    again = f"provlog freeze {quote(str(folder))}"
    with voice.done(f"the log has ended; its checkpoint again: {again}"):
        voice.give(note)
    voice.tell(f"{log.charter.origin} has ended at size {size}")
    voice.tell(f"verifiers pin that with --final {size}:{root.hex()}")
    voice.tell(
        f"next, so that they see its end: provlog export {quote(str(folder))} DEST"
    )


def _last(log: Log, reason: str | None) -> list[Admitted]:
    if log.charter.kind != "record":
        if reason is not None:
            raise click.UsageError(
                f"a {log.charter.kind} log has no room for a reason; leave it out"
            )
        return []
    try:
        return [last_entry(reason or "")]
    except MalformedError as error:
        raise Refused("reason", f"the reason: {error}") from None


def _confirm(log: Log) -> None:
    if not sys.stdin.isatty():
        raise click.UsageError("a freeze is for ever; if that is meant, give --yes")
    voice.tell(f"{log.charter.origin} will end at its size, {log.head.size}, for ever")
    if not click.confirm("freeze it", err=True):
        voice.tell("nothing was done")
        sys.exit(voice.NOT_DONE)
