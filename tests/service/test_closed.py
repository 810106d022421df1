"""A log may be for those only who have a token: each for what its scope says."""

import time

import pytest

from ledger.callers.issuing import create
from tests.service.standing import standing


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    """A log that only those may read who have a token, and such tokens by scope."""
    options = {"kind": "record", "settings": 'reads = "token"\n'}
    with standing(tmp_path_factory.mktemp("closed"), **options) as made:
        now_ms = time.time_ns() // 1_000_000
        tokens = {
            scope: create(made.live.folder, scopes=[scope], now_ms=now_ms)[0]
            for scope in ("submit", "read", "audit")
        }
        made.until(lambda: made.get("/checkpoint").status == 401)
        yield made, tokens


EVERYTHING = ("/checkpoint", "/tile/0/000.p/2", "/tile/entries/000.p/2")
SINGLE = ("/v1/entries/0", "/v1/receipts/0", "/v1/proofs/inclusion/0/1")


@pytest.mark.parametrize("path", [*EVERYTHING, *SINGLE])
def test_a_closed_log_is_read_with_a_token_only(closed, path):
    service, tokens = closed
    got = service.get(path)
    assert (got.status, got.problem) == (401, "token")
    assert got.headers["WWW-Authenticate"].startswith("Bearer")
    assert service.get(path, Authorization=f"Bearer {tokens['submit']}").status == 403
    read = service.get(path, Authorization=f"Bearer {tokens['read']}")
    assert read.status == 200
    assert read.headers["Cache-Control"] in ("private, no-cache", "no-store")


@pytest.mark.parametrize("path", [*EVERYTHING, *SINGLE])
def test_an_auditor_reads_what_an_audit_needs(closed, path):
    service, tokens = closed
    got = service.get(path, Authorization=f"Bearer {tokens['audit']}")
    assert got.status == (200 if path in EVERYTHING else 403)


@pytest.mark.parametrize("path", ["/v1/problems", "/v1/openapi.json"])
def test_what_everybody_has_to_know_needs_none(closed, path):
    service, _ = closed
    assert service.get(path).status == 200
