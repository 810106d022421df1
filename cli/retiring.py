"""provlog producer rotate, and revoke: the end of a producer's keys."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from cli import voice
from cli.arguments import AS_JSON, WITHOUT, is_address, log_and, split_words
from cli.credentials import credential_documents, read_credentials, say_keys
from cli.registering import ENTRIES, Known, enter, known
from cli.times import span_ms
from cli.trusted import POLICY, TOKEN_FILE, read_token
from ledger.clock import read_clock
from ledger.errors import Refused
from ledger.keys import registry
from verifier.report import time_text


@click.command(
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
    """Give a producer new keys; those that it has end by themselves.

    What they have signed and the log has by then stays valid. Where a key was stolen,
    revoke it first: provlog producer revoke.
    """
    wanted = "NAME KEYFILE..."
    log, (name, *files) = split_words(words, wanted, least=2, most=sys.maxsize)
    now_ms = read_clock().wall_ms
    until_ms = now_ms + _overlap_ms(overlap)
    keys = read_credentials(files)
    ending = _ending(log, name, now_ms, until_ms)
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
        say_keys(new)
        if ending:
            voice.fact("old keys", ending)
        voice.fact("entry", index)


@click.command(
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
@ENTRIES
@WITHOUT
@TOKEN_FILE
@AS_JSON
def revoke(
    words: tuple[str, ...],
    reason: str,
    policy: Path | None,
    entries: str,
    without: tuple[str, ...],
    token_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Revoke keys of a producer, for ever; without a KEYID all that it has.

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
        found = known(log, policy, token_file, kind=entries)
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


def _ending(log: str, name: str, now_ms: int, until_ms: int) -> str:
    """What is said of the keys that a producer has; nothing where none is good."""
    time = time_text(until_ms // 1000)
    if is_address(log):
        # What it had there is not asked: without a policy nobody is to be believed.
        return f"those that are good still end {time} at the latest"
    named = known(log, None, None).producers.get(name)
    good = named and any(
        each.revoked is None and (each.until_ms is None or each.until_ms > now_ms)
        for each in named.credentials
    )
    return f"good until {time} at most" if good else ""


def _standing(found: Known, name: str) -> list[str]:
    """The keys of a producer that nobody has revoked."""
    named = found.producers.get(name)
    if named is None:
        raise Refused("producer", f"there is no producer {name!r}; the list has all")
    ids = [each.id for each in named.credentials if each.revoked is None]
    if not ids:
        raise Refused("producer", f"{name} has no key that is not revoked already")
    return ids


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
