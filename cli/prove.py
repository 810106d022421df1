"""provlog prove: that an entry is in the log, or that the log has only grown."""

from __future__ import annotations

from pathlib import Path

import click

from cli import voice
from cli.arguments import AS_JSON, log_and, number, split_words
from cli.places import Place, believe, opened, own_policy
from cli.trusted import (
    POLICY,
    TOKEN_FILE,
    read_policy,
    read_token,
    say_unwitnessed,
    standing,
)
from ledger.errors import Refused
from verifier.hashing import leaf_hash
from verifier.policy import Policy
from verifier.proof import verify_consistency, verify_inclusion
from verifier.receipt import Receipt
from verifier.spelling import base64_text


@click.command(
    epilog="""\b
Exit status:
  0  the proof is on standard output; it was verified
  1  there is none: the log is not so large, or no checkpoint of SIZE is known
  2  it could not be carried out

\b
With --json, one object: index, size, proof (base64) and receipt (the tlog-proof);
or first, second, first_root, second_root and proof.

\b
Examples:
  provlog prove LOG 4182093 > receipt
  provlog prove LOG --from 20852163"""
)
@log_and("[INDEX [SIZE]]")
@click.option(
    "--from",
    "first",
    type=click.IntRange(min=1),
    metavar="SIZE",
    help="Prove that the tree of SIZE entries is the beginning of a larger one.",
)
@click.option(
    "--to",
    "second",
    type=click.IntRange(min=1),
    metavar="SIZE",
    help="The size of the larger one.  [default: the newest]",
)
@POLICY
@TOKEN_FILE
@AS_JSON
def prove(
    words: tuple[str, ...],
    first: int | None,
    second: int | None,
    policy: Path | None,
    token_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Prove that the entry at INDEX is in LOG, or that LOG has only grown.

    The first is a receipt, as c2sp.org/tlog-proof: the proof, and the newest
    checkpoint, or one of SIZE entries that was published. The second are bare hashes
    in base64, a line each: who has the two checkpoints can check them.
    """
    believed = read_policy(policy) if policy else None
    token = read_token(token_file)
    if first is None:
        if second is not None:
            raise click.UsageError("--to is for --from")
        log, rest = split_words(words, "INDEX [SIZE]", least=1, most=2)
        index = number(rest[0], "INDEX")
        size = number(rest[1], "SIZE") if rest[1:] else None
        with opened(log, believed, token) as place:
            _inclusion(place, index, size, believed, as_json=as_json)
    else:
        log, _ = split_words(words, "", least=0, most=0)
        with opened(log, believed, token) as place:
            _consistency(place, first, second, believed, as_json=as_json)


def _inclusion(
    place: Place, index: int, size: int | None, policy: Policy | None, *, as_json: bool
) -> None:
    policy = policy or own_policy(place)
    if size is None or size == place.tree.size:
        note: bytes | None = place.checkpoint()
    else:
        note = place.checkpoint_of(size)
    if note is None:
        says = f"no checkpoint of size {size} is known here; leave SIZE out"
        raise Refused("index", says)
    stands = standing(note, policy)
    tree = stands.checkpoint
    if size is not None and tree.size != size:
        says = f"a checkpoint of size {tree.size}, where one of {size} was asked for"
        raise Refused("index", says)
    if index >= tree.size:
        raise Refused("index", f"entry {index} is not in a tree of {tree.size}")
    (entry,) = place.entries(index, index + 1)
    proof = tuple(place.inclusion(index, tree.size))
    verify_inclusion(
        leaf_hash(entry), index=index, size=tree.size, proof=proof, root=tree.root
    )
    say_unwitnessed(stands)
    receipt = Receipt(index=index, proof=proof, checkpoint=note).encode()
    if as_json:
        voice.say_json(
            {
                "index": index,
                "size": tree.size,
                "proof": [base64_text(each) for each in proof],
                "receipt": receipt.decode(),
            }
        )
    else:
        voice.give(receipt)


def _consistency(
    place: Place,
    first: int,
    second: int | None,
    policy: Policy | None,
    *,
    as_json: bool,
) -> None:
    believe(place, policy)
    second = place.tree.size if second is None else second
    proof = place.consistency(first, second)
    roots = place.root(first), place.root(second)
    verify_consistency(
        first=first,
        first_root=roots[0],
        second=second,
        second_root=roots[1],
        proof=proof,
    )
    if as_json:
        voice.say_json(
            {
                "first": first,
                "first_root": roots[0].hex(),
                "second": second,
                "second_root": roots[1].hex(),
                "proof": [base64_text(each) for each in proof],
            }
        )
        return
    for each in proof:
        voice.say(base64_text(each))
    voice.tell(f"from size {first}, root {roots[0].hex()}")
    voice.tell(f"to size {second}, root {roots[1].hex()}: {len(proof)} hashes")
