"""A message that two programs could read in two ways is read in none.

A proxy before the log and the log must see the same requests: whatever leaves a
choice of where one ends is refused, the connection is closed, and what stands behind
it is not carried out.
"""

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from tests.attacks.wire import Wire, quiet, size_of
from tests.service.standing import standing

HIDDEN = b"POST /add HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\nhidden"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
ONE = b"1\r\na\r\n0\r\n\r\n"

TWICE = {
    "length_and_chunks": (b"Content-Length: 1\r\n" + CHUNKED, ONE),
    "chunks_and_length": (CHUNKED + b"Content-Length: 1\r\n", ONE),
    "two_lengths": (b"Content-Length: 1\r\nContent-Length: 2\r\n", b"aa"),
    "the_same_length_twice": (b"Content-Length: 1\r\nContent-Length: 1\r\n", b"a"),
    "a_list_of_lengths": (b"Content-Length: 1, 1\r\n", b"a"),
    "a_length_with_a_sign": (b"Content-Length: +1\r\n", b"a"),
    "a_negative_length": (b"Content-Length: -1\r\n", b"a"),
    "a_hexadecimal_length": (b"Content-Length: 0x1\r\n", b"a"),
    "a_length_beyond_all_numbers": (b"Content-Length: 18446744073709551617\r\n", b"a"),
    "an_empty_length": (b"Content-Length: \r\n", b"a"),
    "a_space_before_the_colon": (b"Content-Length : 1\r\n", b"a"),
    "a_folded_header": (b"X-A: b\r\n c\r\nContent-Length: 1\r\n", b"a"),
    "folded_chunks": (b"Transfer-Encoding:\r\n chunked\r\n", ONE),
    "a_nul_in_a_header": (b"X-A: b\0c\r\nContent-Length: 1\r\n", b"a"),
    "a_line_without_a_colon": (b"Content-Length 1\r\n", b"a"),
    "a_control_character_in_a_name": (b"X\x01A: b\r\nContent-Length: 1\r\n", b"a"),
    "two_hosts": (b"Host: other.example\r\nContent-Length: 1\r\n", b"a"),
    "two_media_types": (
        b"Content-Type: a/b\r\nContent-Type: a/c\r\nContent-Length: 1\r\n",
        b"a",
    ),
    "chunks_twice": (CHUNKED + CHUNKED, ONE),
    "chunks_in_chunks": (b"Transfer-Encoding: chunked, chunked\r\n", ONE),
    "chunks_not_last": (b"Transfer-Encoding: chunked, gzip\r\n", ONE),
    "no_chunks_at_all": (b"Transfer-Encoding: gzip\r\n", ONE),
    "a_coding_like_chunks": (b"Transfer-Encoding: xchunked\r\n", ONE),
    "a_vertical_tab_before_chunks": (b"Transfer-Encoding: \x0bchunked\r\n", ONE),
    "identity": (b"Transfer-Encoding: identity\r\nContent-Length: 1\r\n", b"a"),
    "a_chunk_with_a_bare_newline": (CHUNKED, b"1\na\r\n0\r\n\r\n"),
    "a_newline_in_a_chunk_extension": (CHUNKED, b"1;a\nb\r\na\r\n0\r\n\r\n"),
    "a_chunk_beyond_all_numbers": (CHUNKED, b"10000000000000001\r\na\r\n0\r\n\r\n"),
    "a_negative_chunk": (CHUNKED, b"-1\r\na\r\n0\r\n\r\n"),
    "a_chunk_with_a_prefix": (CHUNKED, b"0x1\r\na\r\n0\r\n\r\n"),
    "a_chunk_that_ends_elsewhere": (CHUNKED, b"1\r\naXX0\r\n\r\n"),
    "a_length_behind_the_chunks": (
        CHUNKED,
        b"1\r\na\r\n0\r\nContent-Length: 5\r\n\r\n",
    ),
}
LINES = {
    "bare_newlines": b"POST /add HTTP/1.1\nHost: localhost\nContent-Length: 1\n\na",
    "a_bare_return": b"POST /add HTTP/1.1\rHost: localhost\r\nX: y\r\n\r\n",
    "no_host": b"POST /add HTTP/1.1\r\nContent-Length: 1\r\n\r\na",
    "a_nul_in_the_path": b"GET /check\0point HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a_space_in_the_path": b"GET /check point HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "no_path": b"GET  HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "an_unknown_method": b"BREW /add HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a_method_in_small_letters": b"get /add HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "http_1_2": b"GET /checkpoint HTTP/1.2\r\nHost: localhost\r\n\r\n",
    "the_preface_of_http_2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "the_beginning_of_tls": bytes.fromhex("16030100a5010000a10303") + bytes(100),
    "two_hundred_headers": b"GET /checkpoint HTTP/1.1\r\nHost: localhost\r\n"
    + b"".join(b"X-%d: y\r\n" % number for number in range(200))
    + b"\r\n",
    "a_header_of_9_kB": b"GET /checkpoint HTTP/1.1\r\nHost: localhost\r\nX: "
    + bytes(9_000).replace(b"\0", b"y")
    + b"\r\n\r\n",
    "a_path_of_9_kB": b"GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % (b"y" * 9_000),
}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A log that everybody on this machine may submit to; nobody waits for long."""
    folder = tmp_path_factory.mktemp("messages")
    settings_ = "header_timeout_s = 2\nbody_timeout_s = 2\n"
    with standing(folder, settings=settings_) as made:
        yield made
        assert quiet(made)


@pytest.mark.parametrize("case", TWICE)
def test_a_body_whose_end_is_not_sure_is_refused_with_all_behind_it(service, case):
    headers, body = TWICE[case]
    before = size_of(service)
    with Wire(service) as wire:
        head = b"POST /add HTTP/1.1\r\n" + wire.host + headers
        wire.send(head + b"\r\n" + body + HIDDEN)
        answer = wire.answer()
        assert answer
        assert (answer.status, answer.problem) == (400, "form")
        assert wire.rest() == b""
    assert size_of(service) == before


@pytest.mark.parametrize("case", LINES)
def test_what_is_not_http_is_refused_with_all_behind_it(service, case):
    before = size_of(service)
    with Wire(service) as wire:
        wire.send(LINES[case] + HIDDEN)
        answer = wire.answer()
        assert answer
        assert (answer.status, answer.problem) == (400, "form")
        assert wire.rest() == b""
    assert size_of(service) == before


def test_a_coding_that_nobody_undoes_is_refused(service):
    before = size_of(service)
    with Wire(service) as wire:
        coding = "Transfer-Encoding: gzip, chunked"
        wire.begin("POST /add", coding, body=ONE + HIDDEN)
        assert wire.answer().problem == "media-type"
        assert wire.rest() == b""
    assert size_of(service) == before


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_chunks_belong_to_http_1_1_alone(service, version):
    before = size_of(service)
    with Wire(service) as wire:
        line = f"POST /add HTTP/{version}\r\n".encode()
        wire.send(line + wire.host + CHUNKED + b"\r\n" + ONE)
        assert wire.answer().status == 400
        assert wire.ended()
    assert size_of(service) == before


@pytest.mark.parametrize(
    "name", ["Authorization", "Accept", "Content-Encoding"], ids=str.lower
)
def test_a_header_that_decides_is_there_once(service, name):
    with Wire(service) as wire:
        answer = wire.ask("GET /checkpoint", f"{name}: identity", f"{name}: identity")
        assert (answer.status, answer.json["check"]) == (400, "header")


def test_pipelined_requests_are_answered_in_their_order(service):
    with Wire(service) as wire:
        for number in range(50):
            wire.begin("POST /add", "Content-Length: 2", body=b"%02d" % number)
        indexes = [int(wire.answer().body) for _ in range(50)]
        logged = [service.get(f"/v1/entries/{index}").body for index in indexes]
    assert logged == [b"%02d" % number for number in range(50)]


def test_a_body_behind_an_upgrade_is_still_a_body(service):
    before = size_of(service)
    with Wire(service) as wire:
        upgrade = ("Connection: Upgrade", "Upgrade: h2c", "Content-Length: 83")
        wire.begin("POST /add", *upgrade, body=HIDDEN + bytes(83 - len(HIDDEN)))
        index = int(wire.answer().body)
    assert size_of(service) == before + 1
    assert service.get(f"/v1/entries/{index}").body.startswith(HIDDEN)


def test_a_body_that_is_cut_off_is_not_logged(service):
    before = size_of(service)
    with Wire(service) as wire:
        wire.begin("POST /add", "Content-Length: 5", body=b"abc")
    with Wire(service) as wire:
        wire.begin("POST /add", "Transfer-Encoding: chunked", body=b"5\r\nabc")
    with Wire(service) as wire:
        wire.begin("POST /add", "Transfer-Encoding: chunked", body=b"3\r\nabc\r\n")
    assert service.post("/add", b"next").status == 200
    assert size_of(service) == before + 1


TRUE = b"POST /add HTTP/1.1\r\nHost: localhost\r\n" + CHUNKED + b"\r\n" + ONE
BYTES = st.one_of(
    st.binary(max_size=2_000),
    st.tuples(st.integers(0, len(TRUE)), st.binary(max_size=20)).map(
        lambda drawn: TRUE[: drawn[0]] + drawn[1] + TRUE[drawn[0] + 1 :]
    ),
)


@pytest.mark.exhaustive
@given(BYTES)
@example(TRUE)
@settings(max_examples=150)
def test_no_bytes_are_answered_with_a_fault_of_ours(service, data):
    with Wire(service, patience_s=0.1) as wire:
        # What ends every head, and is none: most are answered at once.
        wire.send(data + b"\r\n\r\n\0\r\n\r\n")
        try:
            answer = wire.answer()
        except TimeoutError:
            answer = None  # it may be the beginning of a long body
    assert answer is None or answer.status < 500
    event("answered" if answer else "silent")
    assert service.get("/checkpoint").status == 200
    assert quiet(service)
