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
from typing import ClassVar, Final

from ledger.errors import Refused
from ledger.keys.witnesskeys import (
    Cosigning,
    WitnessKeys,
    read_witness_keys,
    write_witness_keys,
)
from ledger.witness.folder import Folder
from ledger.witness.known import Known
from verifier.errors import MalformedError

_LOGS_TEXT: Final = b"""\
# The logs whose checkpoints are cosigned, a key each line: log VKEY
# provlog witness add writes such lines; they count from the next request on.
"""


@dataclass(frozen=True, slots=True)
class Home(Folder):
    """Where the things of one witness are."""

    KIND: ClassVar[str] = "witness"
    INIT: ClassVar[str] = "provlog witness init"
    MORE: ClassVar[str] = " --name NAME"
    ANEW: ClassVar[str] = "in another folder, with another name, and so other keys"

    @property
    def key(self) -> Path:
        """The secret keys."""
        return self.folder / "witness.key"

    @property
    def last(self) -> Path:
        """Without keys it is no witness, and none that has forgotten anything."""
        return self.key

    def signing(self) -> Cosigning:
        """Its keys, made ready."""
        self.check()
        return Cosigning(read_witness_keys(self.key))

    def known(self) -> Known:
        """The logs that it knows."""
        return Known(self.logs, own=self.signing().verifier_keys())


def make(folder: Path, name: str) -> Home:
    """Make a witness in `folder`, which is empty or not there."""
    try:
        keys = WitnessKeys.generate(name)
    except MalformedError as error:
        raise Refused("name", f"{name!r} cannot be a witness's name: {error}") from None
    home = Home(folder)
    home.begin(_LOGS_TEXT)
    write_witness_keys(home.key, keys)
    return home
