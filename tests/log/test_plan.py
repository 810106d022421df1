"""The same thing again has the index that it got first, and is not logged twice."""

import contextlib

import pytest

from ledger.errors import Conflict, Halted, Held, Refused, Unavailable
from ledger.log.identity import digest_identity, record_identity
from ledger.log.plan import Planner
from ledger.log.pool import Admitted, Order
from tests.livelog import FIRST
from tests.log.fakes import body, head_of, numbered, put_entry_tile, sign1
from tests.recordlog import record_id
from tests.spoiling import flipped
from verifier.tile import encode_entries

KINDS = {
    "record": {"kind": "record"},
    "statement": {"kind": "statement"},
    "opaque": {"kind": "opaque", "dedupe": True},
}


def thing(kind, number):
    """One of the things that a log of this kind takes."""
    if kind == "record":
        return body(number)
    return sign1(b"%d" % number) if kind == "statement" else b"thing %d" % number


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def live(new_log, kind):
    return new_log(**KINDS[kind])


def planned(log, *orders):
    """What becomes of orders that share a batch; nothing is logged."""
    with log.store.snapshot() as snapshot:
        planner = Planner(size=log.head.size, at=None, snapshot=snapshot)
        return planner.plan([Order(order) for order in orders])


# Again


def test_in_a_later_batch_it_has_the_index_of_the_first(live, kind):
    with live.open() as log:
        first = live.append(*[thing(kind, n) for n in range(5)], log=log)
        again = live.append(*[thing(kind, n) for n in (3, 0, 4)], log=log)
    assert not first.repeated
    assert again.indexes == [first.indexes[n] for n in (3, 0, 4)]
    assert again.repeated == {0, 1, 2}


def test_after_the_log_was_opened_again_as_well(live, kind):
    answers = [live.append(thing(kind, 7)) for _ in range(3)]
    assert len({answer.indexes[0] for answer in answers}) == 1
    assert [answer.repeated for answer in answers] == [set(), {0}, {0}]


def test_and_when_its_entry_tile_has_been_filled(live, kind):
    with live.open() as log:
        (index,) = live.append(thing(kind, 7), log=log).indexes
        live.append(*[thing(kind, n) for n in range(100, 700)], log=log)
        assert live.append(thing(kind, 7), log=log).indexes == [index]


def test_a_repeat_alone_makes_no_batch(live, kind):
    with live.open() as log:
        live.append(thing(kind, 7), log=log)
        before = head_of(log.store)
        answer = live.append(thing(kind, 7), thing(kind, 7), log=log)
        assert head_of(log.store) == before == answer.head


def test_in_one_order_it_is_logged_once(live, kind):
    answer = live.append(*[thing(kind, 7)] * 3)
    assert len(set(answer.indexes)) == 1
    assert answer.repeated == {1, 2}
    assert answer.head.size == max(answer.indexes) + 1


def test_in_two_orders_of_one_batch_it_is_logged_once(live, kind):
    with live.open() as log:
        one = [log.admission.admit(thing(kind, 7), by="s-1")]
        plan = planned(log, one, one)
        first, second = plan.outcomes
    assert first.indexes == second.indexes
    assert (first.repeated, second.repeated) == (set(), {0})
    assert len(plan.entries) == len(plan.identities) == 1


def test_the_same_from_another_submitter_is_another_entry(live, kind):
    with live.open() as log:
        admitted = [log.admission.admit(thing(kind, 7), by=by) for by in "ab"]
        both = live.submit(log, admitted)
        assert len(set(both.indexes)) == 2
        assert not both.repeated
        again = live.submit(log, admitted[::-1])
        assert again.indexes == both.indexes[::-1]


def test_a_crash_before_the_answer_leaves_a_log_that_answers_it(live, kind):
    def crash(head):
        raise Halted("the anchor was being written")

    with live.open() as log:
        size = log.head.size
        log._anchor.advance = crash
        with pytest.raises(Halted, match="may or may not have been logged"):
            log.append([thing(kind, 7)])
    answer = live.append(thing(kind, 7))
    assert answer.indexes == [size]
    assert answer.repeated == {0}


def test_nothing_is_known_of_what_was_refused_by_the_disk(live, kind):
    def full(batch, check):
        raise Unavailable("full", "the disk is full")

    with live.open() as log:
        append, log.store.append = log.store.append, full
        with pytest.raises(Unavailable, match="full"):
            log.append([thing(kind, 7)])
        log.store.append = append
        assert not live.append(thing(kind, 7), log=log).repeated


def test_without_dedupe_an_opaque_log_keeps_repeats(new_log):
    live = new_log()
    with live.open() as log:
        assert live.append(b"same", b"same", log=log).indexes == range(2)
        assert live.append(b"same", log=log).indexes == range(2, 3)


# The same name for something else


def test_other_bytes_under_a_known_id_are_a_conflict_and_are_not_logged(new_log):
    live = new_log(kind="record")
    with live.open() as log:
        (index,) = live.append(body(7), log=log).indexes
        before = head_of(log.store)
        answer = live.append(body(7, note="other"), log=log)
        assert head_of(log.store) == before
    assert answer.indexes == [None]
    assert isinstance(answer.refused[0], Conflict)
    assert answer.refused[0].index == index
    assert str(index) in str(answer.refused[0])


def test_a_conflict_inside_one_order_is_with_the_first_of_the_two(new_log):
    answer = new_log(kind="record").append(body(7), body(7, note="other"))
    assert answer.indexes == [FIRST, None]
    assert answer.refused[1].index == FIRST


def test_a_conflict_does_not_keep_the_good_ones_out(new_log):
    live = new_log(kind="record")
    with live.open() as log:
        live.append(body(1), log=log)
        some = [body(2), body(1, note="other"), body(1), body(3)]
        answer = live.append(*some, log=log)
    assert answer.indexes == [FIRST + 1, None, FIRST, FIRST + 2]
    assert answer.repeated == {2}
    assert list(answer.refused) == [1]
    assert answer.head.size == FIRST + 3


def test_the_id_of_another_submitter_is_free(new_log):
    live = new_log(kind="record")
    with live.open() as log:
        some = [(body(7), "a"), (body(7, note="other"), "b")]
        admitted = [log.admission.admit(data, by=by) for data, by in some]
        assert live.submit(log, admitted).indexes == [FIRST, FIRST + 1]


# A row that says where something stands is not believed


def identity_of(log, kind, number):
    if kind == "record":
        return record_identity(log.charter.operator, record_id(number))
    return digest_identity(log.charter.operator, thing(kind, number))


def log_with_row(live, log, kind, index):
    """Log some, and let the row of a thing that was never logged say `index`."""
    live.append(*[thing(kind, n) for n in range(5)], log=log)
    log.store.index([(identity_of(log, kind, 7), index)], drop=False)


def test_a_wrong_row_gives_nobody_the_index_of_another_entry(live, kind):
    with live.open() as log:
        log_with_row(live, log, kind, 2)
        try:
            answer = log.append([thing(kind, 7)])
        except (Unavailable, Held):
            return
        for each in answer.indexes:
            assert each is None or thing(kind, 7) in log.reading.entry(each)


def test_a_wrong_row_is_no_conflict_for_what_it_names_is_not_there(live, kind):
    with live.open() as log:
        log_with_row(live, log, kind, 2)
        try:
            answer = log.append([thing(kind, 7)])
        except (Unavailable, Held):
            return
        assert not any(isinstance(each, Conflict) for each in answer.refused.values())


@pytest.mark.parametrize("index", [1_000, 2**64 - 1])
def test_a_row_that_leads_out_of_the_log_does_not_end_the_process(live, kind, index):
    with live.open() as log:
        log_with_row(live, log, kind, index)
        with contextlib.suppress(Unavailable, Held):
            answer = log.append([thing(kind, 7)])
            assert answer.indexes in ([None], [answer.head.size - 1])
        assert log.hold is None


@pytest.mark.parametrize("index", [0, 1_000])
def test_no_bytes_are_not_taken_for_an_entry_that_is_not_there(new_log, index):
    live = new_log(dedupe=True)
    with live.open() as log:
        live.append(b"entry", log=log)
        row = digest_identity(log.charter.operator, b""), index
        log.store.index([row], drop=False)
        with contextlib.suppress(Unavailable, Held):
            answer = log.append([b""])
            assert answer.indexes == [None] or log.reading.entry(1) == b""
            assert answer.indexes in ([None], [1])


def test_a_damaged_entry_tile_does_not_end_the_process_of_who_submits_again(new_log):
    live = new_log(dedupe=True)
    live.given_up = True
    with live.open() as log:
        live.append(*numbered(300), log=log)
        put_entry_tile(log.store, 0, b"\xff" * 100)
        with contextlib.suppress(Unavailable, Held):
            assert log.append([b"entry 7"]).indexes == [None]
        assert log.hold is None
        assert log.append([b"new"]).indexes == [300]


@pytest.mark.parametrize("identity", [b"", b"x" * 512])
def test_an_identity_that_no_store_can_keep_is_refused(new_log, identity):
    live = new_log(dedupe=True)
    with live.open() as log:
        with pytest.raises(Refused, match="1 to 511 bytes"):
            log.submit([Admitted(identity, b"entry")])
        live.append(b"entry", log=log)


def test_damage_is_not_taken_for_other_bytes_of_the_same_submitter(new_log):
    live = new_log(kind="record")
    live.given_up = True
    with live.open() as log:
        records = [body(number) for number in range(300)]
        live.append(*records, log=log)
        entries = log.reading.entries(0, 256)
        first = entries[FIRST]
        entries[FIRST] = flipped(first, len(first) * 8 - 400)
        put_entry_tile(log.store, 0, encode_entries(entries))
        answer = log.append([records[0]])
        assert answer.indexes == [None]
        assert isinstance(answer.refused[0], Unavailable)
        # The others are what they were.
        assert log.append([records[290]]).repeated == frozenset({0})
