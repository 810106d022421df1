"""A cache that looks at the path alone gives nobody another's answer.

There are such: they honour Cache-Control, and ignore Vary. Whatever may be kept has
to be decided by its path, or some reader gets bytes that somebody else has asked for.
"""

import pytest

from tests.livelog import LiveLog
from tests.liveservice import LiveService
from verifier.tile import ENTRIES, Tile


class Cache:
    """A cache that honours Cache-Control, and looks at nothing but the path."""

    def __init__(self, service):
        self.service = service
        self.kept = {}

    def get(self, path, **headers):
        """The answer, from here if it may be kept."""
        if path not in self.kept:
            got = self.service.get(path, **headers)
            rules = got.headers["Cache-Control"]
            if "no-store" in rules or "private" in rules:
                return got
            self.kept[path] = got
            if "immutable" not in rules:
                del self.kept[path]  # it asks before it uses it again
                return got
        return self.kept[path]


ACCEPTS = [
    "*/*",
    "application/json",
    "application/octet-stream",
    "text/plain",
    "text/x.tlog.proof",
    "application/vnd.provlog.bundle+json",
    "application/nothing",
]


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A service with 600 entries."""
    live = LiveLog(tmp_path_factory.mktemp("cached") / "log")
    live.append(*(b"a long line, number %d, and more of it" % n for n in range(600)))
    service = LiveService(live, workers=1)
    yield service
    assert service.stop() == 0
    live.check()


@pytest.fixture
def cached(service):
    return Cache(service)


@pytest.mark.parametrize(
    "path",
    [
        "/checkpoint",
        "/v1/entries/7",
        "/v1/receipts/7",
        "/v1/receipts/7/600",
        "/v1/proofs/inclusion/7/600",
        "/v1/entries/999",
    ],
)
def test_nobody_gets_an_answer_that_somebody_else_has_asked_for(service, path):
    direct = {accept: told(service.get(path, Accept=accept)) for accept in ACCEPTS}
    for first in ACCEPTS:
        cached = Cache(service)
        cached.get(path, Accept=first)
        through = {each: told(cached.get(path, Accept=each)) for each in ACCEPTS}
        assert through == direct, first


def told(response):
    """What somebody sees of an answer."""
    return response.status, response.headers["Content-Type"], response.body


@pytest.mark.parametrize(
    "first",
    ["gzip", "identity"],
)
def test_nobody_gets_bytes_that_he_has_not_said_he_can_unpack(cached, first):
    for tile in (Tile(ENTRIES, 0), Tile(ENTRIES, 2, 88), Tile(0, 0)):
        path = f"/{tile.path()}"
        cached.get(path, Accept_Encoding=first)
        plain = cached.get(path, Accept_Encoding="identity")
        assert plain.headers["Content-Encoding"] is None, path


def test_a_missing_tile_is_not_remembered_as_missing(cached):
    path = f"/{Tile(ENTRIES, 2, 89).path()}"
    assert cached.get(path).status == 404
    cached.service.submit(b"one more")
    assert cached.get(path).status == 200
