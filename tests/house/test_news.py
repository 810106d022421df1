"""What docs/api.md gives to those who are told takes what the log posts, no other."""

import re
import time
from pathlib import Path

import pytest

from ledger.publish.webhook import Webhook
from tests.loopback import Handler, Server, answer, running

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text()
(SNIPPET,) = re.findall(r"```python\n(import hashlib.*?)```", PAGE, re.DOTALL)
SECRET = b"a secret that is shared with one receiver"


class Receiver(Handler):
    def do_POST(self):  # noqa: N802 - the name that http.server asks for
        size = int(self.headers["Content-Length"])
        self.server.body = self.rfile.read(size)
        self.do_GET()


@pytest.fixture(scope="module")
def is_news():
    names = {}
    exec(SNIPPET, names)  # noqa: S102 - it is our own page
    return names["is_news"]


@pytest.fixture(scope="module")
def told():
    """What a receiver is told now, as the log posts it."""
    server = Server()
    server.RequestHandlerClass = Receiver
    server.behaviours = [answer(204)]
    with running(server):
        webhook = Webhook(f"{server.prefix}/hook", SECRET, reach=["127.0.0.1"])
        webhook.tell({"size": 7}, id="e1", time_s=int(time.time()))
        webhook.close()
        return dict(server.requests[-1][1]), server.body


def test_what_the_log_posts_is_taken(is_news, told):
    headers, body = told
    assert is_news(SECRET, headers, body)


SPOILED = {
    "Provlog-Id": "e2",
    "Provlog-Time": str(int(time.time()) - 1),
    "Provlog-Signature": "v1=" + "0" * 64,
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_header_that_was_changed_is_noticed(is_news, told, name):
    headers, body = told
    assert not is_news(SECRET, headers | {name: SPOILED[name]}, body)


def test_another_body_is_noticed(is_news, told):
    headers, body = told
    assert not is_news(SECRET, headers, body + b" ")


def test_another_secret_is_noticed(is_news, told):
    headers, body = told
    assert not is_news(SECRET + b"2", headers, body)


def test_old_news_is_noticed(is_news, told, monkeypatch):
    headers, body = told
    later = time.time() + 301
    monkeypatch.setattr(time, "time", lambda: later)
    assert not is_news(SECRET, headers, body)
