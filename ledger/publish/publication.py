"""Publication: from a signed checkpoint to a public one, in order.

    signed → witnesses cosign → kept → targets have all of it → announced

Each step can be repeated, and is durable before the next: what a crash cuts off,
the next proposal does again. Nothing here holds a secret key of the log, so it can
run where answers of strangers are parsed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from ledger.errors import Unavailable
from ledger.events import QUORUM_AGAIN, QUORUM_MISSED, emit
from ledger.publish.kept import Kept
from ledger.publish.publishing import Proposal, Published
from verifier.checkpoint import Checkpoint

Prove = Callable[[int, int], Sequence[bytes]]


class Gathered(Protocol):
    """What witnesses have given: the note with their lines, and whether they do."""

    @property
    def note(self) -> bytes:
        """The checkpoint as it was signed, with the cosignatures behind."""
        ...

    @property
    def quorum(self) -> bool:
        """Whether the policy's quorum is among them."""
        ...


class Eyes(Protocol):
    """Who cosigns: ledger.witness.quorum.Witnesses, or nobody."""

    def gather(self, note: bytes, tree: Checkpoint, prove: Prove) -> Gathered:
        """Ask all of them, and return within their time."""
        ...


class Places(Protocol):
    """Where it is published: ledger.publish.runner, or nowhere."""

    def offer(self, published: Published, patience_s: float) -> None:
        """Give it to the targets; wait for those that keep up, and for no other."""
        ...

    def announce(self, published: Published) -> None:
        """Tell those who want to be told."""
        ...


class Publication:
    """Publishes what is proposed; `closed` means: never without a quorum.

    Where no witness has an address, nobody can be asked: it is published, and is not
    called witnessed.
    """

    def __init__(
        self,
        kept: Kept,
        *,
        eyes: Eyes | None,
        places: Places | None,
        prove: Prove,
        closed: bool,
        wanted: bool = False,
        patience_s: float,
    ) -> None:
        self._kept = kept
        self._eyes = eyes
        self._places = places
        self._prove = prove
        self._closed = closed
        self._wanted = wanted
        """Whether the policy wants a quorum, though there may be nobody to ask."""
        self._patience_s: Final = patience_s
        self.missing = False
        """Whether the last proposal found no quorum."""
        self._last: Published | None = None

    def publish(self, proposal: Proposal) -> Published:
        """Make it public; Unavailable where nobody may see it yet."""
        tree, note, witnessed = proposal.tree(), proposal.note, not self._wanted
        if self._eyes:
            gathered = self._eyes.gather(note, tree, self._prove)
            note, witnessed = gathered.note, gathered.quorum
            self._tell(tree, witnessed=witnessed)
        last, plain = self._last, self._kept.plain(note)
        if last and last.witnessed and not witnessed and last.size == tree.size:
            return last
        before = self._kept.of_size(tree.size) or b""
        # Open or not: what was shown with cosignatures is not shown again without.
        closed = self._closed and self._eyes
        if not witnessed and (closed or len(plain) < len(before)):
            says = f"no quorum of witnesses has cosigned size {tree.size}"
            raise Unavailable("quorum", says)
        self._kept.add(tree.size, plain, proposal.time)
        made = Published(tree.size, note, plain, proposal.at_ms, witnessed)
        if self._places:
            self._places.offer(made, self._patience_s)
            self._places.announce(made)
        self._last = made
        return made

    def _tell(self, tree: Checkpoint, *, witnessed: bool) -> None:
        """Say it when the quorum is lost, and when it is there again."""
        if not witnessed and not self.missing:
            emit(QUORUM_MISSED, size=tree.size)
        if witnessed and self.missing:
            emit(QUORUM_AGAIN, size=tree.size)
        self.missing = not witnessed
