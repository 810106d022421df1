"""provlog get: an entry and what proves it, as one file."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from cli import voice
from cli.arguments import AS_JSON, Named, log_and, number, split_words
from cli.forms import BUNDLE, FORMS, OF_COSE, shown, written
from cli.places import Place, opened, own_policy
from cli.trusted import (
    POLICY,
    TOKEN_FILE,
    Standing,
    read_policy,
    read_token,
    say_unwitnessed,
    standing,
)
from ledger.clock import stopwatch
from ledger.errors import Refused
from verifier.bundle import Bundle
from verifier.claim import Claim, verify_claim
from verifier.durable import write_atomically
from verifier.policy import Policy
from verifier.receipt import Receipt
from verifier.report import Report
from verifier.trust import Limits

_STDOUT: Final = Path("-")
_LOOK_AGAIN_S: Final = 0.5
_WITNESSES_S: Final = 60.0
"""How long witnesses are waited for, unless somebody says."""


class Got(NamedTuple):
    """What proves an entry, in the form that was asked for; who stands for it."""

    form: str
    data: bytes
    standing: Standing


@click.command(
    epilog="""\b
Exit status:
  0  it is there, and it holds
  1  there is no such entry, or none of that form, or not all who were asked for have
     cosigned
  2  it could not be carried out

\b
With --json, one object: index, size, origin, form, witnessed, cosigned, missing
(names in the policy), and file, or without --out what was asked for: bundle (an
object), tlog_proof (text), receipt or transparent (base64); neither where a quorum
that was waited for is missing.

\b
Examples:
  provlog get https://log.example 4182093 --policy log.policy --out run.bundle
  provlog get LOG 4182093 --policy log.policy --witnessed --out run.bundle
  provlog get LOG 4182093 --form transparent --out run.scitt"""
)
@log_and("INDEX")
@click.option(
    "--out",
    metavar="FILE",
    type=Named(path_type=Path, dir_okay=False, allow_dash=True),
    help="Where to write it, or - for standard output.  [default: -]",
)
@click.option(
    "--form",
    type=click.Choice(FORMS),
    default=BUNDLE,
    show_default=True,
    help="Entry and receipt in one, or the receipt alone; or, as SCITT has them, a "
    "COSE receipt, or a statement that carries one.",
)
@click.option(
    "--witnessed",
    is_flag=True,
    help="Wait until the policy's quorum has cosigned.",
)
@click.option(
    "--within",
    "within_s",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    help="How long to wait for it.  [default: 0; with --witnessed: 60]",
)
@POLICY
@TOKEN_FILE
@AS_JSON
def get(
    words: tuple[str, ...],
    out: Path | None,
    form: str,
    within_s: float | None,
    policy: Path | None,
    token_file: Path | None,
    *,
    witnessed: bool,
    as_json: bool,
) -> None:
    """Get the bundle of the entry at INDEX: the entry, and a receipt for it.

    The receipt leads to the newest checkpoint that is published, or in a log's own
    folder to one that is signed now. Who has the bundle needs nothing else of the
    log: provlog verify. The other forms are made here as well, and each is verified
    before it is written. LOG is an address, a log's folder or an exported one.
    """
    log, (word,) = split_words(words, "INDEX", least=1, most=1)
    index, token = number(word, "INDEX"), read_token(token_file)
    believed = read_policy(policy) if policy else None
    out = None if out == _STDOUT else out
    if witnessed and not (believed and believed.asks_witnesses):
        says = "--witnessed needs a policy that asks witnesses"
        raise click.UsageError(f"{says}; see provlog policy add-witness")
    if witnessed and form in OF_COSE:
        says = "--witnessed is for a bundle or a tlog-proof"
        raise click.UsageError(f"{says}: no COSE receipt carries cosignatures")
    if within_s is None:
        within_s = _WITNESSES_S if witnessed else 0.0
    got = _waited(
        lambda: _opened(log, index, form, believed, token),
        within_s,
        witnessed=witnessed,
    )
    if got is None:
        says = f"no checkpoint has entry {index} in it yet; --within SECONDS waits"
        raise Refused("index", says)
    if witnessed and not got.standing.witnessed:
        if as_json:
            voice.say_json(_document(got, index))
        missing = ", ".join(got.standing.missing)
        says = f"after {within_s:g} s the policy's quorum has not cosigned"
        voice.tell(f"error: quorum: {says}; missing: {missing}")
        sys.exit(voice.BROKEN)
    _give(got, index, out, as_json=as_json)


def _waited(
    look: Callable[[], Got | None], within_s: float, *, witnessed: bool
) -> Got | None:
    """What `look` finds, looking again until it is enough, or the time is over."""
    since = stopwatch()
    while True:
        got = look()
        left_s = within_s - (stopwatch() - since)
        if left_s <= 0 or (got and (got.standing.witnessed or not witnessed)):
            return got
        time.sleep(min(left_s, _LOOK_AGAIN_S))


def _opened(
    log: str, index: int, form: str, policy: Policy | None, token: str | None
) -> Got | None:
    with opened(log, policy, token) as place:
        return _got(place, index, form, policy)


def _got(place: Place, index: int, form: str, policy: Policy | None) -> Got | None:
    """The entry with its receipt, verified; None if the tree does not have it yet."""
    policy = policy or own_policy(place)
    tree = place.tree
    if index >= tree.size:
        return None
    note = place.checkpoint()
    stands = standing(note, policy)
    (entry,) = place.entries(index, index + 1)
    proof = tuple(place.inclusion(index, tree.size))
    receipt = Receipt(index=index, proof=proof, checkpoint=note)
    # What an entry looks like is no matter here, unless the log says what it is.
    kind = "opaque" if place.kind == "auto" else place.kind
    verify_claim(
        Claim(entry=entry, receipt=receipt),
        policy if stands.enough else policy.without_witnesses(),
        Limits(),
        Report(),
        kind=kind,
    )
    bundle = Bundle(entry=entry, receipt=receipt)
    return Got(form, written(form, bundle, policy, place.kind), stands)


def _give(got: Got, index: int, out: Path | None, *, as_json: bool) -> None:
    data, stands = got.data, got.standing
    if out:
        write_atomically(out, data)
    if as_json:
        given = {"file": str(out)} if out else shown(got.form, data)
        voice.say_json(_document(got, index) | given)
    elif out:
        voice.fact("entry", f"{index} of {stands.checkpoint.size}")
        voice.fact("log", stands.checkpoint.origin)
        voice.fact(got.form, out)
    else:
        voice.give(data)
    if got.form not in OF_COSE:
        say_unwitnessed(stands)
    elif stands.missing or stands.cosigned:
        voice.tell(
            "a COSE receipt has no cosignatures; who asks witnesses needs the bundle"
        )


def _document(got: Got, index: int) -> dict[str, Any]:
    stands = got.standing
    return {
        "index": index,
        "size": stands.checkpoint.size,
        "origin": stands.checkpoint.origin,
        "form": got.form,
        "witnessed": stands.witnessed,
        "cosigned": stands.cosigned,
        "missing": stands.missing,
    }
