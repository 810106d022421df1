"""provlog producer: say whose statements a log takes, by their keys."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from cli import voice
from cli.arguments import (
    AS_JSON,
    WITHOUT,
    Commands,
    Named,
    is_address,
    log_and,
    split_words,
)
from cli.credentials import (
    credential_documents,
    credential_words,
    read_credentials,
)
from cli.newkey import key
from cli.registering import Known, enter, known
from cli.times import moment, span_ms
from cli.trusted import POLICY, TOKEN_FILE, needed, read_token
from ledger.clock import read_clock
from ledger.errors import Refused
from ledger.keys import registry
from verifier.durable import write_atomically
from verifier.producers import Producer
from verifier.producers.credential import Credential
from verifier.report import time_text


@click.group(cls=Commands)
def producer() -> None:
    """Say who may sign statements for a log, by their keys.

    LOG is the folder of a log, or the address of the service that has it just now:
    that asks for a token with the scope admin. What is said is an entry of the log,
    like everything: it is never taken back, only followed by another.
    """


producer.add_command(key)


@producer.command(
    epilog="""\b
Exit status:
  0  the producer is registered
  1  it was refused: he, a key or an issuer of his is registered, or a file has no keys
  2  it could not be carried out

\b
With --json, one object: producer, index (of the entry), issuers, threshold and keys:
id, algorithm or certificate (its subject), registered, from_ms, until_ms, revoked and
reason.

\b
Examples:
  provlog producer add LOG ci build.pub --issuer https://ci.example
  provlog producer add LOG release one.pub two.pub three.pub --threshold 2
  provlog producer add https://log.example lab lab-ca.pem --token-file admin.token"""
)
@log_and("NAME KEYFILE...")
@click.option(
    "--issuer",
    "issuers",
    multiple=True,
    metavar="TEXT",
    help="What he may call himself in a statement, and nobody else. May be repeated.",
)
@click.option(
    "--threshold",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="How many of his keys have to have signed a statement.",
)
@click.option("--from", "since", metavar="TIME", help="From when on the keys are good.")
@click.option("--until", metavar="TIME", help="Until when they are.")
@WITHOUT
@TOKEN_FILE
@AS_JSON
def add(
    words: tuple[str, ...],
    issuers: tuple[str, ...],
    threshold: int,
    since: str | None,
    until: str | None,
    without: tuple[str, ...],
    token_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Register a producer: his name here, and his public keys or certificates.

    A KEYFILE has public keys (PEM, or lines of OpenSSH), or X.509 certificates: of an
    authority, whose certificates sign for him then, or the signer's own. A key is one
    producer's, for ever. TIME is 2026-11-20T10:00:00Z, or seconds since 1970.
    """
    wanted = "NAME KEYFILE..."
    log, (name, *files) = split_words(words, wanted, least=2, most=sys.maxsize)
    keys = read_credentials(files, from_ms=_ms(since), until_ms=_ms(until))
    own = registry.add(name, keys, issuers=issuers, threshold=threshold)
    index = enter(log, own, read_token(token_file), without)
    made = Producer(
        name=name,
        credentials=tuple(replace(each, added=index) for each in keys),
        issuers=issuers,
        threshold=threshold,
    )
    with voice.done(f"entry {index} has it"):
        if as_json:
            voice.say_json({**_document(made), "index": index})
        else:
            _say(made)
            voice.fact("entry", index)


@producer.command(
    "list",
    epilog="""\b
Exit status:
  0  those are all
  1  what a service shows does not hold
  2  it could not be carried out

\b
With --json, one object: origin, size and root of the tree; producers, a list: producer,
issuers, threshold and keys, as of provlog producer add; and with --out file.

\b
Examples:
  provlog producer list LOG
  provlog producer list https://log.example --policy log.policy --out producers.json""",
)
@log_and("")
@click.option(
    "--out",
    metavar="FILE",
    type=Named(path_type=Path, dir_okay=False),
    help="Write the register, for provlog verify --producer FILE.",
)
@POLICY
@TOKEN_FILE
@AS_JSON
def list_(
    words: tuple[str, ...],
    out: Path | None,
    policy: Path | None,
    token_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """List the producers of LOG, with every key that they have had.

    Each entry about them was proven. The register that --out writes has these entries
    and proofs in it, so that somebody else can tell offline whose statement something
    is, and whether the key was good when it was logged.
    """
    log, _ = split_words(words, "", least=0, most=0)
    found = _known(log, policy, token_file, whole=out is not None)
    if out is not None and found.register is not None:
        write_atomically(out, found.register.encode())
    producers = sorted(found.producers, key=lambda each: each.name)
    if as_json:
        document: dict[str, Any] = {
            "origin": found.tree.origin,
            "size": found.tree.size,
            "root": found.tree.root.hex(),
            "producers": [_document(each) for each in producers],
        }
        voice.say_json(document | ({"file": str(out)} if out else {}))
        return
    for each in producers:
        _say(each)
    if out:
        voice.fact("register", out)
    if not producers:
        voice.tell("none yet; register one: provlog producer add LOG NAME KEYFILE")


@producer.command(
    epilog="""\b
Exit status:
  0  the keys are registered
  1  it was refused: there is no such producer, or a key is registered already
  2  it could not be carried out

\b
With --json, one object: producer, index (of the entry), until_ms (of the old keys) and
keys, the new ones, as of provlog producer add.

\b
Examples:
  provlog producer rotate LOG ci new.pub
  provlog producer rotate LOG ci new.pub --overlap 0"""
)
@log_and("NAME KEYFILE...")
@click.option(
    "--overlap",
    metavar="TIME",
    default="7d",
    show_default=True,
    help="How long the old keys are good still: 7d, 12h, or 0.",
)
@WITHOUT
@TOKEN_FILE
@AS_JSON
def rotate(
    words: tuple[str, ...],
    overlap: str,
    without: tuple[str, ...],
    token_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Give a producer new keys; those that he has end by themselves.

    What they have signed and the log has by then stays valid. Where a key was stolen,
    revoke it first: provlog producer revoke.
    """
    wanted = "NAME KEYFILE..."
    log, (name, *files) = split_words(words, wanted, least=2, most=sys.maxsize)
    until_ms = read_clock().wall_ms + _overlap_ms(overlap)
    keys = read_credentials(files)
    own = registry.rotate(name, keys, until_ms=until_ms)
    index = enter(log, own, read_token(token_file), without)
    new = [replace(each, added=index) for each in keys]
    with voice.done(f"entry {index} has it"):
        if as_json:
            voice.say_json(
                {
                    "producer": name,
                    "index": index,
                    "until_ms": until_ms,
                    "keys": credential_documents(new),
                }
            )
            return
        voice.fact("producer", name)
        _say_keys(new)
        voice.fact("old keys", f"good until {time_text(until_ms // 1000)} at most")
        voice.fact("entry", index)


@producer.command(
    epilog="""\b
Exit status:
  0  they are revoked
  1  it was refused: there is no such producer, or no such key
  2  it could not be carried out

\b
With --json, one object: producer, index (of the entry), ids and reason.

\b
Examples:
  provlog producer revoke LOG ci 324be2dea8bc4446 --reason "laptop stolen"
  provlog producer revoke https://log.example ci --policy log.policy"""
)
@log_and("NAME [KEYID]...")
@click.option("--reason", metavar="TEXT", default="", help="Why; anybody can read it.")
@POLICY
@WITHOUT
@TOKEN_FILE
@AS_JSON
def revoke(
    words: tuple[str, ...],
    reason: str,
    policy: Path | None,
    without: tuple[str, ...],
    token_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Revoke keys of a producer, for ever; without a KEYID all that he has.

    Nothing that they sign is logged from that entry on. What was logged before it
    stays valid, and whoever verifies it is told of the revocation. KEYID is that of
    the list; where none is given the service's list is held against --policy.
    """
    if len(reason) > registry.MAX_REASON:
        says = f"a reason has at most {registry.MAX_REASON} characters"
        raise click.UsageError(says)
    wanted = "NAME [KEYID]..."
    log, (name, *ids) = split_words(words, wanted, least=1, most=sys.maxsize)
    if not ids:
        found = _known(log, policy, token_file, whole=False)
        ids = _standing(found, name)
    own = registry.revoke(name, ids, reason)
    index = enter(log, own, read_token(token_file), without)
    with voice.done(f"entry {index} has it"):
        if as_json:
            given = {"producer": name, "index": index, "ids": ids, "reason": reason}
            voice.say_json(given)
        else:
            for each in ids:
                voice.fact("revoked", f"{each} of {name}")
            voice.fact("entry", index)
    voice.tell(f"what was logged before entry {index} stays valid")


def _known(
    log: str, policy: Path | None, token_file: Path | None, *, whole: bool
) -> Known:
    believed = needed(policy) if is_address(log) else None
    return known(log, believed, read_token(token_file), whole=whole)


def _standing(found: Known, name: str) -> list[str]:
    """The keys of a producer that nobody has revoked."""
    named = found.producers.get(name)
    if named is None:
        raise Refused("producer", f"there is no producer {name!r}; the list has all")
    ids = [each.id for each in named.credentials if each.revoked is None]
    if not ids:
        raise Refused("producer", f"{name} has no key that is not revoked already")
    return ids


def _ms(text: str | None) -> int | None:
    return None if text is None else moment(text) * 1000


def _overlap_ms(text: str) -> int:
    if text == "0":
        return 0
    found = span_ms(text)
    if found is None:
        raise click.UsageError(
            f"--overlap is a number of days or hours, such as 7d or 12h, or 0; not "
            f"{text!r}"
        )
    return found


def _say(each: Producer) -> None:
    voice.fact("producer", each.name)
    for issuer in each.issuers:
        voice.fact("issuer", issuer)
    if each.threshold > 1:
        voice.fact("threshold", f"{each.threshold} of his keys have to sign")
    _say_keys(each.credentials)


def _say_keys(keys: Sequence[Credential]) -> None:
    for each in keys:
        voice.fact("key", credential_words(each))


def _document(each: Producer) -> dict[str, Any]:
    return {
        "producer": each.name,
        "issuers": [*each.issuers],
        "threshold": each.threshold,
        "keys": credential_documents(each.credentials),
    }
