"""The folder of who remembers for the logs of others: a witness, an anchor service.

    logs.txt        the logs that it is for
    memory/         the newest that it knows of each

Nothing leads back to an older `memory`: who remembers for others and has forgotten
vouches for a second history. So no backup of it is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, ClassVar

from ledger.errors import Held, Refused
from verifier.durable import write_atomically

if TYPE_CHECKING:
    from ledger.witness.remembered import Remembered


@dataclass(frozen=True, slots=True)
class Folder:
    """Where the things of one of them are."""

    folder: Path

    KIND: ClassVar[str]
    """What it is called."""
    INIT: ClassVar[str]
    """The command that makes one, but for DIR and what follows that."""
    MORE: ClassVar[str] = ""
    """What follows DIR in that command."""
    ANEW: ClassVar[str] = "in another folder"
    """How another one is made when what this one remembered is gone."""

    @property
    def logs(self) -> Path:
        """The list of logs."""
        return self.folder / "logs.txt"

    @property
    def memory(self) -> Path:
        """What it remembers of them."""
        return self.folder / "memory"

    @property
    def last(self) -> Path:
        """The file that is made last: where it is missing, there is nothing yet."""
        return self.logs

    def check(self) -> None:
        """Return if there is one."""
        if not self.last.is_file():
            says = f"there is no {self.KIND} in {self.folder}"
            mend = f"{self.INIT} {quote(str(self.folder))}{self.MORE}"
            raise Held("absent", says, mend=mend)
        if not self.memory.is_dir():
            # Whoever made an empty one here would have one that has forgotten.
            says = f"the memory is gone of the {self.KIND} in {self.folder}"
            raise Held("absent", says, mend=f"make another {self.KIND}, {self.ANEW}")

    def remembering(self) -> Remembered:
        """What it remembers, for one process; Held if that is not what it was."""
        self.check()
        return _memory().open(self.memory)

    def begin(self, listed: bytes) -> None:
        """Make the memory, and then the list, in a folder that is empty or not there.

        A crash between the two leaves nothing that would have forgotten anything.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(self.folder.iterdir()):
            raise Refused("folder", f"{self.folder} is not empty; nothing was made")
        self.folder.chmod(0o700)
        _memory().create(self.memory)
        write_atomically(self.logs, listed)


def _memory() -> type[Remembered]:
    # LMDB, which nobody needs who lists logs, or asks for help.
    from ledger.witness.remembered import Remembered  # noqa: PLC0415

    return Remembered
