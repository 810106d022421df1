"""The client for programs that await: each call in a thread of its own.

A task that is cancelled is free at once; its call ends within its own time, and
what it submits may be logged.
"""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, Self

from capture.batching import MOST, Result
from capture.client import Client
from capture.logged import Logged
from verifier.receipt import Receipt
from verifier.trust import TrustedCheckpoint


class AsyncClient:
    """See Client, whose arguments and calls it has."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._client = Client(*args, **options)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._client.close()

    async def submit(self, record: Mapping[str, Any] | bytes) -> Logged:
        return await to_thread(self._client.submit, record)

    async def store(self, record: Mapping[str, Any]) -> Logged:
        return await to_thread(self._client.store, record)

    async def submit_statement(self, data: bytes) -> Logged:
        return await to_thread(self._client.submit_statement, data)

    async def submit_batch(
        self, records: Iterable[Mapping[str, Any] | bytes], *, size: int = MOST
    ) -> AsyncIterator[Result]:
        results = self._client.submit_batch(records, size=size)
        while (result := await to_thread(next, results, None)) is not None:
            yield result

    async def get(self, index: int) -> Logged:
        return await to_thread(self._client.get, index)

    async def receipt(self, index: int) -> Receipt:
        return await to_thread(self._client.receipt, index)

    async def wait_published(self, index: int, within_s: float) -> Logged:
        return await to_thread(self._client.wait_published, index, within_s)

    async def checkpoint(self) -> TrustedCheckpoint:
        return await to_thread(self._client.checkpoint)

    async def lookup_record(self, id_: str) -> tuple[int, ...]:
        return await to_thread(self._client.lookup_record, id_)

    async def lookup_digest(self, sha256: str) -> tuple[int, ...]:
        return await to_thread(self._client.lookup_digest, sha256)
