"""What a process did to its files, read from strace: writes, syncs, names, words.

Strings have to be whole and in hex (`-xx`, `-s` large), paths absolute.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

CALLS: Final = (
    "openat,close,lseek,write,pwrite64,writev,fsync,fdatasync,ftruncate,"
    "rename,unlink,mkdir"
)
OPTIONS: Final = ["-f", "-qq", "--seccomp-bpf", "-xx", "-s", "10000000"]

_LINE: Final = re.compile(r"(\d+) +(\w+)\((.*)\)\s+= (-?\d+)")
_STRING: Final = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_UNFINISHED: Final = re.compile(r"(\d+) +(.*) <unfinished \.\.\.>$")
_RESUMED: Final = re.compile(r"(\d+) +<\.\.\. \w+ resumed>(.*)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing that was done: `kind` is write, cut, sync, make, move, drop, or say.

    `path` is a file or folder; `to` where it was moved, `at` where in it `data`
    was written, or its new length. A write of which `durable` is set returned
    when it was on the disk.
    """

    kind: str
    path: str = ""
    to: str = ""
    at: int = 0
    data: bytes = b""
    durable: bool = False
    folder: bool = False


@dataclass(slots=True)
class _Open:
    path: str
    durable: bool
    position: int = 0


@dataclass(slots=True)
class Reader:
    """Follows the open files of one process."""

    files: dict[int, _Open] = field(default_factory=dict)

    def acts(self, lines: Iterable[str]) -> Iterator[Act]:
        """All that succeeded, in its order."""
        for line in _whole(lines):
            match = _LINE.match(line)
            if match and int(match[4]) >= 0:
                yield from self._act(match[2], match[3], int(match[4]))

    def _act(self, name: str, words: str, result: int) -> Iterator[Act]:
        strings = [
            bytes.fromhex(each.replace("\\x", "")) for each in _STRING.findall(words)
        ]
        match name:
            case "openat":
                yield from self._open(strings[0].decode(), words, result)
            case "rename":
                source, dest = (each.decode() for each in strings)
                yield Act(kind="move", path=source, to=dest)
            case "unlink" | "mkdir":
                kind = "drop" if name == "unlink" else "make"
                yield Act(kind=kind, path=strings[0].decode(), folder=name == "mkdir")
            case _:
                number = int(words.partition(",")[0])
                yield from self._on(number, name, words, b"".join(strings), result)

    def _open(self, path: str, words: str, number: int) -> Iterator[Act]:
        self.files[number] = _Open(path, "O_DSYNC" in words or "O_SYNC" in words)
        if "O_CREAT" in words:
            yield Act(kind="make", path=path)
        if "O_TRUNC" in words:
            yield Act(kind="cut", path=path)

    def _on(
        self, number: int, name: str, words: str, data: bytes, result: int
    ) -> Iterator[Act]:
        file = self.files.get(number)
        if name == "write" and number == 1:
            yield Act(kind="say", data=data)
        elif file is None:
            return
        elif name == "close":
            del self.files[number]
        elif name == "lseek":
            file.position = result
        elif name in ("fsync", "fdatasync"):
            yield Act(kind="sync", path=file.path)
        elif name == "ftruncate":
            yield Act(kind="cut", path=file.path, at=int(words.split(",")[1]))
        else:
            at = file.position
            if name == "pwrite64":
                at = int(words.rpartition(",")[2])
            else:
                file.position += result
            yield Act(
                kind="write",
                path=file.path,
                at=at,
                data=data[:result],
                durable=file.durable,
            )


def _whole(lines: Iterable[str]) -> Iterator[str]:
    """The lines, those put together that strace has broken between two threads."""
    begun: dict[str, str] = {}
    for line in lines:
        if match := _UNFINISHED.match(line):
            begun[match[1]] = line.removesuffix(" <unfinished ...>")
        elif (match := _RESUMED.match(line)) and match[1] in begun:
            yield begun.pop(match[1]) + match[2]
        else:
            yield line
