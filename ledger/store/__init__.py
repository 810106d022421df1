"""Where a log is kept: what every store promises, whatever it is made of.

Nothing here is trusted. The sequencer reads back what it wrote before it is
committed, readers hash what they are given, and an audit finds what is left.
`tests/contracts/` is this page, executed over every store.

A store on a distributed engine has room here: `append` compares the head it
stands on, writes, shows what it wrote, and makes all of it visible in one step,
which a transaction of a database can do, and an object store with
compare-and-swap of one object, the head.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

from verifier.hashing import EMPTY_ROOT

KINDS: Final = ("record", "statement", "opaque")
"""What the entries of a log are; fixed at its birth."""

WRITER: Final = "writer"
COPY: Final = "copy"
"""The roles of a store: a copy is never appended to."""

SLACK_BYTES: Final = 1 << 20
"""What a batch may need beyond its own bytes: rewritten tiles, pages of the tree."""

TileKey: TypeAlias = tuple[int, int]
"""Level and index of a tile of hashes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charter:
    """What is fixed when a log is made, and never changes.

    `genesis` are random bytes that tell this log from every other, also from one
    of the same origin; `operator` is the pseudonym under which whoever runs the
    log submits by hand.
    """

    origin: str
    kind: str
    dedupe: bool
    genesis: bytes
    operator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """How far a log has come: after `batch` batches it has `size` entries.

    `at` is the newest time that an entry carries, in milliseconds. A frozen log
    has had its last batch.
    """

    batch: int = 0
    size: int = 0
    root: bytes = EMPTY_ROOT
    at: int = 0
    frozen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one commit adds to the log that has the head `previous`.

    `tiles` are all tiles of hashes that change, as they are from now on;
    `identities` say at which index something stands that may be handed in again.
    """

    previous: Head
    head: Head
    entries: Sequence[bytes]
    tiles: Mapping[TileKey, bytes]
    identities: Sequence[tuple[bytes, int]] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """How much room a store takes and has: its bytes, its limit, what the disk has.

    `tail_bytes` are written once more, by the batch that completes their tile.
    """

    used_bytes: int
    limit_bytes: int
    free_bytes: int
    tail_bytes: int = 0


class Snapshot(Protocol):
    """A store at one moment. What it returns stays valid when the moment is over."""

    def head(self) -> Head:
        """The newest committed head."""
        ...

    def tile(self, level: int, index: int) -> bytes:
        """The hashes of a tile, joined, as many as there are; empty if none."""
        ...

    def entries(self, start: int, stop: int) -> list[bytes]:
        """The entries from `start` up to `stop`; fewer if there are fewer."""
        ...

    def find(self, identities: Iterable[bytes]) -> dict[bytes, int]:
        """The indexes of those `identities` that are known."""
        ...

    def identities(self) -> Iterable[tuple[bytes, int]]:
        """All identity rows; to be read while the snapshot lasts."""
        ...


Check: TypeAlias = Callable[[Snapshot], None]


class LogStore(Protocol):
    """Entries, tiles, identities and head. One writer, any number of readers."""

    @property
    def charter(self) -> Charter:
        """What was fixed at birth."""
        ...

    @property
    def role(self) -> str:
        """WRITER, or COPY, which `append` refuses."""
        ...

    def append(self, batch: Batch, check: Check) -> None:
        """Make `batch` durable: its entries, tiles, identities and head, or none.

        `check` is shown the store as it will be, before anybody else is, and stops
        everything by raising. When this returns, a power failure cannot undo it.
        Unavailable, Held and whatever `check` raised mean that nothing has
        happened, and that the store can go on. Halted means that nobody knows: the
        process has to end, and the next one to look.
        """
        ...

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """The store at this moment, for a short while: a reader pins old pages."""
        ...

    def mend(self, tile: TileKey, data: bytes) -> None:
        """Put right bytes where wrong ones are stored; root and size stay.

        `tile` is a tile of hashes, or at level −1 an entry tile. The caller has
        hashed `data`; durable when this returns.
        """
        ...

    def index(self, identities: Iterable[tuple[bytes, int]], *, drop: bool) -> None:
        """Write identity rows again, after dropping all there are if `drop` says so.

        They follow from the entries; of two with one identity the first has it, if
        all are written again. Durable when this returns.
        """
        ...

    def usage(self) -> Usage:
        """How much room there is."""
        ...

    def close(self) -> None:
        """Let go of it; what was appended stays."""
        ...
