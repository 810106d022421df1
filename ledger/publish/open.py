"""Which place a setting names, and a runner for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final, Protocol

from ledger.clock import Clock, read_clock, stopwatch
from ledger.errors import Refused
from ledger.log.anchor import read_anchor
from ledger.log.home import Home
from ledger.log.reading import Reading
from ledger.objects import SCHEME, Bucket
from ledger.publish.feeding import Ours, feed
from ledger.publish.folder import Folder
from ledger.publish.objects import Objects
from ledger.publish.publishing import Published
from ledger.publish.runner import Bring, GoOn, Lag, Runner
from ledger.publish.target import Target
from ledger.store import LogStore
from verifier.checkpoint import Checkpoint
from verifier.keys import VerifierKey
from verifier.note import Note
from verifier.report import time_text

_ADDRESSES: Final = ("http://", "https://")


class Teller(Protocol):
    """Tells somebody: ledger.publish.webhook.Webhook."""

    def tell(self, event: Mapping[str, object], *, id: str, time_s: int) -> None:  # noqa: A002 - as the header is called
        """Return when it was taken; raise if it was not."""
        ...


class Runners:
    """All places of one log: those that are published to, and those that are told."""

    def __init__(self, places: Sequence[Runner], told: Sequence[Runner]) -> None:
        self._places = places
        self._told = told

    def offer(self, published: Published, patience_s: float) -> None:
        """Give it to the targets; wait for those that keep up, and for no other."""
        waited = [each for each in self._places if each.offer(published)]
        until = stopwatch() + patience_s
        for each in waited:
            each.caught_up(published.size, max(0.0, until - stopwatch()))

    def announce(self, published: Published) -> None:
        """Tell those who want to be told; they are not waited for."""
        for each in self._told:
            each.offer(published)

    def lags(self) -> list[Lag]:
        """How far each of them is."""
        return [each.lag for each in (*self._places, *self._told)]

    def close(self, patience_s: float = 5.0) -> None:
        """End all of them within a time."""
        until = stopwatch() + patience_s
        for each in (*self._places, *self._told):
            each.close(0)
        for each in (*self._places, *self._told):
            each.close(max(0.0, until - stopwatch()))


def open_runners(
    home: Home,
    store: LogStore,
    reading: Reading,
    keys: Sequence[VerifierKey],
    *,
    tellers: Mapping[str, Teller] | None = None,
    clock: Clock = read_clock,
) -> Runners:
    """A runner for each target that is published to, and for each of `tellers`.

    Addresses of copies are asked at start, and nothing is written to them.
    """
    ours = Ours(
        store=store,
        reading=reading,
        keys=keys,
        anchored=lambda: read_anchor(home.anchor).size,
    )
    found = [target_at(each, home) for each in home.config.targets]
    places = [Runner(each.name, feeding(each, ours)) for each in found if each]
    told = [
        Runner(name, telling(each, clock)) for name, each in (tellers or {}).items()
    ]
    return Runners(places, told)


def target_at(text: str, home: Home) -> Target | None:
    """What the setting `text` names; None where it is only asked."""
    if text.startswith(SCHEME):
        return Objects(Bucket(text))
    if text.startswith(_ADDRESSES):
        return None
    if ":/" in text:
        # A folder of that name nobody means, and it would be asked at each start.
        says = f"{text} is no folder, s3://BUCKET/PREFIX, or https address"
        raise Refused("address", says)
    return Folder.beside(home, home.folder / text)


def feeding(target: Target, ours: Ours) -> Bring:
    """Brings `target` up to what is published."""

    def bring(published: Published, go_on: GoOn) -> int:
        def watch(_done: int, _of: int) -> None:
            go_on()

        return feed(target, ours, published.note, watch=watch, begin=False).size

    return bring


def telling(teller: Teller, clock: Clock) -> Bring:
    """Tells of each new size: at least once, in order, after an outage the newest.

    An unchanged tree that is published again is no news.
    """
    last = -1

    def bring(published: Published, _: GoOn) -> int:
        nonlocal last
        if published.size != last:
            tree = Checkpoint.parse(Note.parse(published.note).text)
            event = news(tree, published)
            name = sha256(f"{tree.origin}/{tree.size}".encode()).hexdigest()
            teller.tell(event, id=name, time_s=clock().wall_ms // 1000)
            last = published.size
        return last

    return bring


def news(tree: Checkpoint, published: Published) -> dict[str, object]:
    """What is told of a published checkpoint."""
    return {
        "origin": tree.origin,
        "size": tree.size,
        "root": tree.root.hex(),
        "checkpoint": published.note.decode(),
        "published_at": time_text(published.at_ms // 1000),
    }
