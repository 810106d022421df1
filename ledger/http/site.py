"""What a front end stands on: everything that an answer is made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ledger.callers.budgets import Budgets
from ledger.callers.tokens import Caller, Tokens
from ledger.config import Config
from ledger.http.memory import Memory
from ledger.http.writer import Writer
from ledger.index.lookup import Lookup
from ledger.log.admission import Admission
from ledger.log.reading import Reading
from ledger.metrics import Counts
from ledger.store import Charter


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One log, as one front end has it. `lookup` is None where nothing is indexed.

    `local` says that the log listens to this machine only.
    """

    charter: Charter
    config: Config
    admission: Admission
    reading: Reading
    writer: Writer
    tokens: Tokens
    budgets: Budgets
    memory: Memory
    counts: Counts
    lookup: Lookup | None
    local: bool
    clock: Callable[[], float]

    @property
    def anybody(self) -> Caller:
        """Who calls without a token, where that is allowed."""
        scopes = frozenset({"submit", "read"}) if self.open_to_all else frozenset()
        return Caller(by=self.charter.operator, scopes=scopes, token="")

    @property
    def open_to_all(self) -> bool:
        """Whether every program of this machine may submit: for a first try."""
        return self.local and not self.tokens.any
