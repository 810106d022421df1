"""Only whom the operator meant is asked, and only they are told what is secret."""

import socket

import pytest

from ledger.errors import Refused
from ledger.outbound import Line, NoAnswer
from tests.loopback import answer, raw

TOKEN = "a-token-that-nobody-may-see"
HEAD = b"HTTP/1.1 200 OK\r\n"


def hang_up(handler):
    handler.close_connection = True


def then_hang_up(handler):
    """Answer as if the connection were kept, and end it."""
    answer(body=b"first")(handler)
    hang_up(handler)


def resolver(monkeypatch, *answers):
    """Names resolve to each of `answers` in turn; returns what was asked."""
    asked = []

    def getaddrinfo(host, port, **_):
        asked.append(host)
        ips = answers[min(len(asked), len(answers)) - 1]
        stream = socket.SOCK_STREAM
        return [(socket.AF_INET, stream, 6, "", (ip, port)) for ip in ips]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_what_is_not_public_is_not_asked(server):
    with pytest.raises(NoAnswer, match=r"127\.0\.0\.1 into the setting reach"):
        Line(server.prefix).get()
    assert not server.connections


@pytest.mark.parametrize("ip", ["127.0.0.1", "169.254.169.254", "::ffff:127.0.0.1"])
def test_a_name_that_leads_inside_is_not_asked(server, monkeypatch, ip):
    resolver(monkeypatch, ["8.8.8.8", ip])
    line = Line(f"https://witness.example:{server.server_port}/")
    with pytest.raises(NoAnswer, match="setting reach"):
        line.get()
    assert not server.connections


def test_what_was_judged_is_what_is_connected_to(server, line, monkeypatch):
    asked = resolver(monkeypatch, ["127.0.0.1"], ["192.0.2.1"])
    server.prefix = server.prefix.replace("127.0.0.1", "witness.example")
    assert line(answer(body=b"judged")).get().body == b"judged"
    assert asked == ["witness.example"]
    assert server.requests[0][1]["Host"].startswith("witness.example:")


def test_a_new_connection_is_judged_anew(server, line, monkeypatch):
    resolver(monkeypatch, ["127.0.0.1"], ["127.0.0.2"])
    server.prefix = server.prefix.replace("127.0.0.1", "witness.example")
    asked = line(then_hang_up, answer())
    asked.get()
    with pytest.raises(NoAnswer, match=r"127\.0\.0\.2 into the setting reach"):
        asked.get()


def test_of_several_ips_one_that_answers_is_enough(server, line, monkeypatch):
    resolver(monkeypatch, ["127.0.0.2", "127.0.0.1"])
    server.prefix = server.prefix.replace("127.0.0.1", "witness.example")
    assert line(answer(), reach=["127.0.0.0/30"]).get().status == 200


@pytest.mark.parametrize(
    "wrong",
    [socket.gaierror(-2, "the name is not known"), UnicodeError()],
    ids=["not known", "no name"],
)
def test_a_name_that_nobody_knows_is_no_answer(line, monkeypatch, wrong):
    def getaddrinfo(*_, **__):
        raise wrong

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(NoAnswer, match="name"):
        line(answer()).get()


def test_no_proxy_is_guessed(server, line, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert line(answer()).get().status == 200


@pytest.mark.parametrize(
    "where", ["file:///etc/passwd", "gopher://127.0.0.1/", "/internal", "//127.0.0.1/"]
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_nothing_is_followed(server, line, status, where):
    reply = line(answer(status, b"", Location=where)).get()
    assert (reply.status, reply.headers["location"]) == (status, where)
    assert len(server.requests) == 1


def test_nobody_there_is_said(server):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        line = Line(f"http://127.0.0.1:{port}", reach=["127.0.0.1"])
        with pytest.raises(NoAnswer, match=f"{port}: Connection refused"):
            line.get()


def test_a_token_is_told_to_the_address_only(server, line):
    line(answer(), token=TOKEN).get(headers={"Authorization": "Bearer other"})
    assert server.requests[0][1]["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("host", ["10.0.0.1", "witness.example", "localhost.example"])
def test_a_token_is_not_told_for_all_to_read(host):
    with pytest.raises(Refused, match="https") as caught:
        Line(f"http://{host}/", reach=[host], token=TOKEN)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("token", ["", f"{TOKEN}\r\nX: y", f"{TOKEN} ", f"ü{TOKEN}"])
def test_what_cannot_be_a_token_is_not_quoted(token):
    with pytest.raises(Refused) as caught:
        Line("https://witness.example/", token=token)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    "behaviour",
    [
        raw(TOKEN.encode()),
        raw(f"HTTP/1.1 {TOKEN}\r\n\r\n".encode()),
        raw(HEAD + f"Content-Encoding: {TOKEN}\r\n\r\n".encode()),
        raw(HEAD + f"Transfer-Encoding: chunked\r\n\r\n{TOKEN}\r\n".encode()),
        hang_up,
    ],
    ids=["line", "status", "coding", "chunk", "nothing"],
)
def test_no_error_has_what_was_told_even_if_the_answer_has(server, line, behaviour):
    server.prefix += f"/{TOKEN}"
    with pytest.raises(NoAnswer) as caught:
        line(behaviour, token=TOKEN).get()
    assert TOKEN not in str(caught.value)
    assert caught.value.__cause__ is None
