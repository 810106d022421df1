"""The one writer, as a front end sees it: in another process, or in this one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from ledger.errors import Held
from ledger.log.pool import Admitted, Answer
from ledger.publish.publishing import Published
from ledger.store import Head
from verifier.own import Own

Told: TypeAlias = Callable[[Answer | Exception], None]


class Writer(Protocol):
    """Takes submissions, and says how far the log has come.

    `head` is the newest head that may be shown, `checkpoint` the signed note of it;
    an answer is never about a newer one.
    """

    head: Head
    checkpoint: bytes
    hold: Held | None

    @property
    def published(self) -> Published | None:
        """The newest published checkpoint."""
        ...

    async def hand_in(self, admitted: Sequence[Admitted]) -> Answer:
        """Have `admitted` logged; returns when it is durable.

        Refused, Unavailable and Held mean that nothing was logged. Halted means that
        nobody knows; it comes after `answer_timeout_s` at the latest.
        """
        ...

    def hand_over(self, admitted: Sequence[Admitted], told: Told) -> None:
        """The same for whoever has no task that could wait.

        `told` is called once, in a later turn of the loop, with the answer or with
        what `hand_in` would raise.
        """
        ...

    async def register(self, own: Own) -> Answer:
        """Have the log enter what `own` says about a producer; as of `hand_in`."""
        ...

    async def until_published(self, size: int, *, witnessed: bool) -> Published:
        """Return when a checkpoint of at least `size` entries is public.

        If `witnessed`, one that the policy's quorum has cosigned.

        TimeoutError when the service ends first.
        """
        ...

    def end_waiting(self) -> None:
        """Let nobody wait for that any longer: the service ends."""
        ...

    def checkpoint_of(self, size: int) -> bytes | None:
        """The checkpoint that was signed for this size, if it is still known."""
        ...
