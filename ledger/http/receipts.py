"""Receipts for what was just logged; those that are asked for at once share work.

All who wait for one batch are told in one turn of the loop. Their proofs lead to
the same root, so they are made together when that turn is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TypeAlias

from ledger.http.site import Site
from ledger.log.reading import Reading
from verifier.receipt import Receipt

_Wanted: TypeAlias = tuple[Sequence[int], "asyncio.Future[list[list[bytes]]]"]


def newest_with(site: Site, index: int) -> tuple[int, bytes] | None:
    """The size of the newest checkpoint with that entry in it, and the checkpoint.

    A published one where there is, for witnesses have cosigned it; else the newest
    that was signed, where answers do not wait for more.
    """
    writer, published = site.writer, site.writer.published
    if published is not None and index < published.size:
        return published.size, published.note
    waits = site.config.ack != "committed"
    if writer.checkpoint and index < writer.head.size and not waits:
        return writer.head.size, writer.checkpoint
    return None


class Receipts:
    """Makes receipts by what `reading` has."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._wanted: dict[int, list[_Wanted]] = {}

    async def made(
        self, indexes: Sequence[int], size: int, checkpoint: bytes
    ) -> list[Receipt]:
        """A receipt for each of `indexes` under the checkpoint of `size` entries."""
        if not indexes:
            return []
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[list[bytes]]] = loop.create_future()
        if not self._wanted:
            loop.call_soon(self._make)
        self._wanted.setdefault(size, []).append((indexes, future))
        proofs = await future
        return [
            Receipt(index=index, proof=tuple(proof), checkpoint=checkpoint)
            for index, proof in zip(indexes, proofs, strict=True)
        ]

    def _make(self) -> None:
        wanted, self._wanted = self._wanted, {}
        for size, some in wanted.items():
            indexes = [index for each, _ in some for index in each]
            try:
                proofs = self._reading.inclusions(indexes, size)
            except Exception as error:  # noqa: BLE001 - it belongs to who waits
                for _, future in some:
                    if not future.done():
                        future.set_exception(error)
                continue
            at = 0
            for each, future in some:
                if not future.done():
                    future.set_result(proofs[at : at + len(each)])
                at += len(each)
