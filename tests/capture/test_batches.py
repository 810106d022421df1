"""Each of a batch has its result, in its place, whatever becomes of the others."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capture import NotAllowed
from capture.batching import MOST_BYTES, chunks
from tests.capture.live import client_of, something
from tests.records import SMALLEST, record
from verifier.record import encode_record


def test_each_of_a_batch_has_a_verified_result_in_its_place(service):
    made = [something(service, number) for number in range(700)]
    with client_of(service) as client:
        logged = list(client.submit_batch(made))
    if service.live.charter.kind == "record":
        assert [each.record["number"] for each in logged] == [*range(700)]
    else:
        assert [each.entry for each in logged] == made
    assert len({each.index for each in logged}) == 700


def numbered(number, **members):
    """A record without an id."""
    return {**SMALLEST, "number": number, **members}


def test_what_is_refused_has_its_place_as_well(record_log):
    made = [numbered(0), numbered(1, loss=0.5), numbered(2), b"no record", numbered(4)]
    made.append(bytes(65_536))
    with client_of(record_log) as client:
        changed = next(client.submit_batch([numbered(0)])).record | {"number": 1}
        results = list(client.submit_batch([*made, changed]))
    assert [type(each).__name__ for each in results] == [
        *("Logged", "Refused", "Logged", "Refused", "Logged", "Refused", "Conflict")
    ]
    assert results[3].submitted == (b"no record",)
    assert results[6].submitted == (encode_record(changed),)


def test_bytes_that_are_two_records_are_not_taken_for_them(record_log):
    a, b, c = (encode_record(record(number)) for number in range(3))
    with client_of(record_log) as client:
        first, second = client.submit_batch([a + b, c])
    assert (type(first).__name__, first.submitted) == ("Refused", (a + b,))
    assert second.record["id"][-1] == "2"


def test_a_batch_is_read_no_further_than_it_is_sent(opaque_log):
    taken = []

    def endless():
        while True:
            taken.append(len(taken))
            yield b"entry %d" % taken[-1]

    with client_of(opaque_log) as client:
        results = client.submit_batch(endless(), size=10)
        for _ in range(25):
            next(results)
        assert len(taken) <= 31
        results.close()


@given(
    st.lists(st.integers(0, 65_535).map(bytes), min_size=40, max_size=99),
    st.integers(1, 256),
)
@settings(max_examples=30)
def test_no_chunk_is_larger_than_a_request_may_be(made, size):
    cut = list(chunks(made, size))
    assert [each for chunk in cut for each in chunk] == made
    assert all(0 < len(chunk) <= size for chunk in cut)
    assert all(sum(map(len, chunk)) <= MOST_BYTES for chunk in cut)


def test_large_records_are_sent_in_smaller_chunks(record_log):
    made = [numbered(number, text="x" * 60_000) for number in range(40)]
    with client_of(record_log) as client:
        logged = list(client.submit_batch(made))
    assert [each.record["number"] for each in logged] == [*range(40)]


def test_one_that_may_not_submit_is_told_so_before_a_large_chunk_was_read(record_log):
    made = [{"text": "x" * 60_000, "number": number} for number in range(17)]
    with client_of(record_log, token=None) as client, pytest.raises(NotAllowed) as told:
        next(client.submit_batch(made))
    assert len(told.value.submitted) == 17


@pytest.mark.parametrize("size", [0, 257])
def test_a_chunk_has_a_size(opaque_log, size):
    with client_of(opaque_log) as client, pytest.raises(ValueError, match="from 1 to"):
        next(client.submit_batch([b"x"], size=size))
