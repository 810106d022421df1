"""A witness whose memory cannot be used says so, whatever it is asked.

It must not say "nothing was cosigned yet", nor "a fault of ours": the one would be a
lie that a log could use, and the other wakes somebody for each reader.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest

from ledger.errors import Halted, Held, Unavailable
from ledger.http.witnessing import witness_server
from tests.testlog import ORIGIN
from tests.witness.asked import Asked, request
from tests.witness.serving import ask, serving

READ = f"/{sha256(ORIGIN.encode()).hexdigest()}/checkpoint"
WRONG = {
    "halted": Halted("nobody knows what was written"),
    "held": Held("damaged", "it is damaged"),
    "ending": Unavailable("halted", "it ends", retry_after_s=3),
}


class Broken:
    """A memory that cannot be used."""

    def __init__(self, error):
        self._error = error

    def get(self, _):
        raise self._error

    def swap(self, *_):
        raise self._error


@pytest.fixture
def port(tmp_path):
    """A witness that has cosigned, and can be broken by `port.spoil`."""
    asked = Asked(tmp_path)
    with (
        ThreadPoolExecutor(2) as threads,
        serving(lambda: witness_server(asked.cosigner, threads)) as at,
    ):
        yield at, lambda error: setattr(asked.cosigner, "_memory", Broken(error))


def test_it_answers_both_while_it_can(port):
    at, _ = port
    assert ask(at, "POST", "/add-checkpoint", request(0, 7)).status == 200
    assert ask(at, "GET", READ).status == 200


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_it_says_that_it_cannot_now(port, name, method):
    at, spoil = port
    spoil(WRONG[name])
    body = request(0, 7) if method == "POST" else None
    answer = ask(at, method, READ if method == "GET" else "/add-checkpoint", body)
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0
