"""A batch in groups: what is read, admitted or refused, and handed over together.

Good ones are kept when others are refused; each has its place, so that results can
stand in the order of what was sent. What is held of it is counted as it comes.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

from ledger.errors import Refused, Unavailable
from ledger.http import bodies
from ledger.http.asked import Asked
from ledger.http.entrance import pay
from ledger.http.memory import Holding
from ledger.http.problems import MEDIA, Problem, problem_of
from ledger.http.routes import MAX_BODY_BYTES
from ledger.http.splitting import Items, Lines, Splitter, TooLong, bytes_of
from ledger.http.submitting import as_problem
from ledger.log.forms import record_in
from ledger.log.pool import Admitted
from ledger.metrics import SUBMITTED
from verifier.tile import MAX_ENTRY_BYTES

LINES: Final = "application/x-ndjson"
ITEMS: Final = "application/cbor-seq"

GROUP: Final = 256
GROUP_BYTES: Final = 1 << 20
"""What becomes one order: its proofs are made without a pause."""
_BLOCK_BYTES: Final = 1 << 17
"""Memory is taken in blocks: where it is short, groups would else be of one each."""


@dataclass(slots=True)
class Group:
    """Some of a batch: what may be logged, and what was refused, by its place."""

    admitted: list[tuple[int, Admitted]] = field(default_factory=list)
    refused: dict[int, Exception] = field(default_factory=dict)
    size_bytes: int = 0
    paid_bytes: int = 0
    held_bytes: int = 0
    """How much of the memory it has, until its results are sent."""
    used_bytes: int = 0
    """How much of that is taken."""

    def __len__(self) -> int:
        return len(self.admitted) + len(self.refused)

    def full(self, entries: int, bytes_: int) -> bool:
        """Whether it is enough for one order, or the next one may be too much."""
        return len(self) >= entries or self.size_bytes + MAX_ENTRY_BYTES > bytes_


async def groups_of(
    asked: Asked,
    splitter: Splitter,
    held: Holding,
    *,
    by_line: bool,
    result_bytes: int,
) -> AsyncIterator[Group]:
    """What comes, in groups; what cannot be read ends it, and is told of."""
    group, place, limits = Group(), 0, asked.site.config
    most = (
        min(GROUP, limits.batch_entries, limits.pool_entries),
        min(GROUP_BYTES, limits.batch_bytes, limits.pool_bytes),
    )
    try:
        async for each in _submissions(asked, splitter, held):
            weight = result_bytes + (0 if isinstance(each, TooLong) else len(each))
            if group.used_bytes + weight > group.held_bytes:
                block = max(weight, _BLOCK_BYTES)
                if not held.fits(block):
                    # First we let go of what we have: others may be waiting for it.
                    if len(group):
                        yield group
                        group = Group()
                    await held.room(block, asked.site.config.body_timeout_s)
                held.have(block)
                group.held_bytes += block
            group.used_bytes += weight
            _admit(asked, group, place, each, by_line=by_line)
            if error := group.refused.get(place):
                # What is wrong may be longer to tell than what was to be logged.
                told = len(json.dumps(problem_of(error).document))
                held.have(told)
                group.held_bytes += told
                group.used_bytes += told
            place += 1
            if group.full(*most):
                yield group
                group = Group()
    except (Refused, Problem, Unavailable) as error:
        # Nothing behind it can be told apart; what is before it is logged.
        group.refused[place] = error
    if len(group):
        yield group


async def _submissions(
    asked: Asked, splitter: Splitter, held: Holding
) -> AsyncIterator[bytes | TooLong]:
    """What comes, cut; the part of one that is kept until the rest comes is counted."""
    config, kept = asked.site.config, 0
    patience_s = config.body_timeout_s
    async for piece in bodies.pieces(
        asked.request, bytes_per_s=config.batch_bytes_per_s, patience_s=patience_s
    ):
        for each in splitter.feed(piece):
            yield each
        held.have(splitter.kept - kept)
        kept = splitter.kept
        if kept:
            await held.room(0, patience_s)
    for last in splitter.end():
        yield last


def _admit(
    asked: Asked, group: Group, place: int, data: bytes | TooLong, *, by_line: bool
) -> None:
    """Put one of the batch where it belongs."""
    try:
        if isinstance(data, TooLong):
            pay(asked.site, asked.payer, entries=1)
            raise data
        pay(asked.site, asked.payer, entries=1, bytes_=len(data))
        content = _content(asked, data, by_line=by_line)
        admitted = _admitted(asked, content, data)
    except (Refused, Problem) as error:
        asked.site.counts.add(SUBMITTED, 1, "refused")
        group.refused[place] = error
        return
    group.admitted.append((place, admitted))
    group.size_bytes += len(admitted.data)
    group.paid_bytes += len(data)


def _admitted(asked: Asked, content: bytes, data: bytes) -> Admitted:
    try:
        return asked.site.admission.admit(content, by=asked.caller.by)
    except Refused as error:
        record = asked.site.charter.kind == "record"
        raise as_problem(error, data) if record else error from None


def _content(asked: Asked, data: bytes, *, by_line: bool) -> bytes:
    """What is to be logged, out of a line or an item."""
    if asked.site.charter.kind == "record":
        try:
            if not by_line:
                return data
            demands = asked.site.admission.demands
            return record_in(data, by_line=True, demands=demands)
        except Refused as error:
            raise as_problem(error, data) from None
    return data if by_line else bytes_of(data)


def splitter_of(asked: Asked) -> tuple[Splitter, bool]:
    """What cuts the body, and whether it is one of lines."""
    name = (asked.header("Content-Type") or "").partition(";")[0].strip().lower()
    most = MAX_BODY_BYTES
    if name in (LINES, "application/ndjson", "application/jsonl"):
        return Lines(most), True
    if name == ITEMS:
        return Items(most), False
    raise Problem(MEDIA, f"a batch is {LINES} or {ITEMS}, and not {name[:60]!a}")
