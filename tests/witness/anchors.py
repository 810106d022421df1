"""An anchor service of this process, which a test starts, stops and starts again."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ledger.http.anchoring import anchor_server
from ledger.witness.anchorhome import AnchorHome, add_log, make
from ledger.witness.anchoring import Anchoring
from tests.witness.serving import serving


class AnchorService:
    """A service in `folder`, for the log `origin`, always at the same port."""

    def __init__(self, folder: Path, origin: str) -> None:
        self.home = make(folder)
        self.token = add_log(self.home, origin)
        self.port = 0

    @property
    def url(self) -> str:
        """Its address, once it has been started."""
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def up(self, face: Any = None) -> Iterator[int]:
        """Serve; `face` may stand before the server that would answer."""
        with self.home.remembering() as memory, ThreadPoolExecutor(8) as threads:
            anchoring = Anchoring(AnchorHome(self.home.folder).known(), memory)
            server_of = face or anchor_server
            with serving(
                lambda: server_of(anchoring, threads), at=self.port
            ) as self.port:
                yield self.port
