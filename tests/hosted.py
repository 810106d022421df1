"""Services of logs that take what some producers sign, while a module's tests run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.livelog import LiveLog
from tests.liveservice import LiveService, Response
from verifier.keys import PublicKey
from verifier.producers import Producers
from verifier.producers.register import Register, verify_register

COSE = "application/cose"
DSSE = "application/json"


@contextmanager
def hosted(
    folder: Path, *owns: dict[str, Any], workers: int = 0, **options: Any
) -> Iterator[LiveService]:
    """A service of a log in which `owns` are entered; it is audited at the end."""
    live = LiveLog(folder / "log", signed=True, **options)
    with live.open() as log:
        for own in owns:
            log.register(own)
    service = LiveService(live, workers=workers)
    try:
        yield service
    finally:
        service.stop()
    live.check()


def submit(service: LiveService, data: bytes, **headers: str) -> Response:
    """Hand in a statement of whichever form."""
    kind = DSSE if data.lstrip().startswith(b"{") else COSE
    return service.post("/v1/statements", data, **{"Content_Type": kind} | headers)


def logged(service: LiveService, data: bytes, **headers: str) -> int:
    """The index of a statement that has to be taken."""
    answer = submit(service, data, **headers)
    assert answer.status in (200, 201), answer
    service.remember(answer.json)
    return int(answer.json["index"])


def shown(service: LiveService, index: int) -> Any:
    """What is told of an entry, to programs."""
    return service.get(f"/v1/entries/{index}", Accept="application/json").json


def keys_of(service: LiveService) -> list[PublicKey]:
    """The keys that sign the log's checkpoints."""
    return [each.public_key for each in service.live.policy.logs]


def producers_of(service: LiveService) -> Producers:
    """The producers that the log shows, with proofs."""
    listed = Register.parse(service.get("/v1/producers").body)
    return verify_register(listed, service.live.policy)
