"""News comes with a signature that holds for one body, one id and one time."""

import hashlib
import hmac
import json

import pytest

from ledger.errors import Held, Refused
from ledger.outbound import NoAnswer
from ledger.publish.webhook import Webhook, make_secret, read_secret, verify_news
from tests.loopback import Handler, Server, answer, raw, running

SECRET = b"a secret that is shared with one receiver"
EVENT = {"origin": "log.example/a", "size": 7, "name": "ü"}
NOW = 1_700_000_000


class Receiver(Handler):
    def do_POST(self):  # noqa: N802 - the name that http.server asks for
        size = int(self.headers["Content-Length"])
        self.server.bodies.append(self.rfile.read(size))
        self.do_GET()


@pytest.fixture
def receiver():
    server = Server()
    server.RequestHandlerClass = Receiver
    server.bodies, server.behaviours = [], [answer(204)]
    with running(server):
        yield server


def told(receiver, *behaviours, event="e1"):
    """What the receiver was told: headers and body."""
    if behaviours:
        receiver.behaviours = behaviours
    webhook = Webhook(f"{receiver.prefix}/hidden", SECRET, reach=["127.0.0.1"])
    try:
        webhook.tell(EVENT, id=event, time_s=NOW)
    finally:
        webhook.close()
    return receiver.requests[-1][1], receiver.bodies[-1]


def news():
    """True news, for a test to spoil."""
    body = b'{"size":7}'
    signed = b"e1.%d.%s" % (NOW, body)
    signature = "v1=" + hmac.new(SECRET, signed, hashlib.sha256).hexdigest()
    headers = {
        "provlog-id": "e1",
        "PROVLOG-TIME": str(NOW),
        "Provlog-Signature": signature,
    }
    return {"secret": SECRET, "headers": headers, "body": body, "now_s": NOW}


def spoiled(**headers):
    true = news()
    return true | {"headers": true["headers"] | headers}


def test_what_is_told_is_what_the_receiver_can_verify(receiver):
    headers, body = told(receiver)
    assert json.loads(body) == EVENT
    assert b", " not in body
    assert headers["Content-Type"] == "application/json"
    assert verify_news(SECRET, headers, body, now_s=NOW + 300) == "e1"


@pytest.mark.parametrize("status", [200, 202, 204])
def test_any_success_is_one(receiver, status):
    told(receiver, answer(status))


@pytest.mark.parametrize("status", [301, 307, 400, 404, 410, 429, 500, 503])
def test_nothing_else_is(receiver, status):
    where = {"Location": f"{receiver.prefix}/elsewhere"}
    with pytest.raises(NoAnswer, match=str(status)):
        told(receiver, answer(status, **where))
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    "behaviour", [answer(500), raw(SECRET), raw(b"")], ids=["500", "secret", "nothing"]
)
def test_no_error_has_the_secret_or_the_path(receiver, behaviour):
    with pytest.raises(NoAnswer) as caught:
        told(receiver, behaviour)
    assert SECRET.decode() not in str(caught.value)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("event", ["", "a.1", "a\r\nX: y", "ü", "a" * 129])
def test_an_id_that_could_be_split_in_two_ways_is_not_told(receiver, event):
    with pytest.raises(ValueError, match="id of an event"):
        told(receiver, event=event)
    assert not receiver.requests


def test_a_private_address_is_told_only_if_it_is_meant(receiver):
    with pytest.raises(NoAnswer, match="reach"):
        Webhook(receiver.prefix, SECRET).tell(EVENT, id="e1", time_s=NOW)
    assert not receiver.requests


def test_true_news_holds():
    assert verify_news(**news()) == "e1"


@pytest.mark.parametrize(
    "false",
    [
        news() | {"body": b'{"size":8}'},
        news() | {"body": b""},
        news() | {"secret": SECRET + b"!"},
        news() | {"headers": {}},
        spoiled(**{"provlog-id": "e2"}),
        spoiled(**{"PROVLOG-TIME": str(NOW + 1)}),
        spoiled(**{"PROVLOG-TIME": f"{NOW}.0"}),
        spoiled(**{"Provlog-Signature": ""}),
        spoiled(**{"Provlog-Signature": "v1="}),
        spoiled(**{"Provlog-Signature": "v1=ü"}),
        spoiled(**{"Provlog-Signature": "v1=" + "0" * 64}),
        spoiled(**{"Provlog-Signature": news()["headers"]["Provlog-Signature"][3:]}),
        news() | {"now_s": NOW + 301},
        news() | {"now_s": NOW - 301},
    ],
    ids=[
        *["body", "no body", "secret", "no headers", "id", "time", "time's spelling"],
        *["no signature", "empty one", "not ASCII", "zeros", "no version"],
        *["old", "of the future"],
    ],
)
def test_news_of_which_one_thing_is_not_true_is_refused(false):
    with pytest.raises(Refused) as caught:
        verify_news(**false)
    assert caught.value.check == "news"


def test_a_signature_serves_for_one_way_to_split_what_it_signs():
    true = news()
    shifted = {**true["headers"], "provlog-id": f"e1.{NOW}", "PROVLOG-TIME": "7"}
    signed = b"e1.%d.7.%s" % (NOW, b"{}")
    signature = "v1=" + hmac.new(SECRET, signed, hashlib.sha256).hexdigest()
    headers = shifted | {"Provlog-Signature": signature}
    with pytest.raises(Refused, match="no id"):
        verify_news(SECRET, headers, b"{}", now_s=7)


def test_a_time_that_is_no_number_is_refused_even_if_it_is_signed():
    signature = "v1=" + hmac.new(SECRET, b"e1.+7.{}", hashlib.sha256).hexdigest()
    headers = {"Provlog-Id": "e1", "Provlog-Time": "+7", "Provlog-Signature": signature}
    with pytest.raises(Refused, match="decimal"):
        verify_news(SECRET, headers, b"{}", now_s=7)


def test_a_secret_is_made_once_and_is_private(tmp_path):
    path = tmp_path / "webhook.secret"
    make_secret(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(read_secret(path)) == 64
    before = path.read_bytes()
    with pytest.raises(Held, match="replace"):
        make_secret(path)
    assert path.read_bytes() == before


def test_a_secret_is_without_its_line_end(tmp_path):
    path = tmp_path / "webhook.secret"
    for text in (SECRET, SECRET + b"\n"):
        path.write_bytes(text)
        path.chmod(0o600)
        assert read_secret(path) == SECRET


@pytest.mark.parametrize(
    ("data", "mode", "says"),
    [
        (None, 0o600, "cannot be read"),
        (SECRET, 0o640, "only we"),
        (SECRET[:31] + b"\n", 0o600, "fewer than 32"),
        (b"\xff" * 40, 0o600, "no text"),
    ],
    ids=["absent", "exposed", "short", "no text"],
)
def test_a_file_that_is_no_secret_is_not_used(tmp_path, data, mode, says):
    path = tmp_path / "webhook.secret"
    if data is not None:
        path.write_bytes(data)
        path.chmod(mode)
    with pytest.raises(Held, match=says) as caught:
        read_secret(path)
    assert caught.value.state == "config"
    assert str(path) in caught.value.mend
    assert "keys" not in str(caught.value)
