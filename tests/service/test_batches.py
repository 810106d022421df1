"""A batch is a stream: a result for each that was in it, in their order, as they come.

Good ones are kept when others are refused, and nothing that somebody sends makes
the log hold more of it than a little.
"""

import base64
import json
import threading

import pytest

from tests.attacks.wire import Wire, measured
from tests.service.standing import RECORD, standing
from verifier import cbor
from verifier.record import encode_record

LINES = "application/x-ndjson"
ITEMS = "application/cbor-seq"
PATH = "/v1/records:batch"


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """An opaque log."""
    with standing(tmp_path_factory.mktemp("opaque")) as made:
        yield made


@pytest.fixture(scope="module", params=[0, 1], ids=["alone", "front_end"])
def records(request, tmp_path_factory):
    """A record log."""
    folder = tmp_path_factory.mktemp("records")
    with standing(folder, kind="record", workers=request.param) as made:
        yield made


def sent(service, body, type_=LINES, **headers):
    """The results of a batch; what they promise is remembered."""
    got = service.post(PATH, body, Content_Type=type_, **headers)
    assert got.status == 200, got
    assert got.headers["Content-Type"] == LINES
    results = [json.loads(line) for line in got.body.splitlines()]
    for each in results:
        if each["status"] < 300:
            service.remember(each)
    return results


def statuses(results):
    return [each["status"] for each in results]


def test_what_is_held_of_a_batch_is_told_to_those_who_watch(records):
    name = "provlog_memory_held_bytes"
    with Wire(records) as wire:
        wire.begin(f"POST {PATH}", f"Content-Type: {LINES}", "Content-Length: 9000")
        wire.send(RECORD % 1 + b"\n" + b" " * 1_000)
        records.until(lambda: measured(records, name) > 0)
    records.until(lambda: measured(records, name) == 0)


# What comes back


def test_each_record_has_its_result_in_its_place(records):
    results = sent(records, b"\n".join(RECORD % n for n in range(600)) + b"\n")
    assert statuses(results) == [201] * 600
    indexes = [each["index"] for each in results]
    assert indexes == list(range(indexes[0], indexes[0] + 600))
    for number in (0, 255, 256, 599):
        id_ = f"01a0c54a-5ad0-7aa2-bf0c-{number:012}"
        found = records.get(f"/v1/lookup/record/{id_}").json["indexes"]
        assert found == [indexes[number]]


def test_what_was_logged_before_says_so(records):
    sent(records, RECORD % 1_000)
    again = sent(records, b"\n".join(RECORD % n for n in (1_001, 1_000, 1_001)))
    assert statuses(again) == [201, 200, 200]
    assert [each["repeated"] for each in again] == [False, True, True]
    assert again[0]["index"] == again[2]["index"]


def test_good_ones_are_kept_when_others_are_refused(records):
    other = (RECORD % 1_102).replace(b"run", b"walk")
    body = [RECORD % 1_101, b"{", RECORD % 1_102, b"[]", other, RECORD % 1_103]
    results = sent(records, b"\n".join(body))
    assert statuses(results) == [201, 400, 201, 422, 409, 201]
    assert results[4]["index"] == results[2]["index"]
    assert results[5]["index"] == results[2]["index"] + 1


def test_a_refused_one_is_a_problem_as_everywhere(records):
    (result,) = sent(records, b"{}")
    single = records.post("/v1/records", b"{}").json
    assert result == single


@pytest.mark.parametrize("body", [b"", b"\n", b"\n\n"])
def test_an_empty_line_is_no_record(records, body):
    assert statuses(sent(records, body)) == [400] * body.count(b"\n")


def test_the_last_line_may_be_without_an_end(records):
    assert len(sent(records, RECORD % 1_200 + b"\n" + RECORD % 1_201)) == 2


def test_as_text_a_result_is_an_index_or_a_status_and_a_word(records):
    body = b"\n".join([RECORD % 1_300, b"{", RECORD % 1_301])
    got = records.post(PATH, body, Content_Type=LINES, Accept="text/plain")
    first, second, third = got.body.splitlines()
    assert int(third) == int(first) + 1
    assert second == b"- 400 form"


def test_a_cbor_sequence_is_a_batch_too(records):
    items = [encode_record(json.loads(RECORD % n)) for n in (1_400, 1_401)]
    results = sent(records, items[0] + b"\x01" + items[1], ITEMS)
    assert [each["status"] < 300 for each in results] == [True, False, True]


def test_behind_what_does_not_end_nothing_else_begins(records):
    item = encode_record(json.loads(RECORD % 1_500))
    assert statuses(sent(records, item + b"\x5f\x41a\xff" + item, ITEMS)) == [201, 400]
    assert statuses(sent(records, item + item[:-1], ITEMS)) == [200, 400]


# Opaque


def test_in_an_opaque_log_a_line_is_an_entry(service):
    body = [b"a", b"", b" b ", b"\r", b"\xff\x00"]
    results = sent(service, b"\n".join(body))
    assert [base64.b64decode(each["entry"]) for each in results] == body


def test_in_an_opaque_log_an_item_is_a_byte_string(service):
    body = [b"a", b"", b"line\nline"]
    sequence = b"".join(map(cbor.encode, body)) + cbor.encode("text")
    results = sent(service, sequence, ITEMS)
    assert statuses(results) == [201, 201, 201, 400]
    entries = [base64.b64decode(each["entry"]) for each in results[:3]]
    assert entries == body


def test_one_that_is_too_large_is_refused_by_itself(service):
    body = [b"a", b"x" * 65_535, b"x" * 65_536, b"x" * 500_000, b"b"]
    results = sent(service, b"\n".join(body))
    assert statuses(results) == [201, 201, 413, 413, 201]
    assert results[4]["index"] == results[0]["index"] + 2


# What is no batch


@pytest.mark.parametrize("type_", ["application/json", "text/plain", "", "x"])
def test_a_batch_has_one_of_two_media_types(records, type_):
    got = records.post(PATH, RECORD % 1, Content_Type=type_)
    assert (got.status, got.problem) == (415, "media-type")


# Streams


def answers(connection, body):
    """The lines of the answer, read while `body` is sent."""
    headers = {"Content-Type": LINES, "Accept": "text/plain"}
    connection.putrequest("POST", PATH)
    for name, value in {**headers, "Transfer-Encoding": "chunked"}.items():
        connection.putheader(name, value)
    connection.endheaders()

    def send():
        for piece in body:
            connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        connection.send(b"0\r\n\r\n")

    sending = threading.Thread(target=send)
    sending.start()
    try:
        yield from connection.getresponse()
    finally:
        sending.join()
        connection.close()


def test_results_come_while_more_is_sent(service):
    first_read = threading.Event()

    def body():
        yield b"x\n" * 256
        assert first_read.wait(10)
        yield b"y\n"

    lines = answers(service.connect(), body())
    first = next(lines)
    first_read.set()
    assert int(list(lines)[-1]) == int(first) + 256


def held_bytes(pid):
    """What a process has for itself, without the pages of the store."""
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) << 10
    raise AssertionError("the kernel does not say")


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("piece", "pieces"),
    [(b"x" * 8_191 + b"\n", 6_400), (b"x" * (1 << 20), 50), (b"\n" * 4_096, 16)],
    ids=["fifty_million_bytes", "a_line_without_end", "empty_lines"],
)
def test_a_large_batch_takes_no_more_memory_than_a_small_one(
    new_service, piece, pieces
):
    service = new_service(workers=1)
    _, front_end = service.children()[:2]
    assert list(answers(service.connect(), [piece] * 8))
    before = most = held_bytes(front_end)
    for number, _ in enumerate(answers(service.connect(), [piece] * pieces)):
        if number % 256 == 0:
            most = max(most, held_bytes(front_end))
    assert most - before < 24 << 20


@pytest.mark.parametrize("size", [0, 65_532, 65_533, 65_535])
def test_an_item_may_be_as_long_as_an_entry(service, size):
    item = cbor.encode(bytes(size))
    response = service.post(PATH, item, Content_Type=ITEMS)
    assert base64.b64decode(json.loads(response.body)["entry"]) == bytes(size)


def test_an_item_with_a_longer_head_than_it_needs_is_refused(service):
    response = service.post(PATH, b"\x58\x01x", Content_Type=ITEMS)
    assert "shorter form" in json.loads(response.body)["detail"]


def test_where_all_is_published_first_so_is_a_batch(new_service):
    service = new_service(settings='ack = "published"\npublish_interval_ms = 50\n')
    response = service.post(PATH, b"one\ntwo", Content_Type=LINES)
    for line in response.body.splitlines():
        result = json.loads(line)
        # The newest published one states a time, which a plain answer does not.
        assert len(result["receipt"].rpartition("\n\n")[2].splitlines()) == 3
