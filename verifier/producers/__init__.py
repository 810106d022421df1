"""Producers: who may sign statements, as the log's own entries say it, one by one.

They are folded in their order: each carries a number, and one that is missing is
noticed. So whoever has them all, with proofs, knows what the log knew at every
index: a statement that was logged before a key was revoked stays what it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from verifier.errors import MalformedError
from verifier.keys import PublicKey
from verifier.own import PRODUCER_ADD, PRODUCER_REVOKE, PRODUCER_ROTATE, Own
from verifier.pem import spki
from verifier.producers.credential import Credential

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,127}")
MAX_PRODUCERS: Final = 10_000
MAX_KEYS: Final = 64
MAX_ISSUERS: Final = 16
MAX_ISSUER: Final = 8_192


@dataclass(frozen=True, slots=True, kw_only=True)
class Producer:
    """Somebody who signs: a name, keys, what issuers it may call itself.

    A statement of it counts when at least `threshold` of its keys have signed it.
    Without `issuers` it may call itself whatever no other one is called.
    """

    name: str
    credentials: tuple[Credential, ...]
    issuers: tuple[str, ...] = ()
    threshold: int = 1


class Producers:
    """All of them, as they are after what was taken last."""

    def __init__(self, pinned: Iterable[Producer] = ()) -> None:
        self._named: dict[str, Producer] = {}
        self._issuers: dict[str, tuple[str, int]] = {}
        self._ids: dict[str, str] = {}
        self._hints: dict[bytes, str] = {}
        self._held: dict[bytes, str] = {}
        self.number = 0
        """That of the next entry about producers."""
        self.origin: str | None = None
        """The log whose they are; None if an auditor has brought them."""
        self.size: int | None = None
        """Up to which entry of that log they are known."""
        for each in pinned:
            self._put(each)

    def __iter__(self) -> Iterator[Producer]:
        return iter(self._named.values())

    def __len__(self) -> int:
        return len(self._named)

    def get(self, name: str) -> Producer | None:
        """The one of this name."""
        return self._named.get(name)

    def issuer(self, issuer: str, before: int | None = None) -> Producer | None:
        """The one that may call itself so, and nobody else may.

        For what was logged `before` a name was registered, that is no one's.
        """
        name, since = self._issuers.get(issuer, ("", 0))
        if before is not None and since > before:
            return None
        return self._named.get(name)

    def hinted(self, hint: bytes) -> Producer | None:
        """The one who has a key of that name, as statements name keys."""
        return self._named.get(self._hints.get(hint, ""))

    def holder(self, key: PublicKey) -> Credential | None:
        """How this key itself was registered at first, for whomever."""
        held = spki(key)
        producer = self._named.get(self._held.get(held, ""))
        if producer is None:
            return None
        return next(x for x in producer.credentials if x.held == held)

    def copy(self) -> Producers:
        """The same, to be continued while others are looking through these."""
        made = Producers()
        made._named = dict(self._named)
        made._issuers = dict(self._issuers)
        made._ids = dict(self._ids)
        made._hints = dict(self._hints)
        made._held = dict(self._held)
        made.number, made.origin, made.size = self.number, self.origin, self.size
        return made

    def take(self, own: Own, index: int) -> None:
        """Take what the entry at `index` says, or raise MalformedError."""
        if own.get("number") != self.number:
            raise MalformedError(
                f"entry {index} is number {own.get('number')} about producers, and "
                f"{self.number} has to follow"
            )
        take = {
            PRODUCER_ADD: self._add,
            PRODUCER_ROTATE: self._rotate,
            PRODUCER_REVOKE: self._revoke,
        }
        if own["kind"] not in take:
            raise MalformedError(
                f"entry {index} says nothing that is known of producers"
            )
        self._put(take[own["kind"]](own, index), index)
        self.number += 1

    def _put(self, producer: Producer, index: int = -1) -> None:
        self._named[producer.name] = producer
        for issuer in producer.issuers:
            self._issuers.setdefault(issuer, (producer.name, index))
        for each in producer.credentials:
            self._ids[each.id] = producer.name
            self._hints |= dict.fromkeys(each.names, producer.name)
            self._held.setdefault(each.held, producer.name)

    def _add(self, own: Own, index: int) -> Producer:
        name = own["producer"]
        if not NAME.fullmatch(name):
            raise MalformedError(
                "a producer's name is 1 to 128 of A-Z a-z 0-9 . _ / - and begins with "
                "a letter or digit"
            )
        if name in self._named:
            raise MalformedError(
                f"there is a producer {name!r} already; other keys, also where all "
                "that it has are revoked, it gets by: provlog producer rotate"
            )
        if len(self._named) >= MAX_PRODUCERS:
            raise MalformedError(f"there are {MAX_PRODUCERS} producers already")
        keys = self._credentials(own["keys"], index)
        for each in keys:
            self._check_free(each, ())
        threshold = own["threshold"]
        if not 1 <= threshold <= len(keys):
            raise MalformedError(
                f"the threshold is {threshold}, and the number of keys {len(keys)}: "
                "at least 1 key has to sign, and no more than there are"
            )
        return Producer(
            name=name,
            credentials=keys,
            issuers=self._free_issuers(own["issuers"]),
            threshold=threshold,
        )

    def _rotate(self, own: Own, index: int) -> Producer:
        producer = self._known(own)
        new = self._credentials(own["keys"], index)
        if len(new) < producer.threshold:
            raise MalformedError(
                f"{producer.threshold} of {producer.name}'s keys have to sign, and "
                f"{len(new)} would be left when the others end; give as many at once"
            )
        for each in new:
            self._check_free(each, producer.credentials)
        old = tuple(each.until(own["until"], index) for each in producer.credentials)
        if len(old) + len(new) > MAX_KEYS:
            raise MalformedError(f"a producer has at most {MAX_KEYS} keys in all")
        return replace(producer, credentials=(*old, *new))

    def _revoke(self, own: Own, index: int) -> Producer:
        producer = self._known(own)
        ids, known = own["ids"], {each.id for each in producer.credentials}
        if not ids or not all(type(x) is str and x in known for x in ids):
            raise MalformedError(
                f"{producer.name} has no such key; it has {', '.join(sorted(known))}"
            )
        ended_at = {x.id: x.revoked for x in producer.credentials}
        if all(ended_at[each] is not None for each in ids):
            where = ", ".join(f"{each} at entry {ended_at[each]}" for each in ids[:3])
            raise MalformedError(f"revoked already, and for ever: {where}")
        # Who has the key signs with it also under its certificate's name.
        gone = {each.held for each in producer.credentials if each.id in ids}
        ended = tuple(
            each.ended(index, own["reason"]) if each.held in gone else each
            for each in producer.credentials
        )
        return replace(producer, credentials=ended)

    def _known(self, own: Own) -> Producer:
        found = self._named.get(own["producer"])
        if found is None:
            raise MalformedError(f"there is no producer {own['producer'][:40]!r}")
        return found

    def _credentials(self, keys: list[Any], index: int) -> tuple[Credential, ...]:
        """Keys that nobody has had here: else whose statement would it be?"""
        if not 1 <= len(keys) <= MAX_KEYS:
            raise MalformedError(f"a producer has 1 to {MAX_KEYS} keys")
        found = [replace(Credential.parse(each), added=index) for each in keys]
        if len({each.id for each in found}) != len(found):
            raise MalformedError("the same key stands there twice")
        for each in found:
            if owner := self._ids.get(each.id):
                raise MalformedError(
                    f"{each.text} is registered already, for {owner}; a key is "
                    "one producer's, and one that it has had never comes back"
                )
        return tuple(found)

    def _check_free(self, new: Credential, his: tuple[Credential, ...]) -> None:
        """Return if the key of `new` is nobody's, or one of `his` that is still good.

        A certificate says nothing of who made it out: anybody can have one for the
        key of somebody else, and would be taken for him.
        """
        if new.held not in self._held:
            return
        same = [each for each in his if each.held == new.held]
        if not same or any(each.revoked is not None for each in same):
            owner = self._held[new.held]
            raise MalformedError(
                f"the key of {new.text} is registered already, for {owner}; a key is "
                "one producer's, and one that was revoked never comes back"
            )

    def _free_issuers(self, issuers: list[Any]) -> tuple[str, ...]:
        if len(issuers) > MAX_ISSUERS or not all(
            type(each) is str and 1 <= len(each) <= MAX_ISSUER for each in issuers
        ):
            raise MalformedError(
                f"issuers are at most {MAX_ISSUERS} texts of 1 to {MAX_ISSUER} "
                "characters"
            )
        for each in issuers:
            if other := self.issuer(each):
                raise MalformedError(f"{other.name} is known as issuer {each!r}")
        return tuple(issuers)
