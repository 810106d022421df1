"""provlog key: show a log's public keys, and change them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from shlex import quote

import click

from cli import voice
from cli.arguments import AS_JSON, FOLDER, WITHOUT, Commands
from cli.eyes import eyes_of
from cli.keys import key_document, key_words
from ledger.errors import Held, Unavailable
from ledger.keys.keyfile import KeyFile, read_key_file
from ledger.log.home import Home
from ledger.log.states import absent, mended_by
from ledger.store import COPY
from ledger.upkeep.rotation import finish as end_rotation
from ledger.upkeep.rotation import rotate as begin_rotation
from ledger.witness.asking import Prove
from verifier.checkpoint import Checkpoint
from verifier.keys import KeyType
from verifier.policy import name_text


@click.group(cls=Commands)
def key() -> None:
    """Show a log's public keys, and change them."""


@key.command(
    epilog="""\b
Exit status:
  0  those are the keys
  2  it could not be carried out

\b
With --json, one object: origin, rotating, keys: algorithm, id, name, signs, vkey."""
)
@FOLDER
@AS_JSON
def show(folder: Path, *, as_json: bool) -> None:
    """Show the keys that sign, the oldest first: all of them do.

    The secret keys are never shown. They are in the key file.
    """
    with mended_by(folder):
        home = _home(folder)
        keys = read_key_file(home.key)
    _say(keys, as_json=as_json)


@key.command(
    epilog="""\b
Exit status:
  0  the keys are changed
  1  it was refused: a rotation is under way, or none is
  2  it could not be carried out

\b
With --json, one object: origin, rotating, keys: algorithm, id, name, signs, vkey."""
)
@FOLDER
@click.option(
    "--finish", is_flag=True, help="Let the old keys go; only the new ones sign."
)
@WITHOUT
@AS_JSON
def rotate(
    folder: Path, without: tuple[str, ...], *, finish: bool, as_json: bool
) -> None:
    """Add new keys beside the old ones, or end that.

    From now on both sign. Give the new policy to everybody who verifies; when all of
    them have it, use --finish. Where a key was stolen this does not help: freeze the
    log, and begin a new one.
    """
    with mended_by(folder):
        home = _home(folder)
        keys = (
            _finish(home, without)
            if finish
            else begin_rotation(folder, without=without)
        )
    with voice.done(f"the keys are changed: provlog key show {quote(str(folder))}"):
        _say(keys, as_json=as_json)
    voice.tell(f"keep a copy of {home.key}, apart from the log")
    policy = home.policy
    if (beside := policy.with_name("policy.next.txt")).exists():
        policy = beside
        voice.tell(f"{home.policy} was changed by hand, so the new one is {beside}")
    if not finish:
        _tell_next(home, keys, policy)


def _finish(home: Home, without: Collection[str]) -> KeyFile:
    policy = home.whom_to_believe()
    named = {each for each in policy.witnesses if name_text(each) in without}
    with eyes_of(home, without) as eyes:
        if eyes is None:
            return end_rotation(home.folder, without=without)

        def cosigned(note: bytes, tree: Checkpoint, prove: Prove) -> bool:
            # Who is named is not missed at the next start either, where it is named.
            found = eyes.gather(note, tree, prove).cosigned
            return policy.satisfied_by(named | found.keys())

        return end_rotation(home.folder, cosigned=cosigned, without=without)


def _tell_next(home: Home, keys: KeyFile, policy: Path) -> None:
    if any(each.url for each in home.whom_to_believe().witnesses.values()):
        new = [key for key in keys.keys if key.type is KeyType.ED25519][-1]
        vkey = quote(new.verifier_key.text())
        voice.tell(f"next: each witness W has to know it: provlog witness add W {vkey}")
    voice.tell(
        f"next: give {policy} to those who verify, and export to every target; "
        "when all have it: "
        f"provlog key rotate {quote(str(home.folder))} --finish"
    )


def _home(folder: Path) -> Home:
    home = Home.at(folder)
    if not home.store.is_dir():
        raise absent(folder)
    _check_writer(home)
    return home


def _check_writer(home: Home) -> None:
    """Return unless it is a copy, into which nobody may be told to put a key."""
    try:
        store = home.open_store(readonly=True)
    except (Held, Unavailable):
        return  # keys can be shown, and let go, also where the store cannot be read
    try:
        role = store.role
    finally:
        store.close()
    if role == COPY:
        raise Held("copy", "this is a copy of a log, and no copy has keys")


def _say(keys: KeyFile, *, as_json: bool) -> None:
    public = [each.verifier_key for each in keys.keys]
    rotating = sum(each.type is KeyType.ED25519 for each in public) > 1
    if as_json:
        voice.say_json(
            {
                "origin": keys.origin,
                "rotating": rotating,
                "keys": [
                    {**key_document(each), "vkey": each.text()} for each in public
                ],
            }
        )
        return
    voice.fact("log", keys.origin)
    for each in public:
        voice.fact("key", key_words(each))
        voice.fact("", each.text())
    voice.fact("rotation", "under way: old and new keys sign" if rotating else "none")
