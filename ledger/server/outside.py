"""The process that deals with the outside: it asks witnesses, and feeds targets.

It opens the store for reading, has no key of the log, and is where answers of
strangers are parsed. It ends when the writer does; what it was doing then is done
again by the next one.
"""

from __future__ import annotations

import asyncio
import os
import queue
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ledger.config import Config
from ledger.log.home import Home
from ledger.log.reading import Reading, Tree
from ledger.metrics.counts import Counts
from ledger.publish.kept import Kept
from ledger.publish.publication import Publication
from ledger.publish.publishing import Proposal, Published
from ledger.server.messages import (
    Facts,
    NotMade,
    framed,
    made_of,
    parse_proposed,
    read_frame,
    wrong_of,
)
from ledger.store import Head
from verifier.errors import MalformedError
from verifier.keys import VerifierKey
from verifier.policy import Policy

_REPORT_EVERY_S: Final = 1.0
_NOBODY: Final = Policy(quorum=b"none")


def policy_of(home: Home) -> Policy:
    """The log's own policy: who its witnesses are. Without one it asks nobody."""
    try:
        return Policy.parse(home.policy.read_bytes())
    except (OSError, MalformedError):
        return _NOBODY


def goes_outside(config: Config, policy: Policy) -> bool:
    """Whether anybody outside is asked or told."""
    asked = any(each.url for each in policy.witnesses.values())
    return bool(asked or config.targets or config.webhooks)


def kept_of(home: Home, origin: str, keys: Sequence[VerifierKey]) -> Kept:
    """What was published, with the signatures that are kept."""
    witnesses = [each.key for each in policy_of(home).witnesses.values()]
    return Kept(home.folder, list(keys), origin, witnesses=witnesses)


class Inside:
    """Publication in this process: also what `serve` does in one of its own."""

    def __init__(
        self,
        home: Home,
        reading: Reading,
        origin: str,
        keys: Sequence[VerifierKey],
        counts: Counts,
    ) -> None:
        self._counts = counts
        self._reading = reading
        config = home.config
        self._publication = Publication(
            kept_of(home, origin, keys),
            eyes=None,
            places=None,
            prove=reading.consistency,
            closed=config.witness_failure == "closed",
            patience_s=config.publish_interval_ms / 1000,
        )

    async def publish(self, proposal: Proposal) -> Published:
        """Publish it, in a thread."""
        return await asyncio.to_thread(self.publish_now, proposal)

    def publish_now(self, proposal: Proposal) -> Published:
        """Publish it."""
        return self._publication.publish(proposal)

    def count(self) -> None:
        """Say how far everyone outside is."""

    def close(self) -> None:
        """Wait for nobody any longer."""


def serve(folder: Path, keys: Sequence[VerifierKey], end: socket.socket) -> None:
    """Publish what the writer proposes, until it is gone."""
    # Who stops the service tells all of us; the last tree is proposed after that.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    home = Home.at(folder)
    store = home.open_store(readonly=True)
    newest: list[Tree] = [Head()]
    counts = Counts()
    inside = Inside(
        home,
        Reading(store, lambda: newest[0]),
        store.charter.origin,
        keys,
        counts,
    )
    alone = threading.Lock()

    def send(frame: bytes) -> None:
        with alone:
            end.sendall(frame)

    def report() -> None:
        while not threading.Event().wait(_REPORT_EVERY_S):
            inside.count()
            send(framed(Facts(list(counts.take()))))

    proposals: queue.SimpleQueue[Proposal] = queue.SimpleQueue()
    for run in (lambda: _hear(end, proposals), report):
        threading.Thread(target=run, daemon=True).start()
    while True:
        proposal = proposals.get()
        newest[0] = proposal.tree()
        try:
            made = inside.publish_now(proposal)
        except Exception as error:  # noqa: BLE001 - it is the writer's to tell
            send(framed(NotMade(wrong_of(error))))
        else:
            send(framed(made_of(made)))


def _hear(end: socket.socket, proposals: queue.SimpleQueue[Proposal]) -> None:
    """Take what is proposed; when the writer is gone, end at once."""
    try:
        while True:
            message = parse_proposed(read_frame(end))
            proposals.put(
                Proposal(note=message.note, time=message.time, at_ms=message.at_ms)
            )
    finally:
        # Whoever is waited for outside cannot keep us: all of it can be repeated.
        sys.stderr.flush()
        os._exit(0)
