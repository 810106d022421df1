"""A log, opened for writing: the only door to the one writer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from ledger.clock import Clock, read_clock
from ledger.config import NAME as SETTINGS
from ledger.config.settings import wrong
from ledger.errors import Held, Refused
from ledger.events import CLOCK_AHEAD, HELD, RECOVERED, emit
from ledger.keys.signer import Signer
from ledger.log.admission import admission_of
from ledger.log.anchor import Anchor, Anchored, read_anchor
from ledger.log.home import Home
from ledger.log.lock import Lock
from ledger.log.own import producer_entry
from ledger.log.pool import Admitted, Answer, Order
from ledger.log.promised import check_promised
from ledger.log.reading import Reading
from ledger.log.recovery import (
    check_anchor,
    check_clock,
    check_outside,
    check_store,
    check_witnesses,
    open_signer,
    shown,
)
from ledger.log.registry import Registry
from ledger.log.remote import RemoteAnchors
from ledger.log.scrubber import Scrubber
from ledger.log.sequencer import Sequencer
from ledger.log.signing import sign_anchored
from ledger.log.states import mended_by
from ledger.schema.profile import profiles_of
from ledger.store import Charter, Head, LogStore, Usage
from verifier.entry import MAX_BODY_BYTES, PREFIX_BYTES
from verifier.errors import MalformedError
from verifier.keys import VerifierKey
from verifier.own import Own, check_own, encode_own
from verifier.policy import Policy
from verifier.tile import MAX_ENTRY_BYTES


class Log:
    """The log in a folder, and the right to append to it.

    Where something is wrong that does not keep it from being read, it is opened all
    the same: `hold` says what, and whoever submits gets it raised.
    """

    def __init__(self, *, home: Home, store: LogStore, clock: Clock) -> None:
        self.home = home
        self.charter: Charter = store.charter
        self.registry = Registry(store, lambda: self.head)
        profiles = profiles_of(home.folder, home.config)
        if profiles and self.charter.kind != "record":
            says = f"profiles are about records; this is a log of {self.charter.kind}s"
            raise wrong(home.folder / SETTINGS, says)
        self.admission = admission_of(
            home.config, self.charter, profiles, self.registry, clock
        )
        self.reading = Reading(store, lambda: self.head)
        self.store = store
        self._parts = ExitStack()
        self._clock = clock
        self._hold: Held | None = None
        self._anchor: Anchor | None = None
        self._held: Anchored | None = None
        self._agreed: Anchored | None = None
        """What all anchors are known to hold, before there is a sequencer."""
        self._signer: Signer | None = None
        self._sequencer: Sequencer | None = None
        self._registering = threading.Lock()

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        clock: Clock = read_clock,
        without: Collection[str] = (),
    ) -> Self:
        """Open the log in `folder`; `without` names who need not answer.

        Raises Held where there is nothing to read, or somebody else is writing.
        """
        with ExitStack() as parts, mended_by(folder):
            home = Home.at(folder)
            if not home.store.is_dir():
                raise Held("absent", f"there is no log in {folder}")
            parts.callback(Lock(folder).release)
            store = home.open_store(readonly=False)
            parts.callback(store.close)
            log = cls(home=home, store=store, clock=clock)
            log._parts = parts.pop_all()
        try:
            with mended_by(folder):
                log._begin(without)
        except Held as hold:
            log._hold = hold
            emit(HELD, state=hold.state, error=hold)
        except BaseException:
            log.close()
            raise
        return log

    def _begin(self, without: Collection[str]) -> None:
        """Look at everything, and begin to write if nothing speaks against it."""
        head = check_store(self.store)
        # Read first: also where another process has it, nothing above it is shown.
        self._held = read_anchor(self.home.anchor)
        anchor = Anchor(self.home.anchor)
        self._parts.callback(anchor.close)
        self._held = anchor.held
        check_anchor(anchor.held, self.home, self.store, head)
        self._anchor = anchor
        self._signer = open_signer(self.home, self.store)
        check_promised(self.home, self.store, self._signer.verifier_keys())
        remote = self._ask_outside(anchor, without)
        check_witnesses(self.home, self.reading, self._signer, anchor.held, without)
        if says := check_clock(self.home, head, self._clock()):
            emit(CLOCK_AHEAD, says=says)
        if head.batch > anchor.held.batch:
            anchor.advance(head)
            remote.hold(anchor.held)
            emit(RECOVERED, batch=head.batch, size=head.size)
        self._sequencer = Sequencer(
            store=self.store,
            anchor=anchor,
            signer=self._signer,
            clock=self._clock,
            config=self.home.config,
            head=head,
            folder=self.home.folder,
            remote=remote,
        )
        self._sequencer.start()

    def _ask_outside(self, anchor: Anchor, without: Collection[str]) -> RemoteAnchors:
        """The anchors elsewhere, when they and all others agree with ours."""
        assert self._signer  # noqa: S101 - who is asked is shown what it has signed
        remote = RemoteAnchors.of(self.home, self.charter.origin, without)
        self._parts.callback(remote.close)
        if not self.home.config.anchors:
            self._agreed = anchor.held
        check_outside(self.home, self.store, self._signer, without, remote)
        remote.hold(anchor.held)
        self._agreed = anchor.held
        return remote

    @property
    def hold(self) -> Held | None:
        """Why nothing is written, if nothing is."""
        return self._sequencer.hold if self._sequencer else self._hold

    @property
    def keys(self) -> list[VerifierKey]:
        """The keys that its checkpoints are signed with, as far as they are known."""
        if self._signer:
            return self._signer.verifier_keys()
        try:
            logs = Policy.parse(self.home.policy.read_bytes()).logs
        except (OSError, MalformedError):
            return []
        return [key for key in logs if key.name == self.charter.origin]

    @property
    def signed(self) -> int:
        """How many checkpoints were signed since it was opened."""
        return self._signer.signed if self._signer else 0

    def committed(self) -> Iterator[tuple[int, float]]:
        """The batches since it was last asked: their entries, and their seconds."""
        while self._sequencer and self._sequencer.committed:
            yield self._sequencer.committed.popleft()

    @property
    def refused_batches(self) -> int:
        """How many batches were not what was computed, and were not committed."""
        return self._sequencer.refused_batches if self._sequencer else 0

    @property
    def waiting(self) -> tuple[int, int]:
        """How many entries wait for the next batch, and how many bytes of them."""
        return self._sequencer.pool.waiting if self._sequencer else (0, 0)

    def usage(self) -> Usage:
        """How much room the store takes, and has."""
        return self.store.usage()

    @property
    def head(self) -> Head:
        """The newest head that may be shown: durable, and anchored."""
        if self._sequencer:
            return self._sequencer.answered.head
        return shown(self.store, self._held)

    def checkpoint(self, *, time: int | None = None) -> bytes:
        """The newest tree, signed; with a time by the ML-DSA-44 key, too."""
        if self._sequencer:
            return self._sequencer.checkpoint(time=time)
        if not self._signer or not self._agreed:
            raise self.hold or Held("halted", "the log cannot sign")
        return sign_anchored(self._signer, self._agreed, time=time)

    def submit(
        self,
        admitted: Sequence[Admitted],
        *,
        freeze: bool = False,
        told: Callable[[Order], None] | None = None,
    ) -> Order:
        """Hand over what was admitted; the order's `wait` gives the answer."""
        hold = self.hold
        # A clock may have been set back, and an old submission has its old answer.
        if not self._sequencer or (hold and hold.state not in ("clock", "frozen")):
            raise hold or Held("halted", "the log does not write")
        order = Order(admitted, freeze=freeze, told=told)
        self._check_size(order)
        self._sequencer.pool.put(order)
        return order

    def _check_size(self, order: Order) -> None:
        """Return if `order` can ever be in one batch, and each of it in a tile."""
        # In a record log each still gets its time before it.
        most = MAX_ENTRY_BYTES
        most -= PREFIX_BYTES if self.charter.kind == "record" else 0
        if order.largest_bytes > most:
            says = f"{order.largest_bytes} bytes in one entry, and at most {most}"
            raise Refused("size", says)
        limits = self.home.config
        entries = min(limits.batch_entries, limits.pool_entries)
        bytes_ = min(limits.batch_bytes, limits.pool_bytes)
        if order.entries > entries or order.size_bytes > bytes_:
            raise Refused(
                "size",
                f"{order.entries} entries of {order.size_bytes} bytes at once; at most "
                f"{entries} and {bytes_} are taken, so hand in fewer",
            )

    def append(self, entries: Sequence[bytes], *, by: str | None = None) -> Answer:
        """Admit `entries`, log them in one batch, and return when they are durable."""
        by = self.charter.operator if by is None else by
        admitted = [self.admission.admit(each, by=by) for each in entries]
        return self.submit(admitted).wait()

    def register(self, own: Own) -> Answer:
        """Enter what `own` says about a producer, and return when it is durable.

        It gets its number here, and is refused where it does not follow from what is
        there: two at a time would have the same number.
        """
        if self.charter.kind == "opaque":
            raise Refused("registration", "an opaque log takes no statements")
        with self._registering:
            producers = self.registry.with_room()
            numbered = {**own, "number": producers.number}
            try:
                check_own(numbered)
                producers.take(numbered, self.head.size)
                size = len(encode_own(numbered))
            except MalformedError as error:
                raise Refused("registration", str(error)) from None
            if size > MAX_BODY_BYTES:
                # Nobody could read the entry, and nobody's statement would be taken.
                says = f"{size} bytes, and at most {MAX_BODY_BYTES}; enter fewer keys"
                raise Refused("size", says)
            signed = None
            if self.charter.kind == "statement":
                if not self._signer:
                    raise self.hold or Held("halted", "the log cannot sign")
                signed = self._signer.sign_own(numbered)
            return self.submit([producer_entry(numbered, signed)]).wait()

    def scrub(self) -> Scrubber:
        """Begin to re-read the whole log, slowly, for as long as it is open."""
        scrubber = Scrubber(self.reading, lambda: self.head)
        rate = self.home.config.scrub_entries_per_s
        if rate:
            thread = threading.Thread(
                target=scrubber.run, args=(rate,), name="scrubber", daemon=True
            )
            thread.start()
            self._parts.callback(thread.join)
            self._parts.callback(scrubber.stop)
        return scrubber

    def resume(self) -> None:
        """An operator has looked at the clock, and it is right."""
        if self._sequencer:
            self._sequencer.resume()

    def close(self) -> None:
        """Finish what waits, answer everyone, let go of everything."""
        if self._sequencer:
            self._sequencer.close()
        self._parts.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
