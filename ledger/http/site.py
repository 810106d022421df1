"""What a front end stands on: everything that an answer is made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from ledger.callers.budgets import Budgets
from ledger.callers.tokens import Caller, Tokens
from ledger.config import Config
from ledger.http.memory import Memory
from ledger.http.writer import Writer
from ledger.index.lookup import Lookup
from ledger.log.admission import Admission
from ledger.log.reading import Reading
from ledger.log.registry import Registry
from ledger.metrics.counts import Counts
from ledger.store import Charter
from verifier.keys import VerifierKey

_ALL: Final = frozenset({"submit", "read"})
_NOTHING: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One log, as one front end has it. `lookup` is None where nothing is indexed.

    `keys` are the public ones, by which receipts are made in their other form.
    `local` says that the log listens to this machine only.
    """

    charter: Charter
    config: Config
    keys: Sequence[VerifierKey]
    admission: Admission
    registry: Registry
    reading: Reading
    writer: Writer
    tokens: Tokens
    budgets: Budgets
    memory: Memory
    counts: Counts
    lookup: Lookup | None
    local: bool
    clock: Callable[[], float]

    def anybody(self) -> Caller:
        """Who calls without a token; for a first try, every program of this machine."""
        scopes = _ALL if self.local and not self.tokens.any else _NOTHING
        return Caller(by=self.charter.operator, scopes=scopes, token="")
