"""provlog submit: log over the network, and say nothing that was not verified."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import ExitStack, closing
from io import FileIO
from pathlib import Path

import click

from capture import Client
from cli import voice
from cli.arguments import AS_JSON, Named, is_address, log_and, split_words
from cli.bundles import Bundles
from cli.delivering import Delivery
from cli.hinting import hinted
from cli.inputs import Input, Inputs, Pause, opened_lines, read_files, read_lines
from cli.outcomes import Telling
from cli.places import warn_of_clear
from cli.remote import Remote
from cli.stopping import stoppable
from cli.trusted import POLICY, TOKEN_FILE, needed, read_token
from ledger.errors import Refused
from ledger.log.forms import record_in


@click.command(
    epilog="""\b
Exit status:
  0  all of it is logged, and every receipt was verified
  1  something was refused, or a receipt does not hold; what was said is logged
  2  it could not be carried out; what was said is logged

\b
With --json, one object a line, as of provlog append:
  {"file": F, "index": N, "repeated": B}     each FILE
  {"start": N, "stop": N}                    new lines that stand in a row
  {"line": L, "index": N, "repeated": true}  a line that was logged before
  {"file": F, "index": N, "flags": [...]}    what it lacks by a profile ("line" of one)
  {"line": L, "refused": WORD, "says": S}    what is not logged ("file" for a FILE);
                                             of a conflict "index": where its id is
  {"failed": WORD, "says": S, "first": L, "last": L}  what has no result

\b
Examples:
  provlog submit https://log.example run.json --policy log.policy
  provlog submit https://log.example run.json.cose --out run.bundle
  provlog submit https://log.example --lines runs.ndjson --out receipts/"""
)
@log_and("[FILE]...")
@click.option(
    "--lines",
    metavar="FILE",
    type=click.Path(),
    help="Log each line of FILE, or of standard input if it is -.",
)
@click.option(
    "--out",
    metavar="DIR|FILE",
    type=Named(path_type=Path),
    help="Write a bundle for each: DIR/NAME.bundle, of a line DIR/INDEX.bundle.",
)
@POLICY
@TOKEN_FILE
@AS_JSON
def submit(
    words: tuple[str, ...],
    lines: str | None,
    out: Path | None,
    policy: Path | None,
    token_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Log each FILE as one entry, or each line of one file, over the network.

    LOG is the address of a service, and may be left out where PROVLOG_URL has it. In
    a record log a FILE, or a line, is one record in JSON with an id; a FILE may also
    be one in canonical CBOR, or a statement that a producer has signed, as in a
    statement log each FILE is. What was logged before keeps its index, so the same
    command can be given again.
    """
    url, files = split_words(words, "FILE...", least=0, most=sys.maxsize)
    _check(url, files, lines)
    believed, token = needed(policy), read_token(token_file)
    warn_of_clear(url, token)
    bundles = Bundles.at(out, files)
    with ExitStack() as stack:
        # Before the log is asked anything: a name may be wrong.
        file = stack.enter_context(opened_lines(lines)) if lines is not None else None
        stack.enter_context(hinted(token))
        with closing(Remote(url, token)) as remote:
            kind = remote.kind
        if file and kind == "statement":
            raise click.UsageError("a statement may have LF in it; give each as a FILE")
        client = stack.enter_context(Client(url, token, believed))
        if file:
            delivery = _lines(client, file, bundles, kind, as_json=as_json)
        else:
            delivery = _files(client, files, bundles, kind, as_json=as_json)
        if delivery.trouble:
            raise delivery.trouble
    if delivery.telling.refusals:
        sys.exit(voice.BROKEN)


def _check(url: str, files: list[str], lines: str | None) -> None:
    if not is_address(url):
        says = (
            f"{url} is no http or https address: give that of the log first, or set "
            "PROVLOG_URL; for a folder: provlog append"
        )
        raise click.UsageError(says)
    if bool(files) == (lines is not None):
        raise click.UsageError("give either FILE..., or --lines FILE")
    if "-" in files:
        raise click.UsageError("- is no FILE; for standard input: --lines -")


def _files(
    client: Client, files: list[str], bundles: Bundles, kind: str, *, as_json: bool
) -> Delivery:
    done = 0

    def counted() -> Inputs:
        nonlocal done
        for each in read_files(files, kind):
            done += 1
            yield each

    with voice.meter() as bar:
        telling = Telling(as_json=as_json, bar=bar, progress=lambda: (done, len(files)))
        return _deliver(client, counted(), telling, bundles, kind)


def _lines(
    client: Client, file: FileIO, bundles: Bundles, kind: str, *, as_json: bool
) -> Delivery:
    with voice.meter(of_bytes=True) as bar:
        status = os.fstat(file.fileno())
        total = status.st_size if stat.S_ISREG(status.st_mode) else 0
        telling = Telling(
            as_json=as_json,
            bar=bar,
            progress=lambda: (file.tell(), total) if total else None,
        )
        given = read_lines(file, records=kind == "record")
        return _deliver(client, given, telling, bundles, kind)


def _deliver(
    client: Client, given: Inputs, telling: Telling, bundles: Bundles, kind: str
) -> Delivery:
    delivery = Delivery(client, telling, bundles)
    with stoppable() as stopping:
        for each in stopping.until_stopped(given):
            if isinstance(each, Pause):
                delivery.send()
            else:
                try:
                    data = _content(each, kind)
                except Refused as error:
                    telling.refused(each.where, error)
                else:
                    add = delivery.state if each.stated else delivery.add
                    add(each.where, data)
            if delivery.trouble:
                break
        if not stopping.stopped:
            delivery.send()
    if stopping.stopped and not delivery.trouble:
        voice.tell("interrupted; what was said is logged, and nothing else")
        sys.exit(voice.NOT_DONE)
    return delivery


def _content(given: Input, kind: str) -> bytes:
    """What is sent, or Refused."""
    data = given.data
    if isinstance(data, Refused):
        raise data
    if given.stated or kind != "record":
        return data
    return record_in(data, by_line=isinstance(given.where, int))
