"""Whatever goes wrong is a problem: one form, one page that lists them, never a cache.

Nothing in an answer names what the service is made with, and any web page may read it.
"""

import re
from pathlib import Path

import pytest

from ledger.errors import Conflict, Halted, Held, Refused, Unavailable, WrongBytes
from ledger.http import problems
from ledger.http.problems import KINDS, problem_of
from tests.service.standing import Conversation, standing

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "problems.md"
WRITE = "from ledger.http import problems; print(problems.page(), end='')"


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """An opaque log with one entry, which listens to this machine only."""
    with standing(tmp_path_factory.mktemp("log"), [b"entry"]) as made:
        yield made


# The page


def test_the_page_is_made_from_the_table():
    assert PAGE.read_text() == problems.page(), f'mend it: python -c "{WRITE}" > {PAGE}'


def test_each_problem_has_a_heading_a_title_and_a_mend():
    headings = re.findall(r"^## (.+)$", problems.page(), re.MULTILINE)
    assert headings == [kind.name for kind in KINDS]
    assert len(set(headings)) == len(headings)
    assert all(kind.title and kind.mend for kind in KINDS)


def test_a_log_serves_the_page(service):
    got = service.get("/v1/problems")
    assert got.body.decode() == problems.page()
    assert got.headers["Content-Type"] == "text/markdown; charset=utf-8"


# From an error to an answer


@pytest.mark.parametrize(
    ("error", "status", "check"),
    [
        (Refused("form", "…"), 400, "form"),
        (Refused("token", "…"), 401, "token"),
        (Refused("index", "…"), 404, "index"),
        (Refused("size", "…"), 413, "size"),
        (Conflict(7, "…"), 409, "conflict"),
        (Unavailable("busy", "…"), 503, "busy"),
        (Held("frozen", "…"), 503, "frozen"),
        (Held("full", "…"), 507, "full"),
        (Halted("…"), 500, "outcome_unknown"),
        (ConnectionError("…"), 500, "outcome_unknown"),
        (WrongBytes("entry 3", "…"), 500, "damaged"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_each_error_has_its_answer(error, status, check):
    problem = problem_of(error)
    response = problem.response()
    assert (response.status, problem.document["check"]) == (status, check)
    assert problem.document["status"] == status
    assert response.content_type == "application/problem+json"
    assert ("Retry-After" in response.headers) == (status in (503, 507))


def test_a_fault_of_ours_is_no_problem_but_is_raised_on():
    with pytest.raises(ZeroDivisionError):
        problem_of(ZeroDivisionError())


def test_one_waits_at_least_a_second_and_never_too_short():
    def wait(seconds):
        return problem_of(Unavailable("x", "…", retry_after_s=seconds)).headers

    assert wait(0.01)["Retry-After"] == "1"
    assert wait(1.01)["Retry-After"] == "2"


# Over HTTP


WRONG = [
    *(("GET", "/", 404), ("GET", "/nothing", 404), ("GET", "/v1", 404)),
    *(("GET", "/v1/entries/1", 404), ("GET", "/tile/0/777", 404)),
    *(("GET", "/checkpoint?", 400), ("GET", "/checkpoint/", 404)),
    *(("GET", "//checkpoint", 404), ("GET", "/%63heckpoint", 404)),
    *(("DELETE", "/checkpoint", 405), ("PUT", "/add", 405), ("GET", "/add", 405)),
    *(("POST", "/checkpoint", 405), ("TRACE", "/checkpoint", 405)),
    *(("HEAD", "/nothing", 404), ("HEAD", "/add", 405), ("OPTIONS", "/nothing", 404)),
    *(("FOO", "/checkpoint", 400), ("POST", "/v1/records:batch", 415)),
]


@pytest.mark.parametrize(("method", "path", "status"), WRONG)
def test_what_is_wrong_is_said_in_one_form(service, method, path, status):
    got = service.ask(method, path)
    assert got.status == status
    assert got.headers["Content-Type"] == "application/problem+json"
    assert got.headers["Cache-Control"] == "no-store"
    if method != "HEAD":
        assert got.json["status"] == status
        assert got.json["type"] in [f"/v1/problems#{kind.name}" for kind in KINDS]
        titles = {kind.name: kind.title for kind in KINDS}
        assert got.json["title"] == titles[got.problem]
        assert got.json["detail"]
        assert got.json["check"]


def test_who_asks_for_nothing_is_told_where_to_begin(service):
    named = re.findall(r"/[\w./]+", service.get("/").json["detail"])
    assert named == ["/v1/openapi.json", "/v1/problems", "/checkpoint"]
    assert all(service.get(path).status == 200 for path in named)


@pytest.mark.parametrize("path", ["/checkpoint", "/add", "/v1/records", "/v1/problems"])
def test_a_method_that_is_not_taken_is_told_those_that_are(service, path):
    allowed = service.ask("DELETE", path).headers["Allow"].split(", ")
    assert allowed == service.ask("OPTIONS", path).headers["Allow"].split(", ")
    for method in allowed:
        assert service.ask(method, path).status != 405


def everything(service):
    """An answer of every kind."""
    yield service.ask("GET", "\\")
    yield service.ask("OPTIONS", "/add")
    yield service.post("/add", b"x")
    for path in ("/checkpoint", "/v1/problems", "/v1/openapi.json", "/v1/entries/0"):
        yield service.get(path)
        yield service.get(path, If_None_Match="*")
    for method, path, _ in WRONG:
        yield service.ask(method, path)


def test_no_answer_names_what_it_is_made_with(service):
    for got in everything(service):
        assert got.headers.get("Server", "provlog") == "provlog"
        said = f"{got.headers}{got.body!r}".lower()
        assert "aiohttp" not in said
        assert "python" not in said


def test_any_web_page_may_read_every_answer(service):
    for got in everything(service):
        assert got.headers["Access-Control-Allow-Origin"] == "*"
        assert got.headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Credentials" not in got.headers


def test_a_browser_is_told_what_it_may_send(service):
    got = service.ask(
        "OPTIONS",
        "/v1/records",
        headers={
            "Origin": "https://x.example",
            "Access-Control-Request-Method": "POST",
        },
    )
    assert (got.status, got.body) == (204, b"")
    assert "POST" in got.headers["Access-Control-Allow-Methods"]
    sent = got.headers["Access-Control-Allow-Headers"]
    assert {"Authorization", "Content-Type", "Prefer"} <= set(sent.split(", "))


def test_a_web_page_cannot_submit_where_nobody_needs_a_token(service):
    for headers in ({"Origin": "https://x.example"}, {"Host": "x.example"}):
        got = service.ask("POST", "/add", b"x", headers)
        assert (got.status, got.problem) == (403, "elsewhere")


@pytest.mark.parametrize("path", ["/v1/problems", "/v1/openapi.json", "/v1/entries/0"])
def test_head_says_what_get_says(service, path):
    with Conversation(service) as ask:
        got, head = ask.get(path), ask.ask("HEAD", path)
    assert (head.status, head.body) == (got.status, b"")
    assert head.headers["Content-Length"] == got.headers["Content-Length"]
    assert head.headers["Content-Type"] == got.headers["Content-Type"]


@pytest.mark.parametrize("value", ["Basic YTpi", "Bearer", "Bearer ", "provlog_x", ""])
def test_a_token_that_is_none_is_never_taken_for_nobody(service, value):
    got = service.get("/checkpoint", Authorization=value)
    assert (got.status, got.problem) == (401, "token")
    assert got.headers["WWW-Authenticate"].startswith("Bearer")
