"""The key space of a store, byte by byte; docs/store.md shows it to people.

Numbers are big-endian, so that keys sort as numbers do. Nothing is signed and
nothing is believed here. Where a value has its own bytes in another format, such
as tiles, they are those bytes and nothing around them.
"""

from __future__ import annotations

import struct
from typing import Any, Final

from ledger.errors import Held, WrongBytes
from ledger.store import COPY, KINDS, WRITER, Charter, Head, TileKey
from verifier import cbor
from verifier.errors import MalformedError
from verifier.hashing import HASH_SIZE

FORMAT: Final = b"provlog/store/1"
"""The stamp of this layout. A store with another one is not touched."""

# The databases.
LOG: Final = b"log"
TILES: Final = b"tiles"
ENTRIES: Final = b"entries"
TAIL: Final = b"tail"
IDENTITIES: Final = b"identities"
DATABASES: Final = (LOG, TILES, ENTRIES, TAIL, IDENTITIES)

# The keys of the first.
FORMAT_KEY: Final = b"format"
CHARTER_KEY: Final = b"charter"
ROLE_KEY: Final = b"role"
HEAD_KEY: Final = b"head"

_HEAD: Final = struct.Struct(f">QQ{HASH_SIZE}sQ?")
_CHARTER: Final = {
    "origin": str,
    "kind": str,
    "dedupe": bool,
    "genesis": bytes,
    "operator": str,
}
_TILE: Final = struct.Struct(">BQ")
_INDEX: Final = struct.Struct(">Q")


def index_key(index: int) -> bytes:
    """The key of an entry in the tail, and of an entry tile: 8 bytes."""
    return _INDEX.pack(index)


def parse_index(data: bytes) -> int:
    """Read 8 bytes."""
    if len(data) != _INDEX.size:
        raise WrongBytes("identities", f"a row has {len(data)} bytes, not 8")
    (index,) = _INDEX.unpack(data)
    return int(index)


def tile_key(tile: TileKey) -> bytes:
    """The key of a tile of hashes: its level in 1 byte, its index in 8."""
    return _TILE.pack(*tile)


def parse_tile_key(data: bytes) -> TileKey:
    """Read the key of a tile of hashes."""
    level, index = _TILE.unpack(data)
    return level, index


def head_value(head: Head) -> bytes:
    """Batch, size, root, time, frozen: 8 + 8 + 32 + 8 + 1 bytes."""
    return _HEAD.pack(head.batch, head.size, head.root, head.at, head.frozen)


def parse_head(data: bytes) -> Head:
    """Read a head."""
    if len(data) != _HEAD.size:
        raise damaged(f"its head has {len(data)} bytes, not {_HEAD.size}")
    if data[-1] > 1:
        raise damaged("its head is neither frozen nor not")
    batch, size, root, at, frozen = _HEAD.unpack(data)
    return Head(batch=batch, size=size, root=root, at=at, frozen=frozen)


def charter_value(charter: Charter) -> bytes:
    """The charter, as a map in deterministic CBOR."""
    members = {name: getattr(charter, name) for name in Charter.__slots__}
    return cbor.encode(members)


def parse_charter(data: bytes) -> Charter:
    """Read a charter."""
    try:
        members: Any = cbor.decode(data, text_keys=True)
        if not isinstance(members, dict):
            raise MalformedError("no map")
    except MalformedError as error:
        raise damaged(f"its charter is {error}") from None
    types = {name: type(value) for name, value in members.items()}
    if types != _CHARTER:
        raise damaged("its charter has other members than it must have")
    charter = Charter(**members)
    if charter.kind not in KINDS or len(charter.genesis) != 16:
        raise damaged("its charter says what no charter says")
    return charter


def parse_role(data: bytes) -> str:
    """Read the role."""
    role = data.decode("ascii", "replace")
    if role not in (WRITER, COPY):
        raise damaged("its role is neither writer nor copy")
    return role


def check_format(data: bytes | None) -> None:
    """Return if this is the layout that this version of provlog knows."""
    if data is None:
        raise damaged("it has no format stamp")
    if data != FORMAT:
        found = data[:40].decode("ascii", "replace")
        raise Held(
            "format",
            f"the store is of format {found!r}, and this provlog knows "
            f"{FORMAT.decode()!r}; use the version that wrote it",
        )


def damaged(says: str) -> Held:
    """The store cannot be a log's."""
    return Held("damaged", f"the store is damaged: {says}")
