"""What lies beside a store, where a folder has only a key: its settings, its policy.

Settings are taken from a backup, so that its targets are asked. A backup may be
somebody else's work, so it does not say where anything is written to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from ledger.config import NAME, Config
from ledger.errors import Refused
from ledger.keys.keyfile import KeyFile
from ledger.log.home import Home
from ledger.upkeep.birth import write_policy
from verifier.durable import write_atomically
from verifier.source import read_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """The log's folder as it will be, and what is yet to be written into it."""

    home: Home
    settings: Path | None = None
    """The backup's settings, if the folder has none."""

    def write(self, keys: KeyFile) -> list[str]:
        """Write what is not there; return what was, and from where."""
        written = []
        if self.settings:
            data = read_file(self.settings, 1 << 20)
            write_atomically(self.home.folder / NAME, data)
            written.append(f"{NAME}, from {self.settings.parent}")
        if not self.home.policy.exists():
            write_policy(self.home, keys)
            written.append(f"{self.home.policy.name}, from the key")
        return written


def papers_of(folder: Path, copies: Sequence[str]) -> Papers:
    """The settings in `folder`, or else those of the first copy that has some."""
    if (folder / NAME).exists():
        return Papers(home=Home.at(folder))
    for copy in copies:
        settings = Path(copy) / NAME
        if not settings.is_file():
            continue
        config, usual = Config.read(Path(copy), environment={}), Config()
        if (config.anchor, config.key) != (usual.anchor, usual.key):
            raise Refused(
                "settings",
                f"{settings} says where the anchor or the key is, for which no copy is "
                f"believed; if it is right: cp {quote(str(settings))} "
                f"{quote(str(folder / NAME))}, and repeat",
            )
        return Papers(home=Home(folder, config), settings=settings)
    return Papers(home=Home.at(folder))
