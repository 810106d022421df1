"""LOG on the command line: an address, the folder of a log, or one with its files.

Whatever it is, what is read from it is checked before it is shown: in a log's own
folder against the anchor, elsewhere against a checkpoint that the caller's policy
accepts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from cli import voice
from cli.arguments import is_address
from cli.hinting import hinted
from cli.remote import Remote
from cli.tiles import Tiles
from cli.trusted import needed, read_policy, read_token, say_unwitnessed, standing
from ledger.clock import read_clock
from ledger.errors import Held
from ledger.http.listening import is_local
from ledger.log.look import Look, look
from ledger.log.states import mended_by
from ledger.publish.export import signing_time
from ledger.publish.kept import Kept
from verifier.checkpoint import Checkpoint
from verifier.note import Note
from verifier.policy import Policy
from verifier.source import CHECKPOINT, Directory, Url


class Place(Protocol):
    """A log to read from."""

    @property
    def kind(self) -> str:
        """Of which kind its entries are; "auto" where nobody says."""
        ...

    @property
    def tree(self) -> Checkpoint:
        """The newest tree, as far as it was verified."""
        ...

    def checkpoint(self) -> bytes:
        """The checkpoint of that tree, as it was signed."""
        ...

    def checkpoint_of(self, size: int) -> bytes | None:
        """One of another size that was signed, if it is known."""
        ...

    def entries(self, start: int, stop: int) -> list[bytes]:
        """The entries from `start` up to `stop`, each held against the tree."""
        ...

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The proof for an entry, to be verified by who asked."""
        ...

    def consistency(self, first: int, second: int) -> list[bytes]:
        """The proof that one tree is the beginning of another, likewise."""
        ...

    def root(self, size: int) -> bytes:
        """The root that the first `size` entries had."""
        ...


@contextmanager
def shown_place(
    log: str, policy: Path | None, token_file: Path | None
) -> Iterator[Place]:
    """LOG, to be shown: believed as the policy says, or said not to be."""
    believed = read_policy(policy) if policy else None
    with opened(log, believed, read_token(token_file)) as place:
        if believed:
            believe(place, believed)
        elif not isinstance(place, Own):
            voice.tell("not verified: whom to believe is not said (--policy FILE)")
        yield place


class Own:
    """The folder of a log, which somebody may be writing to."""

    def __init__(self, seen: Look) -> None:
        self.seen = seen
        self.kind = seen.store.charter.kind
        # One tree for all that is asked, though the log may grow meanwhile.
        self.tree = Checkpoint(
            origin=seen.store.charter.origin,
            size=seen.newest.size,
            root=seen.newest.root,
        )
        reading = seen.reading
        self.entries = reading.entries
        self.inclusion = reading.inclusion
        self.consistency = reading.consistency
        self.root = reading.root

    def checkpoint(self) -> bytes:
        """The anchored tree, signed now; with the time, if the clock can be right."""
        time = None
        with suppress(Held):
            time = signing_time(self.seen, read_clock())
        return self.seen.checkpoint(time=time)

    def own_policy(self) -> Policy:
        """The keys that sign here; who has the log itself needs no word for them."""
        keys = self.seen.signer.verifier_keys() if self.seen.signer else []
        return Policy(logs=keys, quorum=b"none")

    def checkpoint_of(self, size: int) -> bytes | None:
        """One that was published by a service, if there was one."""
        if not self.seen.signer:
            return None
        keys = self.seen.signer.verifier_keys()
        return Kept(self.seen.home.folder, keys, self.tree.origin).of_size(size)


def own_policy(place: Place) -> Policy:
    """Whom to believe if nobody says: in a log's own folder, its keys."""
    return place.own_policy() if isinstance(place, Own) else needed(None)


def believe(place: Place, policy: Policy | None) -> None:
    """Return if the newest tree is one that `policy` accepts, or of a log at hand."""
    if policy is None:
        own_policy(place)
    else:
        say_unwitnessed(standing(place.checkpoint(), policy))


@contextmanager
def opened(log: str, policy: Policy | None, token: str | None) -> Iterator[Place]:
    """The log to read from, for as long as this lasts."""
    folder = Path(log)
    if is_address(log):
        warn_of_clear(log, token)
        # A mirror may pack what it sends; a log that asks for a token does not.
        source = Remote(log, token) if token else Url(log)
        with hinted(token), closing(source):
            yield Tiles(source, policy)
    elif (folder / "store").is_dir() or not _is_exported(folder):
        # Also where there is nothing: a log's folder says best what is missing.
        with mended_by(folder), look(folder) as seen:
            yield Own(seen)
    else:
        yield Tiles(Directory(folder), policy)


def warn_of_clear(url: str, token: str | None) -> None:
    """Say so where a token would cross the network for all to read."""
    with suppress(ValueError):
        parts = urlsplit(url)
        if token and parts.scheme == "http" and not is_local(parts.hostname or ""):
            voice.tell("warning: the token is sent without TLS, for all to read")


def tree_in(checkpoint: bytes) -> Checkpoint:
    """What a checkpoint says, unverified."""
    return Checkpoint.parse(Note.parse(checkpoint).text, extensions=True)


def _is_exported(folder: Path) -> bool:
    return (folder / CHECKPOINT).exists() or (folder / "tile").is_dir()
