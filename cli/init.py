"""provlog init: make a log, and say what to do with what was made."""

from __future__ import annotations

from pathlib import Path

import click

from cli import voice
from cli.arguments import AS_JSON
from cli.keys import key_document, key_words
from ledger.keys.keyfile import read_note_key
from ledger.log.home import Home
from ledger.log.look import look
from ledger.log.states import mended_by
from ledger.store import KINDS
from ledger.upkeep.birth import init as make
from ledger.upkeep.birth import new_charter, new_keys


@click.command(
    epilog="""\b
Exit status:
  0  the log is made
  1  it was refused, and nothing was made
  2  it could not be carried out

\b
Example:
  provlog init LOG --origin log.example/prod"""
)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--origin",
    metavar="NAME",
    required=True,
    help="The log's name, which never changes: a domain of yours, and a path.",
)
@click.option(
    "--entries",
    type=click.Choice(KINDS),
    default="record",
    show_default=True,
    help="What is logged: records, signed statements, or any bytes.",
)
@click.option(
    "--dedupe", is_flag=True, help="In an opaque log, log the same bytes only once."
)
@click.option(
    "--key",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Sign with this Ed25519 note key, instead of one that is made.",
)
@AS_JSON
def init(
    folder: Path,
    origin: str,
    entries: str,
    key: Path | None,
    *,
    dedupe: bool,
    as_json: bool,
) -> None:
    """Make a log in DIR, which is empty or not there."""
    charter = new_charter(origin, kind=entries, dedupe=dedupe)
    with mended_by(folder):
        keys = new_keys(charter, read_note_key(key) if key else None)
        make(folder, charter, keys)
    with look(folder) as seen:
        size = seen.newest.size
    home = Home.at(folder)
    public = [each.verifier_key for each in keys.keys]
    if as_json:
        voice.say_json(
            {
                "origin": charter.origin,
                "kind": charter.kind,
                "dedupe": charter.dedupe,
                "genesis": charter.genesis.hex(),
                "size": size,
                "keys": [key_document(each) for each in public],
                "policy": str(home.policy),
                "key": str(home.key),
            }
        )
        return
    voice.fact("log", f"{charter.origin}, {charter.kind} entries, size {size}")
    for each in public:
        voice.fact("key", key_words(each))
    voice.fact("policy", f"{home.policy}: give it to those who verify")
    voice.fact("secret", f"{home.key}: keep a copy of it, apart from the log")
    voice.tell(f"next: provlog append {folder} FILE")
