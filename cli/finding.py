"""Finding the entries that have a file: by the index where there is one, or by reading.

An index is a hint: what it names is read, checked, and compared. Where it is silent,
and its log is at hand, the entries that it has not come to are looked through.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from typing import Final

from cli.answers import named_by
from cli.places import Own, Place
from cli.remote import Remote
from ledger.index.keys import DIGEST, digest_name, names_of
from ledger.index.lookup import MOST, Lookup
from verifier.cose import PREFIX as COSE_PREFIX
from verifier.entry import PREFIX, Entry
from verifier.errors import MalformedError
from verifier.meter import Meter
from verifier.own import MEDIA_TYPE as OWN
from verifier.record import MEDIA_TYPE, parse_record, texts
from verifier.report import path_text
from verifier.spelling import digest_text
from verifier.statement import COSE, Statement, is_statement
from verifier.statement.summary import clip
from verifier.tile import WIDTH

_ROLES: Final = {"inputs": "input", "outputs": "output"}
"""What a file was that has its digest in one of these."""


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry that has the file.

    `what` it has is "file", "digest", "record" or "statement".
    """

    index: int
    what: str
    says: str


class Search:
    """Looks in `place` for what has one of `digests`, which are forms of one file.

    `looked` is through how many entries; `more` whether the log would have gone on;
    `newer` those that are named, and in no published checkpoint yet; `whose` says
    whose word it is that there are no others. `service` is asked first, if it is one.
    """

    def __init__(
        self,
        place: Place,
        digests: Sequence[bytes],
        bar: Meter,
        service: Remote | None = None,
    ) -> None:
        self.place = place
        self.hits: list[Hit] = []
        self.looked = 0
        self.more = False
        self.whose = ""
        self.newer: list[int] = []
        self._digests = digests
        self._service = service
        self._bar = bar

    def found(self) -> bool:
        """Look; whether there is anything."""
        if self._service and self._asked(self._service):
            self.whose = ", by the log's own word"
        else:
            self._read()
        # However many others name its digest, the file itself comes first.
        self.hits.sort(key=lambda hit: hit.what != "file")
        return bool(self.hits)

    def _read(self) -> None:
        """Look by the index, and through all that it has not come to."""
        size = self.place.tree.size
        if isinstance(self.place, Own):
            self._look_up(self.place)
        for start in range(self.looked - self.looked % WIDTH, size, WIDTH):
            stop = min(start + WIDTH, size)
            for index, entry in enumerate(self.place.entries(start, stop), start):
                if index >= self.looked:
                    self._compare(index, entry)
            self._bar(stop, size)
        self.looked = size

    def _look_up(self, place: Own) -> None:
        """What the index of a log's own folder names, if there is one."""
        charter, folder = place.seen.store.charter, place.seen.home.index
        if not folder.is_dir():
            return
        lookup = Lookup(folder, charter.genesis)
        if lookup.skipped:
            return  # something could not be read when it was made: all is looked at
        self.looked = min(lookup.covered, place.tree.size)
        wanted: set[int] = set()
        for digest in self._digests:
            wanted.update(_all_of(lookup, digest))
        for index in sorted(wanted):
            if index < self.looked:
                self._compare(index, place.entries(index, index + 1)[0])

    def _asked(self, remote: Remote) -> bool:
        """Whether the log could be asked; what it names is read, and compared."""
        wanted: set[int] = set()
        covered = []
        for digest in self._digests:
            named = named_by(remote, f"digest/{digest.hex()}")
            if named is None:
                return False
            wanted.update(named.indexes)
            covered.append(named.covered)
            self.more = self.more or named.more
        size = self.place.tree.size
        self.looked = max(0, min([size, *covered]))
        self.newer = sorted(index for index in wanted if index >= size)
        there = sorted(index for index in wanted if 0 <= index < size)
        for _, group in groupby(there, lambda index: index // WIDTH):
            self._compare_all(list(group))
        return True

    def _compare_all(self, indexes: list[int]) -> None:
        """Compare entries of one tile, which is fetched once."""
        first, stop = indexes[0], indexes[-1] + 1
        entries = self.place.entries(first, stop)
        for index in indexes:
            self._compare(index, entries[index - first])
        self._bar(stop, self.place.tree.size)

    def _compare(self, index: int, entry: bytes) -> None:
        for digest in self._digests:
            if hit := hit_of(index, entry, self.place.kind, digest):
                self.hits.append(hit)
                return


def hit_of(index: int, data: bytes, kind: str, digest: bytes) -> Hit | None:
    """What the entry has of the file with this digest, if anything."""
    known, kind = kind, _looks(data) if kind == "auto" else kind
    if digest_name(digest) not in names_of(data, kind):
        return None
    content, type_ = data, COSE if kind == "statement" else ""
    if kind == "record" and sha256(data).digest() != digest:
        entry = Entry.parse(data)
        content, type_ = entry.body, entry.type
    if sha256(content).digest() == digest:
        return Hit(index, "file", "it is the file")
    if type_ == MEDIA_TYPE:
        return _mention(index, content, digest)
    if is_statement(type_):
        return Hit(index, "statement", _about(content, digest))
    if type_ == OWN:
        says = "the log has entered it, to judge records by"
        sure = "" if known == "record" else "if this is a record log, "
        return Hit(index, "digest", f"{sure}{says}")
    return Hit(index, "digest", "it is the file's digest")


def _looks(data: bytes) -> str:
    """In a log of which kind an entry would look like this."""
    if data.startswith(PREFIX):
        return "record"
    return "statement" if data.startswith(COSE_PREFIX) else "opaque"


def _about(data: bytes, digest: bytes) -> str:
    """What a statement has to do with the file; it is one, or it had no such name."""
    statement = Statement.parse(data)
    if statement.payload is not None and sha256(statement.payload).digest() == digest:
        return "a statement whose payload it is"
    found = statement.in_toto()
    if found is None:
        type_ = clip(statement.payload_type or "a type that it does not name")
        return f"a statement that signs its digest, as {type_}"
    return f"a statement about it ({clip(found.predicate_type)})"


def _mention(index: int, body: bytes, digest: bytes) -> Hit | None:
    try:
        record, text = parse_record(body), digest_text(digest)
    except MalformedError:
        return None  # in a log of bytes anybody can write what looks like a record
    open_ = {name: value for name, value in record.items() if name != "commitments"}
    paths = [path for path, each in texts(open_) if each == text]
    if not paths:
        return None  # such bytes are in it, and not as the digest of anything
    kind = record.get("kind")
    what = f"a record ({kind})" if isinstance(kind, str) else "a record"
    roles = {_ROLES.get(str(path[0]), "") for path in paths if path[-1] == "digest"}
    role = " and ".join(sorted(roles - {""}))
    has = f"whose {role} it is," if role else "that has its digest"
    where = ", ".join(map(path_text, paths))
    return Hit(index, "record", f"{what} {has} at {where}")


def _all_of(lookup: Lookup, digest: bytes) -> Iterator[int]:
    first = 0
    while found := lookup.find(DIGEST, digest[:16], first=first, most=MOST):
        yield from found
        first = found[-1] + 1
