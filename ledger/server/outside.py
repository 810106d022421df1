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
from shlex import quote
from typing import Final

from ledger.clock import read_clock, stopwatch
from ledger.config import NAME, Config
from ledger.errors import Held, Refused
from ledger.log.home import Home
from ledger.log.reading import Reading, Tree
from ledger.log.remote import RemoteAnchors
from ledger.metrics import (
    PROCESS_BYTES,
    QUORUM,
    TARGET_FAILURES,
    TARGET_HELD,
    TARGET_LAG_SECONDS,
    TARGET_SIZE,
    WITNESS_AGE_SECONDS,
    WITNESS_AHEAD,
    WITNESS_FAILURES,
    WITNESS_SIZE,
)
from ledger.metrics.counts import Counts
from ledger.publish.kept import Kept
from ledger.publish.open import open_runners, target_at
from ledger.publish.publication import Publication
from ledger.publish.publishing import Proposal, Published
from ledger.publish.webhook import Webhook, read_secret
from ledger.server.messages import (
    Facts,
    NotMade,
    framed,
    made_of,
    parse_proposed,
    read_frame,
    wrong_of,
)
from ledger.server.processes import own_bytes
from ledger.store import Head, LogStore
from ledger.witness.asking import line_to
from ledger.witness.quorum import Witnesses, by_url
from verifier.keys import VerifierKey
from verifier.policy import Policy, name_text

_REPORT_EVERY_S: Final = 1.0
_CLOSING_S: Final = 2.0
"""How long a target may go on with what it writes just now."""


def goes_outside(config: Config, policy: Policy) -> bool:
    """Whether anybody outside is asked or told."""
    asked = any(each.url for each in policy.witnesses.values())
    return bool(asked or config.targets or config.webhooks)


def kept_of(home: Home, origin: str, keys: Sequence[VerifierKey]) -> Kept:
    """What was published, with the signatures that are kept."""
    witnesses = [each.key for each in home.whom_to_believe().witnesses.values()]
    return Kept(home.folder, list(keys), origin, witnesses=witnesses)


def check_outside(home: Home) -> None:
    """Return if what is set can be done; Held before anything begins, if not."""
    config, policy = home.config, home.whom_to_believe()
    asked = {each.name for each in policy.witnesses.values() if each.url}
    can_be = policy.asks_witnesses and policy.satisfied_by(asked)
    if config.ack == "witnessed" and not can_be:
        says = f'{NAME}: ack is "witnessed", and {home.policy} has no quorum of '
        says += "witnesses with an address"
        mend = (
            f"provlog policy add-witness {quote(str(home.policy))} NAME VKEY --url URL"
        )
        raise Held("config", says, mend=mend)
    tellers_of(home)
    RemoteAnchors.of(home, "").close()
    try:
        for target in config.targets:
            target_at(target, home)
    except Refused as error:
        # Else the process that publishes would die of it, again and again.
        mend = f"edit {home.folder / NAME}, or AWS_… where the service is started"
        raise Held("config", f"targets: {error}", mend=mend) from None
    try:
        for url in by_url(policy):
            line_to(url, reach=config.reach, patience_s=1)
    except Refused as error:
        raise Held("config", f"{home.policy}: {error}") from None


def label(name: str) -> str:
    """What the operator calls somebody, as a metric can."""
    return name.encode("ascii", "backslashreplace").decode()


def tellers_of(home: Home) -> dict[str, Webhook]:
    """Those who are told, by their hosts; Held where they cannot be.

    The rest of an address often is a secret, and these names are in logs and metrics.
    """
    config = home.config
    if not config.webhooks:
        return {}
    make = f"provlog config secret {quote(str(home.folder))}"
    secret = read_secret(home.folder / config.webhook_secret, make=make)
    told: dict[str, Webhook] = {}
    try:
        for url in config.webhooks:
            hook = Webhook(url, secret, reach=config.reach)
            same = sum(str(each) == str(hook) for each in told.values())
            told[f"{hook} ({same + 1})" if same else str(hook)] = hook
    except Refused as error:
        raise Held("config", f"{NAME}: webhooks: {error}") from None
    return told


class Inside:
    """Publication in this process: also what `serve` does in one of its own."""

    def __init__(
        self, home: Home, store: LogStore, keys: Sequence[VerifierKey], counts: Counts
    ) -> None:
        config, policy = home.config, home.whom_to_believe()
        self._counts = counts
        self._tree: Tree = Head()
        reading = Reading(store, lambda: self._tree)
        self._witnesses = None
        if any(each.url for each in policy.witnesses.values()):
            self._witnesses = Witnesses(
                policy,
                reach=config.reach,
                timeout_s=config.witness_timeout_ms / 1000,
                clock=read_clock,
            )
        self._runners = open_runners(
            home, store, reading, keys, tellers=tellers_of(home)
        )
        self._publication = Publication(
            kept_of(home, store.charter.origin, keys),
            eyes=self._witnesses,
            places=self._runners,
            prove=reading.consistency,
            closed=config.witness_failure == "closed",
            wanted=policy.asks_witnesses,
            patience_s=config.publish_interval_ms / 1000,
        )

    async def publish(self, proposal: Proposal) -> Published:
        """Publish it, in a thread."""
        return await asyncio.to_thread(self.publish_now, proposal)

    def publish_now(self, proposal: Proposal) -> Published:
        """Publish it."""
        self._tree = proposal.tree()
        return self._publication.publish(proposal)

    def count(self) -> None:
        """Say how far everyone outside is."""
        counts, now = self._counts, stopwatch()
        counts.set(QUORUM, not self._publication.missing)
        for each in self._runners.lags():
            counts.set(TARGET_SIZE, each.size, label(each.name))
            counts.set(TARGET_LAG_SECONDS, each.behind_s, label(each.name))
            counts.set(TARGET_FAILURES, each.failures, label(each.name))
            counts.set(TARGET_HELD, each.held, label(each.name))
        for one in self._witnesses.standings() if self._witnesses else ():
            name = label(name_text(one.name))
            counts.set(WITNESS_SIZE, one.size, name)
            counts.set(WITNESS_AGE_SECONDS, now - one.at_s, name)
            counts.set(WITNESS_FAILURES, one.failures, name)
            counts.set(WITNESS_AHEAD, one.ahead, name)

    def close(self) -> None:
        """Wait for nobody any longer."""
        if self._witnesses:
            self._witnesses.close()
        self._runners.close(_CLOSING_S)


def serve(folder: Path, keys: Sequence[VerifierKey], end: socket.socket) -> None:
    """Publish what the writer proposes, until it is gone."""
    # Who stops the service tells all of us; the last tree is proposed after that.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    home = Home.at(folder)
    store = home.open_store(readonly=True)
    counts = Counts()
    inside = Inside(home, store, keys, counts)
    alone = threading.Lock()

    def send(frame: bytes) -> None:
        with alone:
            end.sendall(frame)

    def report() -> None:
        while not threading.Event().wait(_REPORT_EVERY_S):
            inside.count()
            counts.set(PROCESS_BYTES, own_bytes(), "publisher")
            send(framed(Facts(list(counts.take()))))

    proposals: queue.SimpleQueue[Proposal] = queue.SimpleQueue()
    for run in (lambda: _hear(end, proposals), report):
        threading.Thread(target=run, daemon=True).start()
    while True:
        proposal = proposals.get()
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
