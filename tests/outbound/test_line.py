"""A question has one answer, on a line that is kept for as long as it holds."""

import os
import socket
import struct

import pytest

from ledger.errors import Refused
from ledger.outbound import NoAnswer
from tests.loopback import answer, raw, silent

HEAD = b"HTTP/1.1 200 OK\r\n"


def hang_up(handler):
    handler.close_connection = True


def then_hang_up(handler):
    """Answer as if the connection were kept, and end it."""
    answer(body=b"first")(handler)
    hang_up(handler)


def test_a_question_has_an_answer(server, line):
    asked = line(answer(body=b"here", X_Thing="a"))
    reply = asked.get("a/b", headers={"Accept": "text/plain"})
    assert (reply.status, reply.body, reply.headers["x-thing"]) == (200, b"here", "a")
    [(path, headers)] = server.requests
    assert path == "/log/a/b"
    assert headers["Host"] == f"127.0.0.1:{server.server_port}"
    assert headers["Accept-Encoding"] == "identity"
    assert headers["Accept"] == "text/plain"


def test_what_is_posted_arrives(server, line):
    asked = line(answer(409, b"7\n"))
    assert asked.post("/add", b"body").status == 409
    assert server.requests[0][0] == "/log/add"
    assert server.bodies == [b"body"]


def test_without_a_path_the_address_itself_is_asked(server, line):
    line(answer()).post()
    assert server.requests[0][0] == "/log"


@pytest.mark.parametrize("path", ["a b", "a\r\nX: y", "a#b", "ü"])
def test_a_path_cannot_bring_lines_of_its_own(server, line, path):
    with pytest.raises(Refused):
        line(answer()).get(path)
    assert not server.requests


def test_a_line_is_used_again_for_as_long_as_it_holds(server, line):
    asked = line(answer(body=b"a"), answer(404, b"b"), answer(204))
    assert [asked.get().status for _ in range(4)] == [200, 404, 204, 204]
    assert len(server.connections) == 1


def test_one_that_ended_while_it_was_kept_is_opened_anew(server, line):
    asked = line(then_hang_up, answer(body=b"second"))
    assert [asked.get().body, asked.get().body] == [b"first", b"second"]
    assert len(server.connections) == 2


def test_one_that_ends_just_as_it_is_asked_is_opened_anew_once(server, line):
    asked = line(answer(), hang_up, answer(body=b"third"))
    asked.get()
    assert asked.get().body == b"third"
    assert len(server.requests) == 3


def test_a_new_one_that_ends_is_not_tried_again(server, line):
    with pytest.raises(NoAnswer):
        line(hang_up).get()
    assert len(server.requests) == 1


def test_after_a_part_of_an_answer_nothing_is_asked_again(server, line):
    asked = line(answer(), raw(b"HTTP/1."), answer())
    asked.get()
    with pytest.raises(NoAnswer, match="no whole answer"):
        asked.get()
    assert len(server.requests) == 2


def test_what_comes_behind_an_answer_is_not_the_next_one(server, line):
    size = b"Content-Length: 4\r\n\r\n"

    def behave(handler):
        handler.wfile.write(HEAD + size + b"true" + (HEAD + size + b"fake") * 1000)

    asked = line(behave)
    assert [asked.get().body for _ in range(3)] == [b"true"] * 3
    assert len(server.connections) == 3


def test_not_even_where_a_reset_is_what_cut_it(server, line):
    def reset(handler):
        handler.wfile.write(HEAD + b"Content-Length: 9\r\n\r\n1234")
        at_once = struct.pack("ii", 1, 0)
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        os.close(handler.connection.detach())
        handler.close_connection = True

    asked = line(answer(), reset, answer())
    asked.get()
    with pytest.raises(NoAnswer, match="reset"):
        asked.get()
    assert len(server.requests) == 2


def test_who_is_silent_on_a_line_that_was_kept_is_not_asked_again(server, line):
    asked = line(answer(), silent, answer(), patience_s=0.2)
    asked.get()
    with pytest.raises(NoAnswer, match=r"within 0\.2 s"):
        asked.get()
    assert len(server.requests) == 2
