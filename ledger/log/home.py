"""The folder of a log: what is where in it.

store/data.mdb   the entries, the tree, and all that follows from them
anchor           the newest head, a second time
key              the keys that sign its checkpoints
policy.txt       for those who verify: whom to believe
log.toml         what the operator has set
lock             held by the one process that writes
clock            when an operator has last confirmed the clock
tokens           who may submit and read, by the hashes of their tokens
published/       the checkpoints that were published
index/           where what is found; it follows, and can be deleted
promised/        checkpoints that a restore was shown, and has not found here
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Self

from ledger.config import Config
from ledger.errors import Held
from ledger.store.disk import file_identity
from ledger.store.environment import DATA, LOCK
from ledger.store.lmdb import LmdbStore
from verifier.errors import MalformedError
from verifier.policy import MAX_BYTES, Policy
from verifier.source import read_file


@dataclass(frozen=True, slots=True)
class Home:
    """The folder, and what its operator has set."""

    folder: Path
    config: Config

    @classmethod
    def at(cls, folder: Path) -> Self:
        """The folder with its settings."""
        return cls(folder, Config.read(folder))

    @property
    def store(self) -> Path:
        """Where the store is."""
        return self.folder / "store"

    @property
    def anchor(self) -> Path:
        """Where the anchor is; it may be on another disk."""
        return self.folder / self.config.anchor

    @property
    def key(self) -> Path:
        """Where the keys are."""
        return self.folder / self.config.key

    @property
    def policy(self) -> Path:
        """Where the policy is."""
        return self.folder / "policy.txt"

    def whom_to_believe(self) -> Policy:
        """The log's own policy, in which its witnesses are; without one it has none."""
        try:
            return Policy.parse(read_file(self.policy, MAX_BYTES))
        except FileNotFoundError:
            return Policy(quorum=b"none")
        except (OSError, MalformedError) as error:
            # Taken for none, a slip of the pen would leave all witnesses out.
            mend = f"put it right; provlog policy show {quote(str(self.policy))} looks"
            raise Held("config", f"{self.policy}: {error}", mend=mend) from None

    @property
    def promised(self) -> Path:
        """Where it is kept what a restore was shown and could not put in place."""
        return self.folder / "promised"

    @property
    def index(self) -> Path:
        """Where it is kept what is found where."""
        return self.folder / "index"

    def data_identity(self) -> bytes:
        """What tells the data file from a copy of it."""
        return file_identity(self.store / DATA)

    def protected_by(self, answered: Iterable[str]) -> list[str]:
        """What would know a newer tree if the folder were put back to an old one.

        Of those outside only who has `answered`: others may have nothing.
        """
        found = list(answered)
        try:
            if os.stat(self.anchor).st_dev != os.stat(self.store).st_dev:
                found.append("anchor")
        except OSError:
            return found
        return found

    def open_store(self, *, readonly: bool) -> LmdbStore:
        """Open the store within the limits that are set."""
        if os.geteuid() == 0:
            self._check_user()
        return LmdbStore(
            self.store,
            readonly=readonly,
            map_bytes=self.config.map_bytes,
            limit_bytes=self.config.limit_bytes,
            min_free_bytes=self.config.min_free_bytes,
        )

    def _check_user(self) -> None:
        """Return unless root would leave a file here that the log's user cannot open.

        LMDB makes its lock file where there is none, also for who only reads.
        """
        with suppress(FileNotFoundError):
            owner = os.stat(self.store).st_uid
            if owner and not os.path.lexists(self.store / LOCK):
                raise Held("wrong_user", f"{self.store} belongs to user {owner}")
