"""provlog list: what is in a log, entry by entry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from cli import voice
from cli.arguments import AS_JSON, log_and, split_words
from cli.described import described, line
from cli.places import Place, shown_place
from cli.seeking import Sought, no_kinds
from cli.times import moment
from cli.trusted import POLICY, TOKEN_FILE
from ledger.errors import Refused
from verifier.tile import WIDTH


@click.command(
    "list",
    epilog="""\b
Exit status:
  0  that was all
  1  there are no such entries, or what was read does not hold
  2  it could not be carried out

\b
With --json, one object a line: index, bytes and digest (sha256 of the entry); of an
entry of a record log also at (ms), by, type, and of a record id and kind; of the
log's own kind. Of a statement form (cose, dsse or sigstore), issuer, subject and
payload_type (null: it says none), and of one of in-toto predicate_type and predicate.

\b
Examples:
  provlog list LOG --last 10
  provlog list LOG --kind inference --workflow refund-7781 --since 2026-11-30T12:00:00Z
  provlog list https://log.example --start 4182000 --stop 4182100""",
)
@log_and("")
@click.option(
    "--start",
    type=click.IntRange(min=0),
    metavar="N",
    help="The first index.  [default: 0]",
)
@click.option(
    "--stop",
    type=click.IntRange(min=0),
    metavar="N",
    help="The index behind the last.  [default: the size]",
)
@click.option(
    "--last", type=click.IntRange(min=1), metavar="N", help="The newest N entries."
)
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    metavar="KIND",
    help="Only records of this kind; several may be given.",
)
@click.option("--workflow", metavar="ID", help="Only records of this workflow.")
@click.option("--actor", metavar="ID", help="Only records of this actor.")
@click.option(
    "--since", type=moment, metavar="TIME", help="Only what was logged since then."
)
@POLICY
@TOKEN_FILE
@AS_JSON
def list_(
    words: tuple[str, ...],
    start: int | None,
    stop: int | None,
    last: int | None,
    kinds: tuple[str, ...],
    workflow: str | None,
    actor: str | None,
    since: int | None,
    policy: Path | None,
    token_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """List the entries of LOG: index, time, submitter, and what kind of record.

    Of a statement: its form, who issued it about what, and what it says, or of which
    type that is. Of entries that are just bytes, how many and their digest. What is
    listed was held against the newest checkpoint, and with a policy that against the
    policy. With --kind, --workflow or --actor all of the range is read, and only those
    are listed; --last is the newest N entries, of which those are. LOG is an address, a
    log's folder or an exported one. A service lists what it has published: what was
    logged just now comes a moment later.
    """
    if last is not None and (start is not None or stop is not None):
        raise click.UsageError("--last stands for --start and --stop; give either")
    log, _ = split_words(words, "", least=0, most=0)
    for says in no_kinds(kinds):
        voice.tell(says)
    with shown_place(log, policy, token_file) as place:
        sought = Sought(
            kinds=kinds,
            workflow=workflow,
            actor=actor,
            since_ms=None if since is None else since * 1000,
        )
        wanted = sought.within(place, _range(place, start, stop, last))
        for index, entry in _entries(place, wanted):
            if sought.has(entry):
                _say(described(index, entry, place.kind), as_json=as_json)


def _range(
    place: Place, start: int | None, stop: int | None, last: int | None
) -> range:
    size = place.tree.size
    if last is not None:
        return range(max(size - last, 0), size)
    found = range(start or 0, size if stop is None else stop)
    if found.start > size or found.stop > size or found.start > found.stop:
        says = f"from {found.start} up to {found.stop}: the log has {size} entries"
        raise Refused("index", says)
    return found


def _entries(place: Place, wanted: range) -> Iterator[tuple[int, bytes]]:
    """The entries, read a tile at a time, as long as anybody listens."""
    at = wanted.start
    while at < wanted.stop and voice.heard():
        end = min(at - at % WIDTH + WIDTH, wanted.stop)
        yield from enumerate(place.entries(at, end), at)
        voice.said()
        at = end


def _say(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        voice.say_json(found)
    else:
        voice.say(line(found))
