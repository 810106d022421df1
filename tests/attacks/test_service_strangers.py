"""A stranger gets what is public, and nothing of the machine.

A web page cannot use the browser of somebody who is near the
log. What was logged is never shown as a page. What is damaged is not served, and
says nothing of the folder that it is in.
"""

import http.client
import json
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from tests.attacks.wire import Wire, quiet, size_of
from tests.records import TEXT
from tests.service.standing import standing

SCRIPT = b"<script>alert(1)</script>"
RECORD = (TEXT % 1).replace(b"run", b"<script>")
HOSTS = [
    "other.example",
    "other.example:8421",
    "127.0.0.1.other.example",
    "localhost.other.example",
    "127.0.0.1:80@other.example",
    "other.example#127.0.0.1",
    "[::1]other.example",
    "127.0.0.1, other.example",
    "2130706433",
    "192.0.2.1",
    "[::ffff:192.0.2.1]",
    "",
]
FULL = {"PROVLOG_MIN_FREE_BYTES": str(1 << 60)}
SUBMITS = [("POST", "/add"), ("POST", "/v1/records"), ("POST", "/v1/records:batch")]


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A log without tokens, for programs of this machine."""
    folder = tmp_path_factory.mktemp("strangers")
    with standing(folder, [SCRIPT, b"\x80 not text"]) as made:
        yield made
        assert quiet(made)


@pytest.fixture(scope="module")
def private(tmp_path_factory):
    """A log whose readers need a token as well, and which has none yet."""
    folder = tmp_path_factory.mktemp("private")
    with standing(folder, [b"entry"], settings='reads = "token"\n') as made:
        yield made


@pytest.mark.parametrize(("method", "path"), SUBMITS, ids=["add", "record", "batch"])
@pytest.mark.parametrize("host", HOSTS)
def test_who_was_sent_to_another_name_cannot_submit(service, host, method, path):
    before = size_of(service)
    with Wire(service) as wire:
        wire.send(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n".encode())
        wire.send(b"Content-Type: text/plain\r\nContent-Length: 1\r\n\r\na")
        assert wire.answer().status in (400, 403)
    assert size_of(service) == before


@pytest.mark.parametrize(("method", "path"), SUBMITS, ids=["add", "record", "batch"])
@pytest.mark.parametrize(
    "origin", ["https://other.example", "null", "", "http://localhost", "file://"]
)
def test_no_web_page_submits(service, origin, method, path):
    before = size_of(service)
    with Wire(service) as wire:
        answer = wire.ask(
            f"{method} {path}", f"Origin: {origin}", "Content-Length: 1", body=b"a"
        )
        assert (answer.status, answer.problem) == (403, "elsewhere")
    assert size_of(service) == before


@pytest.mark.parametrize(("method", "path"), SUBMITS, ids=["add", "record", "batch"])
@pytest.mark.parametrize(
    "header",
    [
        "Forwarded: for=203.0.113.9",
        "X-Forwarded-For: 203.0.113.9",
        "x-forwarded-host: log.example",
        "X-Real-IP: 203.0.113.9",
        "Via: 1.1 proxy",
        "X-Forwarded-For:",
    ],
)
def test_nobody_submits_through_a_proxy_of_this_machine(service, header, method, path):
    before = size_of(service)
    with Wire(service) as wire:
        answer = wire.ask(f"{method} {path}", header, "Content-Length: 1", body=b"a")
        assert (answer.status, answer.problem) == (403, "elsewhere")
        assert "203.0.113.9" not in answer.body.decode()
    assert size_of(service) == before


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1:1", "[::1]:80", "LOCALHOST"])
def test_programs_of_this_machine_do(service, name):
    with Wire(service) as wire:
        head = f"POST /add HTTP/1.1\r\nHost: {name}\r\nContent-Length: 1\r\n\r\na"
        wire.send(head.encode())
        assert wire.answer().status == 200


@pytest.mark.parametrize("header", ["Origin: https://other.example", "Host: other"])
def test_no_web_page_reads_what_needs_a_token_while_there_is_none(private, header):
    assert private.get("/v1/entries/0").body == b"entry"
    with Wire(private) as wire:
        if header.startswith("Host"):
            wire.host = b""
        answer = wire.ask("GET /v1/entries/0", header)
        assert (answer.status, answer.problem) == (403, "elsewhere")


def test_a_host_is_never_repeated(service):
    for path in ("/checkpoint", "/v1/openapi.json", "/v1/problems", "/nothing"):
        with Wire(service) as wire:
            wire.host = b"Host: other.example\r\n"
            answer = wire.ask(f"GET {path}", "X-Forwarded-Host: third.example")
            assert b"other.example" not in answer.body
            assert b"third.example" not in answer.body
            assert "example" not in str(answer.headers)


def test_a_log_that_others_reach_takes_nothing_without_a_token(new_log):
    live = new_log()
    places = ("--listen", "0.0.0.0:0", "--operations", "127.0.0.1:0")
    command = (sys.executable, "-m", "cli", "serve", str(live.folder), "--json")
    with (
        open(live.folder.parent / "lines", "w+") as lines,
        subprocess.Popen(
            (*command, *places), stdout=subprocess.PIPE, stderr=lines, text=True
        ) as process,
    ):
        try:
            url = urlsplit(json.loads(process.stdout.readline())["url"])
            connection = http.client.HTTPConnection("127.0.0.1", url.port, timeout=10)
            connection.request("POST", "/add", b"a")
            answer = connection.getresponse()
            problem = json.loads(answer.read())
            connection.close()
        finally:
            process.terminate()
        process.wait(20)
        lines.seek(0)
        assert "nobody_can_submit" in lines.read()
    assert (answer.status, problem["check"]) == (401, "token")
    assert "token" in problem["detail"]
    assert live.check().size == 0


def test_an_entry_is_never_a_page(service):
    for path in ("/v1/entries/0", "/tile/entries/000.p/2"):
        answer = service.get(path, Accept="text/html,*/*;q=0.1")
        assert SCRIPT in answer.body
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    headers = service.get("/v1/entries/0").headers
    assert headers["Content-Disposition"].startswith("attachment")
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_what_is_said_of_an_entry_is_json_and_nothing_else(new_service):
    service = new_service(kind="record")
    index = service.submit(RECORD, Content_Type="application/json").json["index"]
    for path in (f"/v1/entries/{index}", f"/v1/receipts/{index}", "/<script>"):
        answer = service.get(path, Accept="application/json")
        assert answer.headers["Content-Type"].startswith("application/")
        assert answer.headers["Content-Type"].partition("+")[2] in ("", "json")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_nothing_that_is_sent_makes_a_line_of_its_own(service):
    odd = ("\x1b[31m", "\x85", "\u2028", "%0d%0aerror", "\x7f")
    for each in odd:
        with Wire(service) as wire:
            wire.ask(f"GET /{each}", f"User-Agent: {each}", f"Accept: {each}")
        with Wire(service) as wire:
            wire.ask("POST /v1/records:batch", f"Content-Type: {each}")
    said = service.said()
    assert all(each not in said for each in odd)
    assert quiet(service)


def test_an_answer_has_no_header_that_somebody_sent(service):
    with Wire(service) as wire:
        answer = wire.ask("GET /v1/entries/0%0d%0aSet-Cookie:%20a=b", "Prefer: wait=1")
        assert "set-cookie" not in answer.headers


def test_what_is_damaged_is_not_served_and_tells_nothing_of_the_machine(
    new_log, new_service
):
    live = new_log()
    live.append(*(b"first %064d" % number for number in range(300)))
    live.append(*(b"later %064d" % number for number in range(5_000)))
    spoiled = b"first %064d" % 7
    for path in (live.folder / "store").iterdir():
        data = path.read_bytes()
        if spoiled in data:
            path.write_bytes(data.replace(spoiled, b"First" + spoiled[5:]))
    live.given_up = True
    service = new_service(live, workers=1)
    for path in ("/v1/entries/7", "/tile/entries/000"):
        answer = service.get(path)
        assert (answer.status, answer.problem) == (500, "damaged")
        assert b"First" not in answer.body
        assert str(live.folder).encode() not in answer.body
        assert b"/tmp" not in answer.body
    assert service.get("/v1/entries/299").body == b"first %064d" % 299
    assert "Traceback" not in service.said()


@pytest.mark.exhaustive
def test_why_nothing_is_written_tells_nothing_of_the_machine(new_service):
    service = new_service(workers=1, environment=FULL)
    for _ in range(3):
        answer = service.post("/add", b"a")
        assert answer.status in (503, 507)
        assert answer.json["check"] == "full"
        assert str(service.live.folder.parent).encode() not in answer.body
