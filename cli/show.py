"""provlog show: what a record, or the log itself, says happened, in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from cli import voice
from cli.arguments import AS_JSON, log_and, split_words
from cli.following import index_of
from cli.places import shown_place
from cli.trusted import POLICY, TOKEN_FILE
from ledger.errors import Refused
from ledger.schema.telling import told
from verifier.entry import LOG, PREFIX, Entry
from verifier.errors import MalformedError
from verifier.own import Own, in_json, parse_own
from verifier.record import MEDIA_TYPE, parse_record
from verifier.report import escape, time_text

_WIDTH: Final = 10
_LONG: Final = 200
_IS: Final = {"opaque": "just bytes", "statement": "a statement"}


@click.command(
    epilog="""\b
Exit status:
  0  it is there, and was said
  1  there is no such entry, it is neither, or what was read does not hold
  2  it could not be carried out

\b
With --json, one object: index, at (ms), by and record; or in the place of record own,
which is all that the log says there, such as the schema of its records.

\b
Examples:
  provlog show LOG 4182093
  provlog show LOG rec:01a0c54a-5ad0-7aa2-bf0c-d051085a3e8f
  provlog show LOG 1 --json | jq -j .own.json_schema | sha256sum
  provlog show https://log.example 4182093 --policy log.policy"""
)
@log_and("INDEX")
@POLICY
@TOKEN_FILE
@AS_JSON
def show(
    words: tuple[str, ...],
    policy: Path | None,
    token_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Say what the record at INDEX says happened: who, with what, under which rules.

    In the place of INDEX may stand the id of a record, as links have it: rec:01a0…

    A line for each of what matters most; --json has all of it. What it names by a
    digest, check FILE finds. Where the log itself has entered something, such as its
    keys, it is that. The entry was held against the newest checkpoint, and with a
    policy that against the policy. LOG is an address, a log's folder or an exported
    one.
    """
    log, (word,) = split_words(words, "INDEX", least=1, most=1)
    with shown_place(log, policy, token_file) as place:
        index = index_of(place, log, token_file, word)
        (data,) = place.entries(index, index + 1)
    if place.kind not in ("record", "auto"):
        says = f"an entry of this log is no record, but {_IS[place.kind]}"
        raise Refused("record", says)
    entry = _entry(index, data)
    if entry.type == MEDIA_TYPE:
        name, whole = "record", parse_record(entry.body)
    else:
        name, whole = "own", in_json(parse_own(entry))
    if as_json:
        voice.say_json({"index": index, "at": entry.at, "by": entry.by, name: whole})
        return
    id_ = f", rec:{whole['id']}" if name == "record" else ""
    sure = "" if place.kind == "record" else "if this is a record log, "
    logged = f"{index}{id_}, {sure}by {entry.by} at {time_text(entry.at // 1000)}"
    voice.say(f"{'entry':<{_WIDTH}}  {escape(logged)}")
    for label, says in told(whole) if name == "record" else _own_told(whole):
        voice.say(f"{escape(label[:_LONG]):<{_WIDTH}}  {escape(says)}")


def _own_told(own: Own) -> Iterator[tuple[str, str]]:
    """What the log says itself; of long texts, how long they are."""
    for name, value in sorted(own.items(), key=lambda each: each[0] != "kind"):
        for each in value if isinstance(value, list) else [value]:
            text = str(each)
            long = len(text) > _LONG or not text.isprintable()
            yield name, f"{len(text.encode())} bytes; --json has them" if long else text


def _entry(index: int, data: bytes) -> Entry:
    """The entry, if there is a record in it, or what the log says itself."""
    try:
        entry = Entry.parse(data) if data.startswith(PREFIX) else None
    except MalformedError:
        entry = None
    if entry is None or (entry.type != MEDIA_TYPE and entry.by != LOG):
        says = f"entry {index} is no record; provlog list says what it is"
        raise Refused("record", says)
    return entry
