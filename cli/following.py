"""Which entry is meant: by its index, or by the id of its record, as a link has it.

Whoever looks an id up is told places, and each is read before it is believed. Where
nothing can be looked up the log is read from its beginning.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from cli import voice
from cli.answers import named_by
from cli.arguments import is_address, number
from cli.places import Own, Place
from cli.remote import Remote
from cli.trusted import read_token
from ledger.errors import Refused
from ledger.index.keys import RECORD, has_name, record_name
from ledger.index.lookup import Lookup
from verifier.tile import WIDTH


def index_of(place: Place, log: str, token_file: Path | None, word: str) -> int:
    """The index that is meant by `word`; Refused if no entry has it."""
    id_, size = word.removeprefix("rec:"), place.tree.size
    try:
        name = record_name(id_)
    except ValueError:
        index = number(word, "INDEX")
        if index >= size:
            says = f"there is no entry {index}: the log has {size} entries"
            raise Refused("index", says) from None
        return index
    for index in _places(place, log, token_file, id_):
        (entry,) = place.entries(index, index + 1)
        if has_name(entry, "record", name):
            return index
    says = f"no record has the id {id_}, as far as was looked"
    raise Refused("record", says)


def _places(place: Place, log: str, token_file: Path | None, id_: str) -> Iterator[int]:
    """Where it may be."""
    looked, size = 0, place.tree.size
    if is_address(log):
        with closing(Remote(log, read_token(token_file))) as remote:
            named = named_by(remote, f"record/{id_}")
        if named is not None:
            yield from (index for index in named.indexes if 0 <= index < size)
            return
    if isinstance(place, Own) and place.seen.home.index.is_dir():
        lookup = Lookup(place.seen.home.index, place.seen.store.charter.genesis)
        found = lookup.find(RECORD, record_name(id_)[1:])
        looked = 0 if lookup.skipped else min(lookup.covered, size)
        yield from (index for index in found if index < looked)
    with voice.meter() as bar:
        for start in range(looked - looked % WIDTH, size, WIDTH):
            stop = min(start + WIDTH, size)
            for index, entry in enumerate(place.entries(start, stop), start):
                if id_.encode() in entry:
                    yield index
            bar(stop, size)
