"""provlog list: what is in a log, entry by entry."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import click

from cli import voice
from cli.arguments import AS_JSON, log_and, split_words
from cli.places import Own, Place, believe, opened
from cli.trusted import POLICY, TOKEN_FILE, read_policy, read_token
from ledger.errors import Refused
from verifier import own
from verifier.entry import LOG, PREFIX, Entry
from verifier.errors import MalformedError
from verifier.record import MEDIA_TYPE, digest_text, parse_record
from verifier.report import escape, time_text
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
entry of a record log also at (ms), by, type, and of a record id and kind.

\b
Examples:
  provlog list LOG --last 10
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
@POLICY
@TOKEN_FILE
@AS_JSON
def list_(
    words: tuple[str, ...],
    start: int | None,
    stop: int | None,
    last: int | None,
    policy: Path | None,
    token_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """List the entries of LOG: index, time, submitter, and what kind of record.

    Of entries that are just bytes, how many and their digest. What is listed was held
    against the newest checkpoint, and with a policy that against the policy. LOG is an
    address, a log's folder or an exported one. A service lists what it has published:
    what was logged just now comes a moment later.
    """
    if last is not None and (start is not None or stop is not None):
        raise click.UsageError("--last stands for --start and --stop; give either")
    log, _ = split_words(words, "", least=0, most=0)
    believed = read_policy(policy) if policy else None
    with opened(log, believed, read_token(token_file)) as place:
        if believed:
            believe(place, believed)
        elif not isinstance(place, Own):
            voice.tell("not verified: whom to believe is not said (--policy FILE)")
        for index, entry in _entries(place, _range(place, start, stop, last)):
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


def described(index: int, data: bytes, kind: str) -> dict[str, Any]:
    """What an entry is, as far as it is not just bytes."""
    found = {
        "index": index,
        "bytes": len(data),
        "digest": digest_text(sha256(data).digest()),
    }
    if kind not in ("record", "auto") or not data.startswith(PREFIX):
        return found
    try:
        entry = Entry.parse(data)
        found |= {"at": entry.at, "by": entry.by, "type": entry.type}
        if entry.by == LOG and entry.type == own.MEDIA_TYPE:
            found["kind"] = own.parse_own(entry)["kind"]
        elif entry.type == MEDIA_TYPE:
            record = parse_record(entry.body)
            found |= {"id": record["id"], "kind": record.get("kind")}
    except MalformedError as error:
        if kind == "record":
            raise MalformedError(f"entry {index}: {error}") from None
    return found


def _say(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        voice.say_json(found)
        return
    if "at" not in found:
        voice.say(f"{found['index']}  {found['bytes']} bytes  {found['digest']}")
        return
    seconds, ms = divmod(found["at"], 1000)
    time = time_text(seconds).replace("Z", f".{ms:03}Z")
    what = [found["type"], f"{found['bytes']} bytes"]
    if "kind" in found:
        # A record need not have one, and the others stay in their columns.
        what = [found["kind"] or "-", *([found["id"]] if "id" in found else [])]
    words = [found["index"], time, found["by"], *what]
    voice.say("  ".join(escape(str(each)) for each in words))
