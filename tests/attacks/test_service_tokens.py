"""A token lets in whom it was made for, to what it was made for, and is shown nowhere.

Each test shows a token in a way that must not work, or looks for it where it must not
be.
"""

import ast
from pathlib import Path

import pytest

from ledger.callers.issuing import revoke
from tests.attacks.wire import Wire, bearing, now_ms, quiet, size_of, token_of
from tests.records import TEXT
from tests.service.standing import standing

ROOT = Path(__file__).resolve().parents[2]
RECORD = TEXT.replace(b"run", b"%s")
JSON = "application/json"
UNKNOWN = "provlog_" + 43 * "A"


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A log of records that nobody uses without a token."""
    folder = tmp_path_factory.mktemp("tokens")
    settings = 'reads = "token"\n'
    with standing(folder, kind="record", workers=1, settings=settings) as made:
        made.token = token_of(made)
        yield made
        assert quiet(made)


def unshown(token):
    """Ways of showing a token that show none."""
    return {
        "none": (),
        "no_scheme": (f"Authorization: {token}",),
        "another_scheme": (f"Authorization: Basic {token}",),
        "a_digest": (f"Authorization: Digest {token}",),
        "no_token": ("Authorization: Bearer",),
        "only_spaces": ("Authorization: Bearer   ",),
        "a_tab_before_it": (f"Authorization: Bearer\t{token}",),
        "half_of_it": (f"Authorization: Bearer {token[:-1]}",),
        "more_than_it": (f"Authorization: Bearer {token}A",),
        "two_in_one": (f"Authorization: Bearer {token}, Bearer {token}",),
        "twice": (f"Authorization: Bearer {token}", f"Authorization: Bearer {token}"),
        "first_another": (
            f"Authorization: Bearer {UNKNOWN}",
            f"Authorization: Bearer {token}",
        ),
        "an_unknown_one": (f"Authorization: Bearer {UNKNOWN}",),
        "other_letters": (f"Authorization: Bearer {token.swapcase()}",),
        "a_cookie": (f"Cookie: token={token}; Authorization=Bearer {token}",),
        "another_header": (
            f"X-Api-Key: {token}",
            f"Proxy-Authorization: Bearer {token}",
        ),
    }


@pytest.mark.parametrize("way", unshown(UNKNOWN))
@pytest.mark.parametrize("line", ["GET /checkpoint", "POST /v1/records"])
def test_a_token_is_shown_in_one_way_only(service, line, way):
    before = size_of(service)
    with Wire(service) as wire:
        answer = wire.ask(line, *unshown(service.token)[way], "Content-Length: 0")
    assert answer.status in (400, 401)
    assert answer.status == 400 or "www-authenticate" in answer.headers
    assert service.token.encode() not in answer.body
    assert size_of(service) == before


@pytest.mark.parametrize(
    "path", ["/checkpoint?token=%s", "/checkpoint?access_token=%s", "/%s/checkpoint"]
)
def test_a_token_in_an_address_opens_nothing_and_is_not_repeated(service, path):
    answer = service.get(path % service.token)
    assert answer.status in (400, 404)
    assert service.token.encode() not in answer.body


def test_a_token_is_good_for_what_it_was_made_for(service):
    reads, submits = token_of(service, "read"), token_of(service, "submit")
    body = RECORD % (1, b"run")
    headers = {"Content_Type": JSON}
    refused = service.post("/v1/records", body, Authorization=bearing(reads), **headers)
    assert (refused.status, refused.problem) == (403, "scope")
    assert service.get("/checkpoint", Authorization=bearing(reads)).status == 200
    refused = service.get("/checkpoint", Authorization=bearing(submits))
    assert (refused.status, refused.problem) == (403, "scope")
    taken = service.post("/v1/records", body, Authorization=bearing(submits), **headers)
    assert taken.status == 201


def test_an_auditors_token_does_not_look_anybody_up(service):
    audits = bearing(token_of(service, "audit"))
    assert service.get("/checkpoint", Authorization=audits).status == 200
    digest = 64 * "0"
    for path in (f"/v1/lookup/digest/{digest}", "/v1/entries/0", "/v1/receipts/0"):
        assert service.get(path, Authorization=audits).status == 403


@pytest.mark.parametrize("workers", [0, 2])
def test_a_token_that_is_revoked_is_refused_from_the_next_request_on(
    new_service, workers
):
    service = new_service(workers=workers, settings='reads = "token"\n')
    token_of(service)
    for _ in range(10):
        token = token_of(service)
        headers = f"Authorization: {bearing(token)}"
        with Wire(service) as kept, Wire(service) as other:
            assert kept.ask("GET /checkpoint", headers).status == 200
            revoke(service.live.folder, token, now_ms())
            assert kept.ask("GET /checkpoint", headers).status == 401
            assert other.ask("GET /checkpoint", headers).status == 401


def test_a_token_that_has_expired_is_refused(service):
    token = token_of(service, expires_ms=now_ms() + 300)
    shown = bearing(token)
    assert service.get("/checkpoint", Authorization=shown).status == 200
    service.until(lambda: service.get("/checkpoint", Authorization=shown).status == 401)


def test_where_the_last_token_was_revoked_nobody_submits(new_service):
    service = new_service()
    assert service.post("/add", b"a").status == 200
    revoke(service.live.folder, token_of(service), now_ms())
    assert service.post("/add", b"a").status == 401


def test_tokens_that_cannot_be_read_let_nobody_in(new_service):
    service = new_service()
    token = token_of(service)
    path = service.live.folder / "tokens"
    path.write_text("{")
    answer = service.post("/add", b"a", Authorization=bearing(token))
    assert (answer.status, answer.json["check"]) == (503, "tokens")
    assert str(service.live.folder).encode() not in answer.body
    assert service.post("/add", b"a").status == 503
    assert size_of(service) == 0


def test_a_token_is_in_no_line_no_metric_and_no_answer(new_service):
    service = new_service(
        kind="record", workers=1, settings="caller_requests_per_s = 9\n"
    )
    token = token_of(service)
    seen = []
    for way in unshown(token).values():
        with Wire(service) as wire:
            answer = wire.ask(f"POST /{token}", *way, f"Content-Type: {token}")
            seen.append(answer.body + str(answer.headers).encode())
    shown = {"Authorization": bearing(token)}
    for path in ("/v1/records", "/v1/records:batch", "/add", f"/v1/entries/{token}"):
        answer = service.post(path, token.encode(), **shown)
        seen.append(answer.body + bytes(answer.headers))
    seen += [service.get("/v1/entries/99", **shown).body for _ in range(30)]
    seen.append(service.ask("GET", "/metrics", operations=True).body)
    service.stop()
    seen += [line.encode() for line in service.lines]
    assert not [each for each in seen if token.encode() in each]


def test_secrets_are_compared_in_constant_time():
    source = (ROOT / "ledger" / "callers" / "tokens.py").read_text()
    calls = [
        ast.unparse(node)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
    ]
    assert any(each.startswith("hmac.compare_digest(") for each in calls)
    compared = [
        ast.unparse(node)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Compare)
    ]
    for each in compared:
        assert "hash" not in each, each
        assert "digest" not in each, each
        assert "text" not in each, each
