"""A disk that keeps what was synced, and of the rest whatever it likes.

Bytes that were written and not synced are durable in any part and any order,
sector by sector; a name that was made, moved or dropped, when its folder is
synced, or at any time before. A disk that lies takes no sync for one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from tests.faults.trace import Act

PAGE: Final = 4096
SECTOR: Final = 16
"""Of the anchor, which has checksums: far less than what disks write at once."""

Keep = Callable[[], bool]
"""Asked of each thing that is pending: is it there after the crash?"""


@dataclass(slots=True)
class File:
    """What is on the disk for sure, and what may be there or not."""

    grain: int = PAGE
    durable: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)
    """Bytes at an offset; or None, and a length to be cut to."""

    def write(self, at: int, data: bytes) -> None:
        """Write, without any promise."""
        stop = at + len(data)
        while at < stop:
            end = min(stop, (at // self.grain + 1) * self.grain)
            self.pending.append((at, data[: end - at]))
            data, at = data[end - at :], end

    def sync(self, last: int | None = None) -> None:
        """Make everything durable, or only the `last` pieces."""
        kept = [] if last is None else self.pending[: len(self.pending) - last]
        for at, data in self.pending[len(kept) :]:
            _put(self.durable, at, data)
            # A sector that is written later is not undone by an earlier one.
            kept = [each for each in kept if not _same(each, at, data)]
        self.pending = kept

    def content(self, keep: Keep) -> bytes:
        """What is there after a crash."""
        image = bytearray(self.durable)
        for at, data in self.pending:
            if keep():
                _put(image, at, data)
        return bytes(image)


def _same(each: tuple[int, bytes | None], at: int, data: bytes | None) -> bool:
    return data is not None and each[0] == at and len(each[1] or b"") <= len(data)


def _put(image: bytearray, at: int, data: bytes | None) -> None:
    if data is None:
        del image[at:]
        image.extend(bytes(at - len(image)))
    else:
        image.extend(bytes(max(0, at - len(image))))
        image[at : at + len(data)] = data


Names = dict[str, File | None]
"""What each name stands for: a file, or None, which is a folder."""


class Disk:
    """Files and folders below some roots, as a trace changes them."""

    def __init__(self, roots: Iterable[str], *, honest: bool = True) -> None:
        self._roots = tuple(roots)
        self._honest = honest
        self.names: Names = {}
        self.durable: Names = {}
        self.pending: list[tuple[str, Names, tuple[str, ...]]] = []
        """A folder, the names that begin in it and those that end."""

    def hold(self, path: str, data: bytes, *, grain: int = PAGE) -> None:
        """A file that has been there for long."""
        self.names[path] = self.durable[path] = File(grain, bytearray(data))

    def watches(self, path: str) -> bool:
        """Whether `path` is below a root, or is one."""
        return any(path == each or path.startswith(f"{each}/") for each in self._roots)

    def apply(self, act: Act) -> bool:
        """Do what the process did; whether anything is different now."""
        file = self.names.get(act.path)
        match act.kind:
            case "make" if act.path not in self.names and self.watches(act.path):
                self._name({act.path: None if act.folder else File()})
            case "move" if self.watches(act.to):
                self._name({act.to: file}, (act.path,))
            case "drop" if act.path in self.names:
                self._name({}, (act.path,))
            case "write" if file is not None:
                file.write(act.at, act.data)
            case "cut" if file is not None:
                file.pending.append((act.at, None))
            case "sync" if self._honest and file is not None:
                file.sync()
            case "sync" if self._honest and self.watches(act.path):
                self._sync_folder(act.path)
            case _:
                return False
        return True

    def settle(self, act: Act) -> None:
        """A durable write has returned: it is on the disk, alone."""
        file = self.names.get(act.path)
        if act.durable and self._honest and file is not None:
            grain, stop = file.grain, act.at + len(act.data)
            file.sync(last=(stop - 1) // grain - act.at // grain + 1)

    def image(self, keep: Keep) -> dict[str, bytes]:
        """Every file after a crash, by its path; what lost its folder is gone."""
        names = dict(self.durable)
        for _, begun, ended in self.pending:
            if keep():
                _change(names, begun, ended)
        return {
            path: file.content(keep)
            for path, file in names.items()
            if file is not None and self._stands(path, names)
        }

    def _stands(self, path: str, names: Names) -> bool:
        while path not in self._roots:
            if path not in names:
                return False
            path = os.path.dirname(path)
        return True

    def _name(self, begun: Names, ended: tuple[str, ...] = ()) -> None:
        folder = os.path.dirname(next(iter([*begun, *ended])))
        self.pending.append((folder, begun, ended))
        _change(self.names, begun, ended)

    def _sync_folder(self, path: str) -> None:
        for folder, begun, ended in self.pending:
            if folder == path:
                _change(self.durable, begun, ended)
        self.pending = [each for each in self.pending if each[0] != path]


def _change(names: Names, begun: Names, ended: tuple[str, ...]) -> None:
    for name in ended:
        names.pop(name, None)
    names.update(begun)
