"""A body costs what it is allowed to cost: bytes, time and computing are bounded.

What is declared too large is not read, what has no end is not waited for, nothing is
unpacked, and a body that is made to be expensive to read is refused as fast as any.
"""

import gzip
import itertools
import json
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.http.splitting import Items
from tests.attacks.wire import Wire, busy_s, front_end, measured, quiet, size_of
from tests.service.standing import standing
from verifier import cbor
from verifier.tile import MAX_ENTRY_BYTES

CHUNKED = "Transfer-Encoding: chunked"
SEQUENCE = "Content-Type: application/cbor-seq"
LINES = "Content-Type: application/x-ndjson"
FAST_S = 1.0

ID = "01a0c54a-5ad0-7aa2-bf0c-000000000001"
RECORD = b'{"id":"%s","kind":"run","x":%s}'
VALUES = {
    "deep_arrays": b"[" * 60_000 + b"]" * 60_000,
    "deep_objects": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    "an_array_that_does_not_end": b"[" * 100_000,
    "a_number_of_100000_digits": b"9" * 100_000,
    "an_exponent_beyond_all_numbers": b"1e999",
    "a_fraction": b"0.5",
    "not_a_number": b"NaN",
    "infinity": b"-Infinity",
    "null": b"null",
    "half_a_surrogate_pair": b'"\\ud800"',
    "no_utf_8": b'"\xff"',
    "a_name_twice": b'{"a":1,"a":2}',
    "many_names": json.dumps({f"n{each}": each for each in range(9_000)}).encode(),
}
ITEMS = {
    "deep_arrays": b"\x81" * 100_000 + b"\x00",
    "deep_maps": b"\xa1\x00" * 50_000 + b"\x00",
    "deep_tags": b"\xc1" * 100_000 + b"\x00",
    "a_length_that_is_not_there": b"\x5b" + b"\xff" * 8,
    "more_items_than_bytes": b"\x9b" + b"\xff" * 8,
    "names_that_collide": b"\xb9\x40\x00"
    + b"".join(
        b"\x1b" + (each * (2**61 - 1)).to_bytes(8, "big") + b"\x00" for each in range(7)
    ),
    "a_name_twice": b"\xa2\x61\x61\x01\x61\x61\x02",
    "no_end": b"\xbf\x61\x61\x01\xff",
    "a_cycle": b"\xd8\x1c\x81\xd8\x1d\x00",
    "not_a_number": b"\xa1\x61\x61\xf9\x7e\x00",
    "bytes_behind_it": b"\xa1\x61\x61\x01\x00",
    "a_number_too_long": b"\xa1\x61\x61\x18\x01",
}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """An opaque log, whose patience is a second."""
    folder = tmp_path_factory.mktemp("bodies")
    patience = "header_timeout_s = 1\nbody_timeout_s = 1\n"
    with standing(folder, workers=1, settings=patience) as made:
        yield made
        assert quiet(made)


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """A log of records."""
    with standing(tmp_path_factory.mktemp("records"), kind="record") as made:
        yield made
        assert quiet(made)


@pytest.mark.parametrize("line", ["POST /add", "GET /checkpoint"])
def test_ten_gigabytes_are_refused_before_the_first_byte(service, line):
    with Wire(service) as wire:
        answer = wire.ask(line, "Content-Length: 10000000000")
        assert (answer.status, answer.problem) == (413, "size")
        assert wire.ended()


def test_one_byte_over_is_too_much_and_one_less_is_not(service):
    before = size_of(service)
    assert service.post("/add", bytes(MAX_ENTRY_BYTES + 1)).status == 413
    with Wire(service) as wire:
        one = b"%x\r\n%s\r\n0\r\n\r\n" % (
            MAX_ENTRY_BYTES + 1,
            bytes(MAX_ENTRY_BYTES + 1),
        )
        assert wire.ask("POST /add", CHUNKED, body=one).status == 413
    assert size_of(service) == before
    assert service.post("/add", bytes(MAX_ENTRY_BYTES)).status == 200


def test_chunks_without_end_are_refused_where_the_limit_is(service):
    with Wire(service) as wire:
        wire.begin("POST /add", CHUNKED)
        for _ in range(100):
            wire.send(b"2000\r\n" + bytes(0x2000) + b"\r\n")
        assert wire.answer().problem == "size"
        assert wire.ended()


def test_a_body_that_drips_is_ended(service):
    with Wire(service, patience_s=0.2) as wire:
        wire.begin("POST /add", "Content-Length: 1000")
        answer, began = None, time.monotonic()
        while answer is None and time.monotonic() < began + 10:
            wire.send(b"a")
            try:
                answer = wire.answer()
            except TimeoutError:
                continue
        assert answer.problem == "slow"
        wire.socket.settimeout(10)
        assert wire.ended()


def test_a_head_that_drips_is_ended(service):
    with Wire(service, patience_s=0.2) as wire:
        wire.send(b"GET /checkpoint HTTP/1.1\r\n")
        began = time.monotonic()
        while not wire.ended():
            wire.send(b"X: y\r\n")
            assert time.monotonic() < began + 10


def test_a_connection_on_which_nothing_comes_is_ended(service):
    with Wire(service) as wire:
        assert wire.ended()
    with Wire(service) as wire:
        assert wire.ask("GET /checkpoint").status == 200
        assert wire.ended()


def test_a_batch_that_drips_is_ended_and_what_came_is_logged(service):
    with Wire(service) as wire:
        wire.begin("POST /v1/records:batch", LINES, CHUNKED, body=b"4\r\none\n\r\n")
        said = wire.rest()
    assert b'"status": 201' in said
    assert b'"check": "slow"' in said


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "deflate", "gzip, identity"])
@pytest.mark.parametrize("path", ["/add", "/v1/records", "/v1/records:batch"])
def test_a_packed_body_is_refused_and_not_unpacked(service, path, coding):
    bomb = gzip.compress(bytes(30 << 20)) if coding == "gzip" else zlib.compress(b"a")
    before, computed = size_of(service), busy_s(front_end(service))
    answer = service.post(path, bomb, Content_Encoding=coding)
    assert (answer.status, answer.problem) == (415, "media-type")
    assert size_of(service) == before
    assert busy_s(front_end(service)) < computed + FAST_S


@pytest.mark.parametrize("case", VALUES)
def test_json_that_is_made_to_hurt_is_refused_at_once(records, case):
    body, before = RECORD % (ID.encode(), VALUES[case]), size_of(records)
    began = time.monotonic()
    answer = records.post("/v1/records", body, Content_Type="application/json")
    assert 400 <= answer.status < 500
    assert time.monotonic() < began + FAST_S
    assert size_of(records) == before


@pytest.mark.parametrize("case", ITEMS)
@pytest.mark.parametrize("path", ["/v1/records", "/v1/records:batch"])
def test_cbor_that_is_made_to_hurt_is_refused_at_once(records, path, case):
    batch = path.endswith("batch")
    type_ = "application/cbor-seq" if batch else "application/cbor"
    before, began = size_of(records), time.monotonic()
    answer = records.post(path, ITEMS[case], Content_Type=type_)
    told = [json.loads(line) for line in answer.body.splitlines()] if batch else []
    assert {each["status"] // 100 for each in told or [answer.json]} == {4}
    assert time.monotonic() < began + FAST_S
    assert size_of(records) == before


def test_an_item_that_comes_byte_by_byte_is_not_read_anew_for_each(service):
    process = front_end(service)
    heads = b"\x9a\x00\x01\xf0\x00" + bytes(120_000)
    with Wire(service) as wire:
        wire.begin("POST /v1/records:batch", SEQUENCE, CHUNKED)
        wire.send(b"%x\r\n" % len(heads) + heads + b"\r\n")
        assert service.get("/checkpoint").status == 200
        before = busy_s(process)
        for _ in range(100):
            wire.send(b"1\r\n\0\r\n")
            assert service.get("/checkpoint").status == 200
        assert busy_s(process) < before + FAST_S


SENT = 1_000 * (b"x" * 1_000 + b"\n")


def left(service):
    """A batch whose results nobody reads: more of them than sockets have room for."""
    wire = Wire(service, buffer_bytes=4_096, patience_s=0.2)
    wire.begin("POST /v1/records:batch", LINES, CHUNKED)
    for _ in range(10):
        wire.send(b"%x\r\n%s\r\n" % (len(SENT), SENT))
    return wire


@pytest.mark.parametrize("reset", [False, True], ids=["not_read", "cut_off"])
def test_a_batch_whose_results_nobody_reads_leaves_nothing_behind(service, reset):
    wires = [left(service) for _ in range(3)]
    if reset:
        for wire in wires:
            wire.socket.close()
    service.until(lambda: measured(service, "provlog_connections") == 0)
    service.until(lambda: measured(service, "provlog_memory_held_bytes") == 0)
    for wire in wires:
        wire.socket.close()


@pytest.mark.exhaustive
def test_a_stop_does_not_wait_for_batches_that_were_left(new_service):
    service = new_service(workers=1)
    for _ in range(3):
        left(service).socket.close()
    service.until(lambda: measured(service, "provlog_connections") == 0)
    began = time.monotonic()
    assert service.stop() == 0
    assert time.monotonic() < began + 5


ENTRIES = st.recursive(
    st.integers(0, 1 << 63) | st.binary(max_size=300) | st.text(max_size=30),
    lambda some: st.lists(some, max_size=4) | st.dictionaries(st.text(), some),
)


@pytest.mark.exhaustive
@given(st.lists(ENTRIES, max_size=4), st.lists(st.integers(1, 40), min_size=1))
def test_a_sequence_is_cut_alike_wherever_its_pieces_end(items, sizes):
    encoded = [cbor.encode(each) for each in items]
    whole, at, found, splitter = b"".join(encoded), 0, [], Items(100_000)
    for size in itertools.cycle(sizes):
        found += splitter.feed(whole[at : at + size])
        at += size
        if at >= len(whole):
            break
    found += splitter.end()
    assert found == encoded
