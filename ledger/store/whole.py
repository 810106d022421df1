"""Whether a data file is all there, and sound, before LMDB is let near it.

LMDB maps the file into memory: a page behind its end does not raise, it kills
the process. So the end is looked at first, in the bytes, and the structure of
the whole file where somebody has a reason to doubt it.
"""

from __future__ import annotations

import os
import stat
import struct
from pathlib import Path
from typing import Final

from lmdb import verify

from ledger.errors import Held
from ledger.store.disk import failed
from ledger.store.layout import damaged

# Page header, magic, version, address, map size, two databases, last page, transaction.
_META: Final = struct.Struct("=16xIIQQI44x48xQQ")
_MAGIC: Final = 0xBEEFC0DE
_VERSION: Final = 1
_SMALLEST_PAGE: Final = 4096


def check_whole(path: Path) -> None:
    """Return unless the file is missing, is no LMDB 0.9 file, or ends too early."""
    try:
        with open(path, "rb", opener=_regular) as file:
            metas = list(_metas(file.read(1 << 17)))
            size = file.seek(0, os.SEEK_END)
    except FileNotFoundError:
        raise Held("absent", f"there is no log in {path.parent}") from None
    except OSError as error:
        raise failed(path, error) from None
    if not metas:
        raise damaged(f"{path} does not begin as an LMDB 0.9 file does")
    _, last, page = max(metas)
    # The newest pages may never have been written, if nothing refers to them.
    if size < (last + 1) * page:
        check_structure(path)


def _regular(path: str, flags: int) -> int:
    """Open a file, and do not wait for a pipe."""
    number = os.open(path, flags | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise damaged(f"{path} is no file")
    return number


def check_structure(path: Path) -> None:
    """Return if every page of the file is where it belongs; reads all of them."""
    try:
        wrong = verify.verify(str(path), subdir=False)  # type: ignore[no-untyped-call]
    except verify.VerifyError as error:
        raise damaged(f"{path}: {error}") from None
    if wrong:
        raise damaged(f"{path}: {wrong[0]} ({len(wrong)} findings)")


def _metas(data: bytes) -> list[tuple[int, int, int]]:
    """Transaction, last page and page size of the two head pages, where sound."""
    if len(data) < 2 * _SMALLEST_PAGE:
        return []
    magic, _, _, _, page, _, _ = _META.unpack_from(data)
    found = []
    for start in (0, page if magic == _MAGIC else _SMALLEST_PAGE):
        if start + _META.size > len(data):
            continue
        magic, version, _, _, size, last, txn = _META.unpack_from(data, start)
        if magic == _MAGIC and version == _VERSION and size >= _SMALLEST_PAGE:
            found.append((txn, last, size))
    return found
