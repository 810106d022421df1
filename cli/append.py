"""provlog append: log what is in files, and say at which index it stands."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import nullcontext
from io import FileIO
from pathlib import Path
from shlex import quote

import click

from cli import voice
from cli.arguments import AS_JSON, FOLDER, WITHOUT
from cli.inputs import Input, Inputs, Pause, opened_lines, read_files, read_lines
from cli.outcomes import Telling
from cli.sending import Sender
from cli.stopping import stoppable
from ledger.errors import Refused
from ledger.log.forms import record_in
from ledger.log.log import Log
from ledger.log.pool import Admitted
from ledger.upkeep.meaning import missing_rules


@click.command(
    epilog="""\b
Exit status:
  0  all of it is logged
  1  something was refused; the rest is logged
  2  it could not be carried out; what was said is logged

\b
An index counts what is logged: lines that are refused have none. In an opaque log an
empty line is an entry, and CR is part of its line.

\b
With --json, one object a line; "stop" is the index after the last:
  {"file": F, "index": N, "repeated": B}     each FILE
  {"start": N, "stop": N}                    the new lines of a batch
  {"line": L, "index": N, "repeated": true}  a line that was logged before
  {"file": F, "index": N, "flags": [...]}    what it lacks by a profile ("line" of one)
  {"line": L, "refused": WORD, "says": S}    what is not logged ("file" for a FILE);
                                             of a conflict "index": where its id is
  {"failed": WORD, "says": S, "first": L, "last": L}  a batch that is not logged

\b
Examples:
  provlog append LOG run.json model.json run.json.cose
  provlog append LOG --lines runs.ndjson"""
)
@FOLDER
@click.argument("files", nargs=-1, metavar="[FILE]...", type=click.Path())
@click.option(
    "--lines",
    metavar="FILE",
    type=click.Path(),
    help="Log each line of FILE, or of standard input if it is -.",
)
@WITHOUT
@AS_JSON
def append(
    folder: Path,
    files: tuple[str, ...],
    lines: str | None,
    without: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Log each FILE as one entry, or each line of one file.

    In a record log a FILE, or a line, is one record in JSON; a FILE may also be one
    in canonical CBOR, or a statement that a producer has signed, as in a statement
    log each FILE is. What is said on standard output is durable. What was logged
    before keeps its index, so the same command can be given again.
    """
    if bool(files) == (lines is not None):
        raise click.UsageError("give either FILE..., or --lines FILE")
    if "-" in files:
        raise click.UsageError("- is no FILE; for standard input: --lines -")
    with Log.open(folder, without=without) as log:
        if log.hold:
            raise log.hold
        _enter_rules(log)
        if lines is not None and log.charter.kind == "statement":
            raise click.UsageError("a statement may have LF in it; give each as a FILE")
        size = f"how much that is: provlog status {quote(str(folder))}"
        with (
            opened_lines(lines) if lines is not None else nullcontext() as file,
            voice.done(f"what was read before may be logged; {size}"),
        ):
            if file:
                _append_lines(log, file, as_json=as_json)
            else:
                _append_files(log, files, as_json=as_json)


def _enter_rules(log: Log) -> None:
    """Enter what records are judged by, if it is not there yet."""
    for each in missing_rules(log):
        try:
            log.submit([each]).wait()
        except Refused as error:
            voice.tell(f"warning: the rules for records are not in the log: {error}")


def _append_files(log: Log, files: tuple[str, ...], *, as_json: bool) -> None:
    done = 0

    def counted() -> Inputs:
        nonlocal done
        for each in read_files(files, log.charter.kind):
            done += 1
            yield each

    with voice.meter() as bar:
        telling = Telling(as_json=as_json, bar=bar, progress=lambda: (done, len(files)))
        _append(log, counted(), telling)


def _append_lines(log: Log, file: FileIO, *, as_json: bool) -> None:
    with voice.meter(of_bytes=True) as bar:
        status = os.fstat(file.fileno())
        total = status.st_size if stat.S_ISREG(status.st_mode) else 0
        telling = Telling(
            as_json=as_json,
            bar=bar,
            progress=lambda: (file.tell(), total) if total else None,
        )
        _append(log, read_lines(file, records=_of_records(log)), telling)


def _append(log: Log, inputs: Inputs, telling: Telling) -> None:
    sender = Sender(log, telling.outcome)
    with stoppable() as stopping:
        for each in stopping.until_stopped(inputs):
            if isinstance(each, Pause):
                sender.send()
                sender.settle()
            else:
                try:
                    sender.add(each.where, _admitted(log, each))
                except Refused as error:
                    telling.refused(each.where, error)
            if sender.trouble:
                break
        stopped = stopping.stopped
        if not stopped:
            sender.send()
        sender.settle()
    if sender.trouble:
        raise sender.trouble
    if stopped:
        voice.tell("interrupted; what was said is logged, and nothing else")
        sys.exit(voice.NOT_DONE)
    if telling.refusals:
        sys.exit(voice.BROKEN)


def _admitted(log: Log, given: Input) -> Admitted:
    """What may enter of what was given, or Refused."""
    data, by = given.data, log.charter.operator
    if isinstance(data, Refused):
        raise data
    if given.stated:
        return _stated(log, data, by)
    if _of_records(log):
        by_line = isinstance(given.where, int)
        demands = log.admission.demands
        data = record_in(data, by_line=by_line, demands=demands)
    return log.admission.admit(data, by=by)


def _stated(log: Log, data: bytes, by: str) -> Admitted:
    """What may enter of a statement; where it is nobody's, what would change that."""
    try:
        return log.admission.admit_statement(data, by=by)
    except Refused as error:
        if error.check != "producer":
            raise
        place = quote(str(log.home.folder))
        says = f"{error}; register a key: provlog producer add {place} NAME KEYFILE"
        raise Refused(error.check, says) from None


def _of_records(log: Log) -> bool:
    return log.charter.kind == "record"
