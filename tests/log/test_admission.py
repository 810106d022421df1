"""What may enter is decided before anything is written; statements: test_statements."""

import pytest

from ledger.errors import Refused
from ledger.log.admission import Admission
from ledger.log.identity import record_identity
from ledger.upkeep.birth import new_charter
from tests.livelog import FIRST, ORIGIN
from tests.log.fakes import body
from tests.recordlog import record_id
from tests.records import SMALLEST
from verifier import Entry, cbor
from verifier.entry import MAX_BODY_BYTES, PREFIX_BYTES
from verifier.record import MEDIA_TYPE
from verifier.tile import MAX_ENTRY_BYTES


def admission(kind="record", *, dedupe=False):
    return Admission(new_charter(ORIGIN, kind=kind, dedupe=dedupe))


def refused(data, *, kind="record", by="s-1"):
    """The word for why `data` may not enter."""
    with pytest.raises(Refused) as caught:
        admission(kind).admit(data, by=by)
    assert str(caught.value)
    return caught.value.check


def record_of(size):
    """A record whose canonical form has `size` bytes."""
    record = {**SMALLEST, "id": record_id(1), "note": "x" * 60_000}
    record["note"] += "x" * (size - len(cbor.encode(record)))
    return cbor.encode(record)


# Records


def test_a_record_is_admitted_as_the_entry_without_its_time():
    data = body(1)
    admitted = admission().admit(data, by="s-1")
    entry = Entry(at=2**40, by="s-1", type=MEDIA_TYPE, body=data)
    assert admitted.data == entry.encode()[PREFIX_BYTES:]


def test_a_record_is_known_by_its_submitter_and_its_id():
    admit = admission().admit
    identity = admit(body(1), by="s-1").identity
    assert identity == admit(body(1, note="other"), by="s-1").identity
    assert identity == record_identity("s-1", record_id(1))
    assert identity != admit(body(2), by="s-1").identity
    assert identity != admit(body(1), by="s-2").identity


def test_identities_of_one_submitter_are_in_the_order_of_their_ids():
    rows = [record_identity("s-1", record_id(number)) for number in range(300)]
    assert rows == sorted(rows)
    assert {len(row) for row in rows} == {32}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b'{"id": "json"}',
        body(1) + b"\x00",
        cbor.encode([1]),
        cbor.encode({"kind": "test"}),
        cbor.encode({"id": "01a0c54a-5ad0-4aa2-bf0c-000000000001"}),
        b"\xb8\x02" + body(1)[1:],
    ],
    ids=["empty", "break", "JSON", "longer", "list", "no id", "UUIDv4", "long head"],
)
def test_what_is_no_record_in_canonical_form_is_refused(data):
    assert refused(data) in ("form", "schema")


def test_a_record_may_have_as_many_bytes_as_an_entry_has_room_for_and_no_more():
    assert admission().admit(record_of(MAX_BODY_BYTES), by="s-1")
    assert refused(record_of(MAX_BODY_BYTES + 1)) == "size"


def test_nobody_submits_as_the_log_itself():
    assert refused(body(1), by="log") == "by"


@pytest.mark.parametrize(
    "by",
    ["", "two words", "x" * 129, "ü", "a\nb", "\ud800"],
    ids=["empty", "space", "129", "umlaut", "line", "surrogate"],
)
def test_who_cannot_stand_in_an_entry_cannot_submit(by):
    assert refused(body(1), by=by) in {"by", "form"}


def test_the_empty_submitter_is_not_taken_for_the_operator(new_log):
    with new_log(kind="record").open() as log, pytest.raises(Refused):
        log.append([body(1)], by="")


# Bytes


@pytest.mark.parametrize("data", [b"", b"\x00", bytes(MAX_ENTRY_BYTES)], ids=len)
def test_an_opaque_log_takes_any_bytes_as_they_are(data):
    assert admission("opaque").admit(data, by="s-1") == (None, data, None, ())


def test_an_opaque_log_takes_no_more_bytes_than_an_entry_tile_can_count():
    assert refused(bytes(MAX_ENTRY_BYTES + 1), kind="opaque") == "size"


def test_with_dedupe_bytes_are_known_by_their_submitter_and_their_hash():
    admit = admission("opaque", dedupe=True).admit
    identity = admit(b"bytes", by="s-1").identity
    assert identity == admit(b"bytes", by="s-1").identity
    assert identity != admit(b"bytez", by="s-1").identity
    assert identity != admit(b"bytes", by="s-2").identity


# All the way into a log


@pytest.mark.parametrize(
    ("kind", "largest"),
    [
        ("record", record_of(MAX_BODY_BYTES)),
        ("opaque", bytes(MAX_ENTRY_BYTES)),
    ],
    ids=["record", "opaque"],
)
def test_the_largest_entry_is_logged_and_read_back(new_log, kind, largest):
    live = new_log(kind=kind)
    with live.open() as log:
        (index,) = live.append(largest, log=log).indexes
        assert largest in log.reading.entry(index)


def test_one_that_is_refused_keeps_all_that_were_handed_in_with_it_out(new_log):
    live = new_log(kind="record")
    with live.open() as log:
        with pytest.raises(Refused):
            log.append([body(1), b"no record"])
        assert log.head.size == FIRST
