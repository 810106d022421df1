"""provlog producer: say whose statements a log takes, by their keys."""

from __future__ import annotations

import sys
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
    log_and,
    split_words,
)
from cli.credentials import producer_document, read_credentials, say_producer
from cli.newkey import key
from cli.registering import ENTRIES, enter, known
from cli.retiring import revoke, rotate
from cli.times import moment
from cli.trusted import POLICY, TOKEN_FILE, read_token
from ledger.clock import read_clock
from ledger.keys import registry
from verifier.durable import write_atomically
from verifier.producers import Producer
from verifier.report import time_text


@click.group(cls=Commands)
def producer() -> None:
    """Say who may sign statements for a log, by their keys.

    LOG is the folder of a log, or the address of the service that has it just now:
    that asks for a token with the scope admin. What is said is an entry of the log,
    like everything: it is never taken back, only followed by another.
    """


for each in (key, rotate, revoke):
    producer.add_command(each)


@producer.command(
    epilog="""\b
Exit status:
  0  the producer is registered
  1  it was refused: the name, a key or an issuer is registered, or a file has no keys
  2  it could not be carried out

\b
With --json, one object: producer, index (of the entry), issuers, threshold and keys:
id, algorithm, thumbprint (which a COSE_Sign1 names as its key), certificate (its
subject), registered, from_ms, until_ms, revoked and reason.

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
    help="What it may call itself in a statement, and nobody else. May be repeated.",
)
@click.option(
    "--threshold",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="How many of its keys have to have signed a statement.",
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
    """Register a producer: its name here, and its public keys or certificates.

    A KEYFILE has public keys (PEM, or lines of OpenSSH), or X.509 certificates: of an
    authority, whose certificates sign for him then, or the signer's own. A key is one
    producer's, for ever. TIME is 2026-11-20T10:00:00Z, or seconds since 1970.
    """
    wanted = "NAME KEYFILE..."
    log, (name, *files) = split_words(words, wanted, least=2, most=sys.maxsize)
    until_ms = _until_ms(until)
    keys = read_credentials(files, from_ms=_ms(since), until_ms=until_ms)
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
            voice.say_json({**producer_document(made), "index": index})
        else:
            say_producer(made)
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
@ENTRIES
@TOKEN_FILE
@AS_JSON
def list_(
    words: tuple[str, ...],
    out: Path | None,
    policy: Path | None,
    entries: str,
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
    whole = out is not None
    found = known(log, policy, token_file, whole=whole, kind=entries)
    if out is not None and found.register is not None:
        write_atomically(out, found.register.encode())
    producers = sorted(found.producers, key=lambda each: each.name)
    if as_json:
        document: dict[str, Any] = {
            "origin": found.tree.origin,
            "size": found.tree.size,
            "root": found.tree.root.hex(),
            "producers": [producer_document(each) for each in producers],
        }
        voice.say_json(document | ({"file": str(out)} if out else {}))
        return
    for each in producers:
        say_producer(each)
    if out:
        voice.fact("register", out)
    if not producers:
        voice.tell(
            "none yet; a log of records or statements registers them by: "
            "provlog producer add LOG NAME KEYFILE"
        )


def _ms(text: str | None) -> int | None:
    return None if text is None else moment(text) * 1000


def _until_ms(text: str | None) -> int | None:
    """When the keys end: not before they are registered, for nobody could mend it."""
    until_ms = _ms(text)
    if until_ms is not None and until_ms <= read_clock().wall_ms:
        raise click.UsageError(
            f"--until: {time_text(until_ms // 1000)} is over, so that the keys would "
            "never be good, and name and keys are registered once for ever; give a "
            "time to come"
        )
    return until_ms
