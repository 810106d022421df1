"""Where producers are registered: in a log's own folder, or by the service that has it.

What is entered, the log itself looks at. What is listed was held against the tree: in
the folder against the anchor, elsewhere against a checkpoint that the caller's policy
accepts.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from cli.arguments import is_address
from cli.hinting import hinted
from cli.places import Own, warn_of_clear
from cli.remote import Remote
from cli.trusted import needed, read_token, say_unwitnessed, standing
from ledger.errors import Held, Refused
from ledger.keys.registry import json_of_own
from ledger.log.log import Log
from ledger.log.look import look
from ledger.log.registry import Registry
from ledger.log.states import mended_by
from verifier import own
from verifier.checkpoint import Checkpoint
from verifier.document import member
from verifier.policy import Policy
from verifier.producers import Producers
from verifier.producers.register import MAX_BYTES, Register, Registered, verify_register

_PATH: Final = "v1/producers"

ENTRIES: Final = click.option(
    "--entries",
    type=click.Choice(["auto", "record", "statement"]),
    default="auto",
    show_default=True,
    help="Of which kind the log is, where no key of the policy signs that.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The producers of a log, as of one tree; with their register, if that was asked.

    `register` is all that others need who want to know the same.
    """

    tree: Checkpoint
    producers: Producers
    register: Register | None


def enter(
    log: str, entered: own.Own, token: str | None, without: Collection[str]
) -> int:
    """Enter what is said about a producer, and return at which index it stands."""
    if not is_address(log):
        return _enter_here(Path(log), entered, without)
    if without:
        raise click.UsageError("--without is for a folder; a service has its own")
    warn_of_clear(log, token)
    with hinted(token), closing(Remote(log, token)) as remote:
        answer = remote.post(_PATH, json_of_own(entered))
    index: int = member(answer, "index", int, "the answer")
    return index


def known(
    log: str,
    policy: Path | None,
    token_file: Path | None,
    *,
    whole: bool = False,
    kind: str = "auto",
) -> Known:
    """The producers that the log has registered; `whole` asks for their register.

    Of an address the policy is needed, and of which `kind` the log is, where none of
    the policy's keys signs that; of a folder they are not asked.
    """
    if not is_address(log):
        return _known_here(Path(log), whole=whole)
    return _known_there(log, needed(policy), read_token(token_file), kind)


def _enter_here(folder: Path, entered: own.Own, without: Collection[str]) -> int:
    try:
        with Log.open(folder, without=without) as log:
            if log.hold:
                raise log.hold
            answer = log.register(entered)
    except Held as error:
        if error.state != "locked":
            raise
        mend = (
            "if that is a service, give its address in the place of the folder, and a "
            "token with the scope admin (provlog token create); else wait until it "
            "has ended"
        )
        raise Held("locked", str(error), mend=mend) from None
    (index,) = answer.indexes
    assert index is not None  # noqa: S101 - its number is one that nothing else has
    return index


def _known_there(log: str, policy: Policy, token: str | None, kind: str) -> Known:
    warn_of_clear(log, token)
    with hinted(token), closing(Remote(log, token)) as remote:
        data = remote.read(_PATH, MAX_BYTES)
        if data is None:
            said = remote.absent.says if remote.absent else "nothing is there"
            raise Refused("producer", f"{remote} shows no producers: {said}")
    register = Register.parse(data)
    stands = standing(register.checkpoint, policy)
    say_unwitnessed(stands)
    believed = policy if stands.enough else policy.without_witnesses()
    return Known(
        tree=stands.checkpoint,
        producers=verify_register(register, believed, kind),
        register=register,
    )


def _known_here(folder: Path, *, whole: bool) -> Known:
    with mended_by(folder), look(folder) as seen:
        place = Own(seen)
        registry = Registry(seen.store, lambda: place.tree)
        producers = registry.current()
        register = None
        if whole:
            register = _register(place, registry.indexes())
            # Nobody gets from us what does not hold.
            verify_register(register, place.own_policy(), place.kind)
        return Known(tree=place.tree, producers=producers, register=register)


def _register(place: Own, indexes: list[int]) -> Register:
    size = place.tree.size
    proofs = place.seen.reading.inclusions(indexes, size) if indexes else []
    entries = tuple(
        Registered(
            index=index, entry=place.entries(index, index + 1)[0], proof=tuple(proof)
        )
        for index, proof in zip(indexes, proofs, strict=True)
    )
    return Register(checkpoint=place.checkpoint(), entries=entries)
