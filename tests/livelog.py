"""LiveLog: a real log in a folder, whatever happens to it, and its auditor.

The auditor remembers every checkpoint and every answer that was ever given out.
`check()` audits the whole log through the verifier, and then holds it against
what was promised: each answered entry is at its index with its bytes, and each
checkpoint ever shown is the beginning of the newest one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from ledger.clock import Clock, read_clock
from ledger.keys.keyfile import KeyFile
from ledger.log.admission import Admission
from ledger.log.anchor import Anchored, write_anchor
from ledger.log.home import Home
from ledger.log.identity import digest_identity
from ledger.log.log import Log
from ledger.log.own import genesis
from ledger.log.pool import Admitted, Answer
from ledger.log.reading import Reading
from ledger.store import Charter
from ledger.store.environment import create_store
from ledger.upkeep.birth import init, new_charter, new_keys, write_papers
from ledger.upkeep.source import StoreSource
from verifier import Checkpoint, Policy, verify_checkpoint, verify_log
from verifier.hashing import leaf_hash
from verifier.proof import verify_consistency, verify_inclusion

ORIGIN = "log.example/live"
FIRST = 2
"""Where the first record of a record log stands: behind genesis and schema."""


class LiveLog:
    """A log made by `init` in `folder`. Its promises are kept in `answers`."""

    __test__ = False

    def __init__(
        self,
        folder: Path,
        *,
        kind: str = "opaque",
        dedupe: bool = False,
        clock: Clock = read_clock,
        settings: str = "",
        charter: Charter | None = None,
        signed: bool = False,
        older: bool = False,
    ) -> None:
        self.folder = folder
        self.signed = signed
        """Whether statements have to be signed, as they have in every other log."""
        self.clock = clock
        self.charter = charter or new_charter(ORIGIN, kind=kind, dedupe=dedupe)
        keys = new_keys(self.charter)
        (begin_older if older else init)(folder, self.charter, keys, clock=clock)
        # Disks of test machines are small; a test of the floor sets its own.
        (folder / "log.toml").write_text(f"min_free_bytes = 0\n{settings}")
        self.policy = Policy.parse((folder / "policy.txt").read_bytes())
        self.checkpoints: list[Checkpoint] = []
        self.promised: dict[int, bytes] = {}
        self.given_up = False
        """Set by a test that leaves the log damaged, on purpose."""

    @contextmanager
    def open(self, **options: Any) -> Iterator[Log]:
        """Open the log; it is closed at the end."""
        with Log.open(self.folder, clock=self.clock, **options) as log:
            log.admission = self.admission(log)
            yield log

    def admission(self, log: Log) -> Admission:
        """What lets entries into `log`."""
        if self.charter.kind == "statement" and not self.signed:
            return Unsigned(log.charter)
        return log.admission

    def append(self, *entries: bytes, log: Log | None = None) -> Answer:
        """Append in one batch, and remember what was promised."""
        if log is None:
            with self.open() as opened:
                return self.append(*entries, log=opened)
        answer = log.append(entries)
        self.remember(answer, entries)
        return answer

    def submit(self, log: Log, admitted: Sequence[Admitted]) -> Answer:
        """Append what is admitted already."""
        answer = log.submit(admitted).wait()
        self.remember(answer, [each.data for each in admitted])
        return answer

    def remember(self, answer: Answer, entries: Sequence[bytes]) -> None:
        """Keep what `answer` promises."""
        self.saw(answer.checkpoint)
        for index, entry in zip(answer.indexes, entries, strict=True):
            if index is not None:
                # A record's entry is what was submitted inside what the log saw.
                assert self.promised.setdefault(index, entry) == entry
                assert index < answer.head.size

    def saw(self, checkpoint: bytes) -> Checkpoint:
        """Keep a checkpoint that was shown to somebody; it has to be signed."""
        seen = verify_checkpoint(checkpoint, self.policy).checkpoint
        self.checkpoints.append(seen)
        return seen

    def check(self) -> Checkpoint:
        """Audit all of it; raise if anything is wrong, or any promise is broken."""
        store = Home.at(self.folder).open_store(readonly=True)
        try:
            with store.snapshot() as snapshot:
                head = snapshot.head()
            newest = Checkpoint(
                origin=self.charter.origin, size=head.size, root=head.root
            )
            kind = "record" if self.charter.kind == "record" else "opaque"
            source = StoreSource(store)
            verify_log(source, newest, kind=kind)
            with store.snapshot() as snapshot:
                for index, entry in self.promised.items():
                    (stored,) = snapshot.entries(index, index + 1)
                    assert entry in stored if kind == "record" else entry == stored
        finally:
            store.close()
        self._check_consistent(newest)
        return newest

    def _check_consistent(self, newest: Checkpoint) -> None:
        """Each checkpoint ever shown is the beginning of the next larger one."""
        shown = sorted(self.checkpoints, key=lambda each: each.size)
        shown = [each for each in [*shown, newest] if each.size]
        if not shown:
            return
        store = Home.at(self.folder).open_store(readonly=True)
        try:
            reading = Reading(store, lambda: newest)
            for before, after in pairwise(shown):
                assert before.size <= after.size
                verify_consistency(
                    first=before.size,
                    first_root=before.root,
                    second=after.size,
                    second_root=after.root,
                    proof=reading.consistency(before.size, after.size),
                )
            for index in list(self.promised)[-3:]:
                verify_inclusion(
                    leaf_hash(reading.entry(index)),
                    index=index,
                    size=newest.size,
                    proof=reading.inclusion(index),
                    root=newest.root,
                )
        finally:
            store.close()


def begin_older(folder: Path, charter: Charter, keys: KeyFile, *, clock: Clock) -> None:
    """Make a record log as they were made before their schema was entered."""
    folder.mkdir(0o700)
    home = Home.at(folder)
    create_store(home.store, charter)
    held = Anchored(genesis=charter.genesis, data=home.data_identity())
    write_anchor(home.anchor, held)
    write_papers(home, keys)
    with Log.open(folder, clock=clock) as log:
        log.submit([genesis(charter, [key.verifier_key for key in keys.keys])]).wait()


def other_key_only(live: LiveLog) -> bytes:
    """The policy of who believes no key of the log but ML-DSA-44, as it advises."""
    lines = (live.folder / "policy.txt").read_text().splitlines()
    (other,) = (line for line in lines if line.startswith("#log "))
    return f"{other[1:]}\nquorum none\n".encode()


class Unsigned(Admission):
    """Takes statements as they are: for tests of how they are kept."""

    def admit(self, data: bytes, *, by: str) -> Admitted:
        return Admitted(digest_identity(by, data), data)
