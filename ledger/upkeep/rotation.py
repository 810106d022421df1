"""Other keys for the same log: planned, and in two steps.

First both generations sign, so that a policy with the old key and one with the
new both accept what they see; when all policies have changed, the old one goes. A
record log says each step in an entry of its own. A stolen key is another matter:
freeze, and a new origin.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from shlex import quote

from ledger.clock import Clock, read_clock
from ledger.errors import Held, Refused
from ledger.keys.keyfile import KeyFile, SigningKey, read_key_file, write_key_file
from ledger.log.home import Home
from ledger.log.log import Log
from ledger.log.look import look
from ledger.log.own import key_rotate
from ledger.log.targets import ask_targets
from ledger.store.disk import sync_path
from ledger.upkeep.birth import write_policy
from verifier.keys import KeyType


def rotate(folder: Path, *, clock: Clock = read_clock) -> KeyFile:
    """Add a generation of keys; from now on both sign."""
    home = Home.at(folder)
    old = read_key_file(home.key)
    if len(_generations(old)) > 1:
        raise Refused(
            "rotation",
            "a rotation is under way, and both generations sign; when every policy has "
            "the new key, end it: "
            f"provlog key rotate {quote(str(home.folder))} --finish",
        )
    return _change(home, old, _waiting(home, old) or _with_new(old), clock)


def finish(folder: Path, *, clock: Clock = read_clock) -> KeyFile:
    """Let the old generation go; policies that have only its key refuse from now on."""
    home = Home.at(folder)
    old = read_key_file(home.key)
    if len(_generations(old)) < 2:
        raise Refused(
            "rotation",
            "no rotation is under way; begin one: "
            f"provlog key rotate {quote(str(home.folder))}",
        )
    new = KeyFile(tuple(_generations(old)[-1]), old.genesis)
    _check_targets(home, new)
    return _change(home, old, new, clock)


def _change(home: Home, old: KeyFile, new: KeyFile, clock: Clock) -> KeyFile:
    """Say it in the log, then do it; after a crash between the two, do it again."""
    beside = _beside(home)
    with Log.open(home.folder, clock=clock) as log:
        if log.hold:
            raise log.hold
        # Now nobody else can change them, and nobody may have before.
        if read_key_file(home.key) != old:
            says = f"{home.key} was changed by somebody else just now; look again"
            raise Refused("rotation", says)
        write_key_file(beside, new)
        if log.charter.kind == "record":
            log.submit([key_rotate(key.verifier_key for key in new.keys)]).wait()
        # The policy first: a crash between leaves one that accepts what is signed.
        write_policy(home, new, old)
        os.replace(beside, home.key)
        sync_path(home.key.parent)
    return new


def _check_targets(home: Home, new: KeyFile) -> None:
    """Return if every target has a checkpoint that the keys that stay have signed.

    It is asked at each start, and what only a key has signed that is gone would be
    no checkpoint of ours.
    """
    public = [key.verifier_key for key in new.keys]
    with look(home.folder) as seen:
        try:
            ask_targets(
                home.config.targets, folder=home.folder, store=seen.store, keys=public
            )
        except Held as error:
            says = f"{error}; bring it up to date before the old key goes"
            raise Refused("rotation", says) from None


def _with_new(old: KeyFile) -> KeyFile:
    kinds = (KeyType.ED25519, KeyType.ML_DSA_COSIGNATURE)
    added = tuple(SigningKey.generate(old.origin, kind) for kind in kinds)
    return KeyFile((*old.keys, *added), old.genesis)


def _waiting(home: Home, old: KeyFile) -> KeyFile | None:
    """The keys of a rotation that a crash has interrupted: they may be in the log."""
    with suppress(Held):
        found = read_key_file(_beside(home))
        follows = found.keys[: len(old.keys)] == old.keys
        if follows and len(_generations(found)) > 1 and found.genesis == old.genesis:
            return found
    return None


def _beside(home: Home) -> Path:
    return home.key.with_name(f"{home.key.name}.next")


def _generations(keys: KeyFile) -> list[list[SigningKey]]:
    """The keys by generation, each of which begins with an Ed25519 key."""
    found: list[list[SigningKey]] = []
    for key in keys.keys:
        if key.type is KeyType.ED25519:
            found.append([])
        found[-1].append(key)
    return found
