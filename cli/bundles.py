"""Where the bundles of what was submitted go, if anybody wants them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Final, Self

import click

from capture import Logged
from verifier.durable import write_atomically

_SUFFIX: Final = ".bundle"


@dataclass(frozen=True, slots=True)
class Bundles:
    """A folder for many, a file for one, or neither."""

    folder: Path | None = None
    file: Path | None = None

    @classmethod
    def at(cls, out: Path | None, files: list[str]) -> Self:
        """What `out` means for these `files`, or for lines if there are none."""
        if out is None:
            return cls()
        if len(files) == 1 and not out.is_dir():
            return cls(file=out)
        if not out.is_dir():
            says = (
                f"--out {out} is no folder, and what is logged is more than one: give "
                f"a folder that is there (mkdir {quote(str(out))})"
            )
            raise click.UsageError(says)
        names = [Path(each).name for each in files]
        if twice := sorted({each for each in names if names.count(each) > 1}):
            says = f"two files are called {twice[0]!r}; each has one bundle in {out}"
            raise click.UsageError(says)
        return cls(folder=out)

    def keep(self, where: str | int, logged: Logged) -> None:
        """Write the bundle of what came from `where`."""
        path = self._path(where, logged)
        if path is None:
            return
        write_atomically(path, logged.bundle())

    def _path(self, where: str | int, logged: Logged) -> Path | None:
        if self.folder is None:
            return self.file
        name = Path(where).name if isinstance(where, str) else str(logged.index)
        return self.folder / f"{name}{_SUFFIX}"
