"""The folder of a witness: its keys, the logs it knows, and what it remembers.

    witness.key     the secret keys
    logs.txt        the logs it knows
    memory/         the newest checkpoint that it cosigned of each

There is no going back to an older `memory`: a witness whose memory is gone has to
begin anew, with other keys. A backup of the keys alone makes a witness that can be
shown a second history, so none is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ledger.errors import Held, Refused
from ledger.keys.witnesskeys import (
    Cosigning,
    WitnessKeys,
    read_witness_keys,
    write_witness_keys,
)
from ledger.witness.known import Known
from verifier.durable import write_atomically
from verifier.errors import MalformedError

if TYPE_CHECKING:
    from ledger.witness.remembered import Remembered

_LOGS_TEXT: Final = b"""\
# The logs whose checkpoints are cosigned, a key each line: log VKEY
# provlog witness add writes such lines; they count from the next request on.
"""


@dataclass(frozen=True, slots=True)
class Home:
    """Where the things of one witness are."""

    folder: Path

    @property
    def key(self) -> Path:
        """The secret keys."""
        return self.folder / "witness.key"

    @property
    def logs(self) -> Path:
        """The list of logs."""
        return self.folder / "logs.txt"

    @property
    def memory(self) -> Path:
        """What was cosigned last."""
        return self.folder / "memory"

    def check(self) -> None:
        """Return if there is a witness."""
        if not self.key.is_file() or not self.memory.is_dir():
            says = f"there is no witness in {self.folder}"
            mend = f"provlog witness init {self.folder} --name NAME"
            raise Held("absent", says, mend=mend)

    def signing(self) -> Cosigning:
        """Its keys, made ready."""
        self.check()
        return Cosigning(read_witness_keys(self.key))

    def remembering(self) -> Remembered:
        """What it has cosigned, for one process; Held if that is not what it was."""
        self.check()
        return _memory().open(self.memory)

    def known(self) -> Known:
        """The logs that it knows."""
        return Known(self.logs, own=self.signing().verifier_keys())


def make(folder: Path, name: str) -> Home:
    """Make a witness in `folder`, which is empty or not there."""
    try:
        keys = WitnessKeys.generate(name)
    except MalformedError as error:
        raise Refused("name", f"{name!r} cannot be a witness's name: {error}") from None
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise Refused("folder", f"{folder} is not empty; nothing was made")
    folder.chmod(0o700)
    home = Home(folder)
    _memory().create(home.memory)
    write_atomically(home.logs, _LOGS_TEXT)
    # Last: without keys it is no witness, and none that has forgotten anything.
    write_witness_keys(home.key, keys)
    return home


def _memory() -> type[Remembered]:
    # LMDB, which nobody needs who lists logs, or asks for help.
    from ledger.witness.remembered import Remembered  # noqa: PLC0415

    return Remembered
