"""Logs in memory, for an audit to read and a test to spoil: a file is a dict item."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.testlog import TIME, TestLog, policy_text
from verifier import Checkpoint, Entry, Policy, verify_checkpoint
from verifier.audit import Outcome, audit
from verifier.errors import MalformedError, Unavailable

AT = TIME * 1000
POLICY = Policy.parse(policy_text())


@dataclass
class Copy:
    """A copy of a log. Where an exception lies, reading raises it."""

    files: dict[str, bytes | BaseException]
    parallel: int = 1
    reads: Counter[str] = field(default_factory=Counter)

    def read(self, path: str, most: int) -> bytes | None:
        """What lies at `path`."""
        self.reads[path] += 1
        found = self.files.get(path)
        if isinstance(found, BaseException):
            raise found
        if found is not None and len(found) > most:
            raise MalformedError(f"{path} is too large")
        return found

    def close(self) -> None:
        """Nothing is open."""

    @property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint of the copy, believed under the policy of the tests."""
        data = self.files["checkpoint"]
        assert isinstance(data, bytes)
        return verify_checkpoint(data, POLICY).checkpoint

    def flip(self, path: str, at: int = 0) -> Copy:
        """Another copy, where one bit of the file at `path` is another."""
        data = bytearray(self.bytes(path))
        data[at] ^= 1
        return self.put(path, bytes(data))

    def put(self, path: str, data: bytes | BaseException) -> Copy:
        """Another copy, with other bytes at `path`."""
        return Copy({**self.files, path: data}, self.parallel)

    def drop(self, *paths: str) -> Copy:
        """Another copy, without some files."""
        files = {path: data for path, data in self.files.items() if path not in paths}
        assert len(files) == len(self.files) - len(paths)
        return Copy(files, self.parallel)

    def take(self, other: Copy, *paths: str) -> Copy:
        """Another copy, with some files of another log."""
        return Copy(self.files | {path: other.files[path] for path in paths})

    def bytes(self, path: str) -> bytes:
        """The bytes at `path`."""
        data = self.files[path]
        assert isinstance(data, bytes)
        return data

    def audit(self, **options: object) -> Outcome:
        """Audit the copy against its own checkpoint."""
        return audit(self, self.checkpoint, **options)  # type: ignore[arg-type]


def copy_of(entries: Iterable[bytes]) -> Copy:
    """A true copy of the log that holds `entries`."""
    with tempfile.TemporaryDirectory() as folder:
        TestLog(Path(folder)).append(*entries)
        return read_copy(Path(folder))


def read_copy(folder: Path) -> Copy:
    """A copy of the log in `folder`."""
    return Copy(
        {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }
    )


def opaque(count: int) -> list[bytes]:
    """Entries that are just bytes, each another one."""
    return [b"entry %d" % number for number in range(count)]


def wrapped(times: Iterable[int]) -> list[bytes]:
    """Entries of a record log that came in at these times."""
    one = Entry(at=AT, by="s-1", type="text/plain", body=b"hello").encode()
    return [one[:8] + at.to_bytes(8, "big") + one[16:] for at in times]


def outage(path: str) -> Unavailable:
    """What a source says that does not answer."""
    return Unavailable(f"{path}: no answer")
