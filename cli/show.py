"""provlog show: what a record says happened, in plain words."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from cli import voice
from cli.arguments import AS_JSON, log_and, number, split_words
from cli.places import shown_place
from cli.trusted import POLICY, TOKEN_FILE
from ledger.errors import Refused
from ledger.schema.telling import told
from verifier.entry import PREFIX, Entry
from verifier.errors import MalformedError
from verifier.record import MEDIA_TYPE, parse_record
from verifier.report import escape

_WIDTH: Final = 10


@click.command(
    epilog="""\b
Exit status:
  0  it is there, and was said
  1  there is no such entry, it is no record, or what was read does not hold
  2  it could not be carried out

\b
With --json, one object: index, at (ms), by and record.

\b
Examples:
  provlog show LOG 4182093
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

    A line for each; what it names by a digest, check FILE finds. The entry was held
    against the newest checkpoint, and with a policy that against the policy. LOG is an
    address, a log's folder or an exported one.
    """
    log, (word,) = split_words(words, "INDEX", least=1, most=1)
    index = number(word, "INDEX")
    with shown_place(log, policy, token_file) as place:
        if index >= place.tree.size:
            says = f"there is no entry {index}: the log has {place.tree.size} entries"
            raise Refused("index", says)
        (data,) = place.entries(index, index + 1)
    entry = _entry(index, data)
    record = parse_record(entry.body)
    if as_json:
        said = {"index": index, "at": entry.at, "by": entry.by, "record": record}
        voice.say_json(said)
        return
    for label, says in told(record):
        voice.say(f"{label:<{_WIDTH}}  {escape(says)}")


def _entry(index: int, data: bytes) -> Entry:
    """The entry, if there is a record in it."""
    try:
        entry = Entry.parse(data) if data.startswith(PREFIX) else None
    except MalformedError:
        entry = None
    if entry is None or entry.type != MEDIA_TYPE:
        says = f"entry {index} is no record; provlog list says what it is"
        raise Refused("record", says)
    return entry
