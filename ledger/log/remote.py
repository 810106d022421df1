"""Anchors elsewhere: services that hold each batch before anybody is answered.

A folder that is put back whole, its own anchor with it, looks right from inside. What
was published is known outside; what was only answered is known to whoever got the
answer, and to an anchor elsewhere. So no batch is signed, shown or answered before
each of them holds it, and the log waits for one that is silent.

Each step is a comparison and an exchange: of two processes that believe to be the
writer, on two machines, one at most gets an answer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from shlex import quote
from typing import Final, Self

from ledger.config import NAME
from ledger.errors import Halted, Held, Refused
from ledger.keys.private import read_private
from ledger.log.anchor import Anchored
from ledger.log.home import Home
from ledger.log.kept import MAX_BYTES, Change, Kept, parse_kept, path_of
from ledger.log.reading import root_at
from ledger.outbound import Line, NoAnswer, Reply
from ledger.store import LogStore
from verifier.errors import MalformedError

PATIENCE_S: Final = 5.0
"""How long one question may take; a batch is never given up, only asked again."""
_SAYS: Final = {
    401: "it does not know the token for this log",
    404: "it holds nothing of this log",
    503: "it cannot keep anything at the moment",
}


class _Conflict(Exception):
    """It holds what this log did not put there."""


@dataclass(slots=True, eq=False)
class _Remote:
    """One service, and what it holds as far as we know."""

    url: str
    line: Line
    origin: str
    known: Kept | None = None

    def ask(self) -> Kept | None:
        """What it holds; NoAnswer if it does not say."""
        reply = self.line.get(path_of(self.origin))
        # A wrong address says the same; but it does not take what is put there then.
        self.known = None if reply.status == 404 else self._read(reply, 200)
        return self.known

    def put(self, held: Anchored) -> None:
        """Have it hold `held`; NoAnswer if nobody knows whether it does."""
        before, new = self.known, _kept(held).after(self.known)
        # It may have seen the batch that a crash left one ahead of our own anchor.
        if new == before or (before and before.size > held.size):
            return
        change = Change(old=before.old if before else None, new=new)
        reply = self.line.post(
            path_of(self.origin),
            change.encode(),
            headers={"Content-Type": "application/json"},
        )
        kept = self._read(reply, 200, 409)
        # Also where it refuses: the answer to an earlier try may have been lost.
        if kept == new:
            self.known = new
        elif reply.status == 200:
            raise NoAnswer(f"{self.line}: it took one batch, and says another")
        else:
            raise _Conflict(
                f"{self.line} holds batch {kept.batch} of size {kept.size}, which "
                "this process did not put there: somebody else writes this log"
            )

    def _read(self, reply: Reply, *fine: int) -> Kept:
        if reply.status not in fine:
            says = _SAYS.get(reply.status, f"it answers {reply.status}")
            raise NoAnswer(f"{self.line}: {says}")
        try:
            origin, kept = parse_kept(reply.body)
        except MalformedError:
            says = "its answer is none of an anchor service"
            raise NoAnswer(f"{self.line}: {says}") from None
        if origin != self.origin:
            raise NoAnswer(f"{self.line}: its answer is about another log")
        return kept


class RemoteAnchors:
    """All anchors elsewhere of one log, asked at once; there may be none."""

    def __init__(self, remotes: Sequence[_Remote] = ()) -> None:
        self._remotes = remotes
        self._threads = ThreadPoolExecutor(max(1, len(remotes)), "anchors")

    @classmethod
    def of(cls, home: Home, origin: str, without: Collection[str] = ()) -> Self:
        """Those that the settings name, but `without`; Held if they cannot be asked."""
        urls = [each for each in home.config.anchors if each not in without]
        tokens = _tokens(home) if urls else {}
        return cls([_remote(home, url, origin, tokens) for url in urls])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all connections."""
        self._threads.shutdown()
        for each in self._remotes:
            each.line.close()

    def check(self, store: LogStore) -> None:
        """Return if all answer, and with heads that the log in `store` has had."""
        self._each(partial(_check, store))

    def hold(self, held: Anchored) -> None:
        """Have all hold `held`, those that do not have it yet.

        Held if one is silent: then it is asked again. Halted if one holds what was
        not put there by this process.
        """
        self._each(lambda remote: remote.put(held))

    def confirm(self, held: Anchored) -> None:
        """Return if all have come as far as `held`, which may then be signed."""
        self._each(partial(_confirm, held))

    def _each(self, work: Callable[[_Remote], None]) -> None:
        """Do `work` with all at once; raise the worst of what went wrong."""
        few = len(self._remotes) < 2
        tried = map if few else self._threads.map
        silent: dict[str, NoAnswer] = {}
        for remote, error in tried(partial(_tried, work), self._remotes):
            if isinstance(error, NoAnswer):
                silent[remote.url] = error
            elif error:
                raise error
        if silent:
            why = "; ".join(map(str, silent.values()))
            names = " ".join(f"--without {quote(url)}" for url in silent)
            # Who is told to leave it out, because of a token, would go unprotected.
            refused = _SAYS[401] in why
            bring = (
                "put its token right in anchor.token" if refused else "bring it back"
            )
            raise Held(
                "anchor_silent",
                f"an anchor elsewhere does not hold what is logged: {why}",
                mend=f"{bring}, or start with {names}",
            )


def _tried(
    work: Callable[[_Remote], None], remote: _Remote
) -> tuple[_Remote, NoAnswer | Held | Halted | None]:
    try:
        work(remote)
    except (NoAnswer, Held) as error:
        return remote, error
    except _Conflict as error:
        return remote, Halted(str(error))
    return remote, None


def _check(store: LogStore, remote: _Remote) -> None:
    kept = remote.ask()
    if kept is None:
        return
    where = f"the anchor {remote.line} holds size {kept.size}"
    with store.snapshot() as snapshot:
        head = snapshot.head()
        here = f"and this log has {head.size}"
        # What has ended there has not gone on here, unless as another history.
        ended = kept.frozen and (not head.frozen or head.size > kept.size)
        if kept.size > head.size or (ended and kept.size == head.size):
            also = ", and that it has ended there" if ended else ""
            raise Held(
                "rollback",
                f"{where}{also}, {here}: it was put back to an older state, or "
                "somebody else writes it",
            )
        if ended or root_at(snapshot, kept.size, head).hex() != kept.root:
            says = f"{where} of another history, {here}: somebody else writes this log"
            raise Held("forked", says)


def _confirm(held: Anchored, remote: _Remote) -> None:
    kept = remote.ask()
    if kept is None or kept.size < held.size or (held.frozen and not kept.frozen):
        says = f"it does not hold size {held.size} yet; the log does that at its start"
        raise NoAnswer(f"{remote.line}: {says}")
    if kept.size == held.size and kept.root != held.root.hex():
        says = f"the anchor {remote.line} holds another tree of size {held.size}"
        raise Held("forked", says)


def _kept(held: Anchored) -> Kept:
    return Kept(
        batch=held.batch, size=held.size, root=held.root.hex(), frozen=held.frozen
    )


def _remote(home: Home, url: str, origin: str, tokens: dict[str, str]) -> _Remote:
    try:
        line = Line(
            url,
            reach=home.config.reach,
            patience_s=PATIENCE_S,
            most=MAX_BYTES,
            token=tokens.get(url, tokens.get("")),
        )
    except Refused as error:
        mend = f"put it right in {home.folder / NAME}"
        raise Held("config", f"an anchor elsewhere: {error}", mend=mend) from None
    return _Remote(url, line, origin)


def _tokens(home: Home) -> dict[str, str]:
    """The token of each address; "" has the one for all others.

    A line of the file is a token, or an address and its token.
    """
    path = home.folder / home.config.anchor_token
    mend = f"put there what provlog anchor add has printed, and: chmod 600 {path}"
    if not os.path.lexists(path):
        says = f"the token for the anchors is not at {path}"
        raise Held("config", says, mend=mend)
    try:
        lines = [line.split() for line in read_private(path).splitlines()]
    except Held as error:
        # Its words are about the log's keys, and this is no key.
        says = f"the token at {path} cannot be used: {error.state}"
        raise Held("config", says, mend=mend) from None
    if any(len(words) > 2 for words in lines):
        says = f"{path} has a line that is no token, and no address with its token"
        raise Held("config", says, mend=mend)
    return {words[0] if len(words) == 2 else "": words[-1] for words in lines if words}
