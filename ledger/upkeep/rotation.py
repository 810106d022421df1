"""Other keys for the same log: planned, and in two steps.

First both generations sign, so that a policy with the old key and one with the
new both accept what they see; when all policies have changed, the old one goes. A
record log says each step in an entry of its own. A stolen key is another matter:
freeze, and a new origin.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from shlex import quote

from ledger.clock import Clock, read_clock
from ledger.errors import Held, Refused
from ledger.keys.keyfile import KeyFile, SigningKey, read_key_file, write_key_file
from ledger.keys.signer import Signer
from ledger.log.home import Home
from ledger.log.log import Log
from ledger.log.look import look
from ledger.log.own import key_rotate
from ledger.log.recovery import check_names
from ledger.log.signing import sign_anchored
from ledger.log.targets import ask_targets
from ledger.store.disk import sync_path
from ledger.upkeep.birth import write_policy
from verifier.checkpoint import Checkpoint
from verifier.keys import KeyType
from verifier.note import Note

Cosigned = Callable[[bytes, Checkpoint, Callable[[int, int], Sequence[bytes]]], bool]
"""Whether a quorum of witnesses cosigns a note about a tree, which can be proven."""


def rotate(
    folder: Path, *, clock: Clock = read_clock, without: Collection[str] = ()
) -> KeyFile:
    """Add a generation of keys; from now on both sign.

    Whom `without` names is not asked, here and in `finish`.
    """
    home = Home.at(folder)
    old = read_key_file(home.key)
    if len(_generations(old)) > 1:
        raise Refused(
            "rotation",
            "a rotation is under way, and both generations sign; when every policy has "
            "the new key, end it: "
            f"provlog key rotate {quote(str(home.folder))} --finish",
        )
    return _change(home, old, _waiting(home, old) or _with_new(old), clock, without)


def finish(
    folder: Path,
    *,
    clock: Clock = read_clock,
    cosigned: Cosigned | None = None,
    without: Collection[str] = (),
) -> KeyFile:
    """Let the old generation go; policies that have only its key refuse from now on.

    It stays while no quorum cosigns what the new one alone has signed.
    """
    home = Home.at(folder)
    old = read_key_file(home.key)
    if len(_generations(old)) < 2:
        raise Refused(
            "rotation",
            "no rotation is under way; begin one: "
            f"provlog key rotate {quote(str(home.folder))}",
        )
    new = KeyFile(tuple(_generations(old)[-1]), old.genesis)
    check_names(home, without)
    _check_targets(home, new, without)
    if cosigned:
        _check_witnesses(home, new, cosigned)
    return _change(home, old, new, clock, without)


def _change(
    home: Home, old: KeyFile, new: KeyFile, clock: Clock, without: Collection[str]
) -> KeyFile:
    """Say it in the log, then do it; after a crash between the two, do it again."""
    beside = _beside(home)
    with Log.open(home.folder, clock=clock, without=without) as log:
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


def _check_targets(home: Home, new: KeyFile, without: Collection[str]) -> None:
    """Return if every target has a checkpoint that the keys that stay have signed.

    It is asked at each start, and what only a key has signed that is gone would be
    no checkpoint of ours.
    """
    public = [key.verifier_key for key in new.keys]
    with look(home.folder) as seen:
        try:
            ask_targets(
                home.config.targets,
                folder=home.folder,
                store=seen.store,
                keys=public,
                without=without,
            )
        except Held as error:
            says = f"{error}; bring it up to date before the old key goes"
            raise Refused("rotation", says) from None


def _check_witnesses(home: Home, new: KeyFile, cosigned: Cosigned) -> None:
    """Return if witnesses know the new key: the next start would miss them."""
    with look(home.folder) as seen:
        if seen.hold or not seen.held:
            raise seen.hold or Held("halted", "the log cannot sign")
        note = sign_anchored(Signer(new, seen.store.charter.kind), seen.held)
        tree = Checkpoint.parse(Note.parse(note).text)
        if not tree.size or cosigned(note, tree, seen.reading.consistency):
            return
    keys = [key.verifier_key for key in new.keys if key.type is KeyType.ED25519]
    says = "no quorum of witnesses cosigns what the new key alone has signed"
    mend = f"provlog witness add W {quote(keys[0].text())}"
    raise Refused("rotation", f"{says}; each has to know it first: {mend}")


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
