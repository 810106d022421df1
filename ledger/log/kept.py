"""What an anchor service keeps of a log, and how a log asks it to: four small texts.

    GET  v1/anchor/<hex SHA-256 of the origin>
    200  {"origin":"log.example/prod","batch":7,"size":12,"root":"9c1f…","frozen":false}
    404  nothing is kept yet

    POST to the same, {"old":{"size":12,"root":"9c1f…"},"new":{"batch":8,"size":20,…}}
    200  what is kept from now on, durably
    409  what is kept, and stays: it is not `old`, or `new` does not follow it

`old` is null for the first one. Who has lost an answer asks again, and knows its own
`new` in the 409.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Final, TypeVar

import msgspec

from verifier.document import MAX_INTEGER
from verifier.errors import MalformedError

MAX_BYTES: Final = 4_096
"""Of a question, and of an answer."""

_Number = Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)]
_Any = TypeVar("_Any", bound=msgspec.Struct)
_Root = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class Old(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which tree was kept before."""

    size: _Number
    root: _Root


class Kept(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A head, as far as it is kept: no name has a second meaning here."""

    batch: _Number
    size: _Number
    root: _Root
    frozen: bool = False

    @property
    def old(self) -> Old:
        """Its tree."""
        return Old(size=self.size, root=self.root)

    def after(self, known: Kept | None) -> Kept:
        """What to put where `known` is, so that this head is kept.

        A log that was put together from copies counts its batches anew.
        """
        if known is None:
            return self
        if (known.old, known.frozen) == (self.old, self.frozen):
            return known
        return msgspec.structs.replace(self, batch=max(self.batch, known.batch + 1))

    def is_followed_by(self, new: Kept) -> bool:
        """Whether `new` may come after it: a tree only grows, and not for ever."""
        if self.frozen or new.batch <= self.batch or new.size < self.size:
            return False
        return new.size > self.size or new.root == self.root


class _Told(Kept, frozen=True, kw_only=True, forbid_unknown_fields=True):
    origin: str


class Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a log asks for."""

    old: Old | None
    new: Kept

    def encode(self) -> bytes:
        """The question."""
        return msgspec.json.encode(self)

    @classmethod
    def parse(cls, data: bytes) -> Change:
        """Read a question, or raise MalformedError."""
        return _parsed(data, Change)


def path_of(origin: str) -> str:
    """Where a service has what it keeps of the log `origin`."""
    return f"v1/anchor/{sha256(origin.encode()).hexdigest()}"


def encode_kept(origin: str, kept: Kept) -> bytes:
    """The answer of a service that keeps `kept`."""
    return msgspec.json.encode({"origin": origin} | msgspec.structs.asdict(kept))


def parse_kept(data: bytes) -> tuple[str, Kept]:
    """Whose head it is, and the head; or raise MalformedError."""
    told = _parsed(data, _Told)
    members = msgspec.structs.asdict(told)
    return members.pop("origin"), Kept(**members)


def _parsed(data: bytes, kind: type[_Any]) -> _Any:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedError(
            f"not what is said to, or by, an anchor: {error}"
        ) from None
