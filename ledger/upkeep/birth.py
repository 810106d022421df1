"""How a log begins: the only code that ever makes one."""

from __future__ import annotations

import dataclasses
import json
import secrets
from pathlib import Path
from typing import Final

from ledger.clock import Clock, read_clock
from ledger.config import NAME as SETTINGS
from ledger.config import Config
from ledger.errors import Refused
from ledger.keys.keyfile import KeyFile, SigningKey, write_key_file
from ledger.keys.policy import policy_text, with_keys
from ledger.log.anchor import Anchored, write_anchor
from ledger.log.home import Home
from ledger.log.log import Log
from ledger.log.own import genesis, schema_publish
from ledger.store import KINDS, Charter
from ledger.store.environment import create_store
from ledger.upkeep.making import made_whole
from verifier.durable import write_atomically
from verifier.errors import MalformedError
from verifier.keys import KeyType, VerifierKey, check_name

MAX_ORIGIN_BYTES: Final = 255
"""As many as an ML-DSA-44 cosignature has room for."""

SETTINGS_TEXT: Final = (
    "# What this log does unless it is told otherwise. Take the # before a name away\n"
    "# to change its line. A variable PROVLOG_NAME overrides it for one process.\n"
    + "".join(
        f"\n# {each.metadata['says']}\n# {each.name} = {json.dumps(each.default)}\n"
        for each in dataclasses.fields(Config)
    )
).encode()

IGNORED: Final = ".gitignore"
IGNORED_TEXT: Final = b"# A log is no source code, and its key is secret.\n*\n"
"""So that no `git add` above a log takes its key along."""


def new_charter(origin: str, *, kind: str, dedupe: bool = False) -> Charter:
    """The charter of a log that has never been."""
    try:
        check_name(origin)
    except MalformedError as error:
        raise Refused("origin", f"the origin {origin!r}: {error}") from None
    if len(origin.encode()) > MAX_ORIGIN_BYTES:
        raise Refused("origin", f"the origin has more than {MAX_ORIGIN_BYTES} bytes")
    if kind not in KINDS:
        raise Refused("entries", f"entries are {', '.join(KINDS)}, and not {kind!r}")
    if dedupe and kind != "opaque":
        raise Refused("dedupe", f"only an opaque log keeps repeats, a {kind} log never")
    return Charter(
        origin=origin,
        kind=kind,
        dedupe=dedupe,
        genesis=secrets.token_bytes(16),
        operator=f"o-{secrets.token_hex(10)}",
    )


def new_keys(charter: Charter, key: SigningKey | None = None) -> KeyFile:
    """The keys of a new log, one of which may have been there before."""
    if key and key.name != charter.origin:
        raise Refused(
            "key", f"the key is that of {key.name!r}, not of {charter.origin!r}"
        )
    ed25519 = key or SigningKey.generate(charter.origin, KeyType.ED25519)
    ml_dsa = SigningKey.generate(charter.origin, KeyType.ML_DSA_COSIGNATURE)
    return KeyFile((ed25519, ml_dsa), charter.genesis)


def init(
    folder: Path,
    charter: Charter,
    keys: KeyFile,
    *,
    clock: Clock = read_clock,
) -> None:
    """Make the log of `charter` in `folder`, which is empty or not there."""
    with made_whole(folder) as beside:
        _fill(beside, charter, keys)
        if charter.kind == "record":
            with Log.open(beside, clock=clock) as log:
                public = [key.verifier_key for key in keys.keys]
                log.submit([genesis(charter, public), schema_publish()]).wait()


def _fill(folder: Path, charter: Charter, keys: KeyFile) -> None:
    home = Home.at(folder)
    create_store(home.store, charter)
    held = Anchored(genesis=charter.genesis, data=home.data_identity())
    write_anchor(home.anchor, held)
    write_papers(home, keys)


def write_papers(home: Home, keys: KeyFile) -> None:
    """Write what lies beside store and anchor: keys, policy, settings."""
    write_key_file(home.key, keys)
    write_policy(home, keys)
    write_atomically(home.folder / SETTINGS, SETTINGS_TEXT)
    write_atomically(home.folder / IGNORED, IGNORED_TEXT)


def write_policy(home: Home, keys: KeyFile, before: KeyFile | None = None) -> Path:
    """Write what somebody needs who wants to believe this log; return where.

    One that its operator has changed since `before` gets the new keys and keeps all
    else, its witnesses above all. Where it believes none of ours, it stays as it is,
    and the new one is put beside it.
    """
    path, beside = home.policy, home.policy.with_name("policy.next.txt")
    new = _policy(keys)
    if before and path.exists() and (there := path.read_bytes()) != _policy(before):
        changed = with_keys(there, _public(before), _public(keys))
        path, new = (path, changed) if changed is not None else (beside, new)
    if path != beside:
        beside.unlink(missing_ok=True)
    # A link stays one: what it leads to is replaced.
    write_atomically(path.resolve(), new)
    return path


def _policy(keys: KeyFile) -> bytes:
    return policy_text(keys.origin, _public(keys)).encode()


def _public(keys: KeyFile) -> list[VerifierKey]:
    return [key.verifier_key for key in keys.keys]
