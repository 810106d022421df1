"""Services as clients meet them: what is theirs, and something to give them."""

from __future__ import annotations

from contextlib import contextmanager

from capture import Client
from ledger.callers import issuing
from ledger.clock import read_clock
from tests.livelog import LiveLog
from tests.liveservice import LiveService
from tests.records import SMALLEST
from tests.testlog import WITNESSES


@contextmanager
def serving(folder, *, workers, settings="", files=(), producers=(), **options):
    live = LiveLog(folder / "log", settings=settings, **options)
    if producers:
        with live.open() as log:
            for each in producers:
                log.register(each)
    for name, data in dict(files).items():
        (live.folder / name).write_bytes(data)
    service = LiveService(live, workers=workers)
    try:
        yield service
    finally:
        service.stop()
        live.check()


def token_of(service, *scopes):
    now_ms = read_clock().wall_ms
    return issuing.create(
        service.live.folder, scopes=scopes or ("submit", "read"), now_ms=now_ms
    )[0]


def policy_path(service):
    return service.live.folder / "policy.txt"


def with_witness(service):
    """The log's policy, with a witness who has never seen it."""
    mine = policy_path(service).read_text().splitlines()
    logs = [line for line in mine if line.startswith("log ")]
    named = f"witness w1 {WITNESSES[0].vkey}"
    return "\n".join([*logs, named, "quorum w1", ""]).encode()


@contextmanager
def client_of(service, **options):
    given = {"token": service.token, "policy": policy_path(service)} | options
    with Client(service.url, **given) as client:
        yield client


def something(service, number=0):
    if service.live.charter.kind == "record":
        return {**SMALLEST, "number": number}
    return b"something %d" % number
