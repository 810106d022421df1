"""Files that a crash leaves as they were, or as they were to be."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from verifier.errors import Unavailable


def write_atomically(path: Path, data: bytes) -> None:
    """Replace the file at `path`; after a crash it is the old or the new one, whole."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(beside, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise Unavailable(f"{path} cannot be written: {error.strerror}") from None
