"""provlog init: make a log, and say what to do with what was made."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from shlex import quote

import click

from cli import voice
from cli.arguments import AS_JSON
from cli.keys import key_document, key_words
from cli.naming import check_origin
from ledger.errors import Held, Refused, Unavailable
from ledger.keys.keyfile import KeyFile, SigningKey, read_note_key
from ledger.log.home import Home
from ledger.log.look import look
from ledger.log.states import mended_by
from ledger.store import KINDS, Charter
from ledger.upkeep.birth import init as make
from ledger.upkeep.birth import new_charter, new_keys


@click.command(
    epilog="""\b
Exit status:
  0  the log is made
  1  it was refused, and nothing was made
  2  it could not be carried out

\b
With --json, one object: origin, kind, dedupe, genesis (hex), size, keys (each with
algorithm, id, name and signs), policy and key (the paths of their files).

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
    help="Sign with this Ed25519 note key, whose name is NAME; it is copied.",
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
    if odd := check_origin(origin):
        voice.tell(f"warning: {odd}; it stays so for ever")
    _check_none(folder)
    with mended_by(folder):
        keys = new_keys(charter, _given(key) if key else None)
        make(folder, charter, keys)
    with voice.done(f"the log in {folder} is made: provlog status {_words(folder)}"):
        _say(Home.at(folder), charter, keys, as_json=as_json)
    if key:
        voice.tell(
            f"the key is in {Home.at(folder).key} now: delete {key}, and never give it "
            "to another log"
        )
    log = _words(folder)
    voice.tell(f"next: provlog append {log} FILE; over HTTP: provlog serve {log}")


def _check_none(folder: Path) -> None:
    """Return if there is no log in `folder`; nothing of one is ever touched."""
    if not (folder / "store").is_dir():
        return
    name = ""
    with suppress(Held, Unavailable), look(folder) as seen:
        name = f": {seen.store.charter.origin}"
    raise Refused("folder", f"{folder} has a log already{name}")


def _given(path: Path) -> SigningKey:
    """The key in the file that was given, which is no log's key file yet."""
    try:
        return read_note_key(path)
    except Held as error:
        mends = {
            "key_missing": "give --key the path of a key, or leave it out",
            "key_damaged": "give --key one key, as note.GenerateKey makes it",
        }
        says = str(error).partition(". If anybody may have copied")[0]
        mend = mends.get(error.state, error.mend)
        raise Held(error.state, says, mend=mend) from None


def _words(folder: Path) -> str:
    return quote(str(folder))


def _say(home: Home, charter: Charter, keys: KeyFile, *, as_json: bool) -> None:
    with look(home.folder) as seen:
        size = seen.newest.size
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
