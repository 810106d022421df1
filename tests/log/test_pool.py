"""Submissions wait in a bounded room for the next batch, and for nothing else."""

import threading

import pytest

from ledger.config import Config
from ledger.errors import Held, Refused, Unavailable
from ledger.log.own import freeze
from ledger.log.pool import Admitted, Order, Pool
from tests.log.fakes import LONG_S, Bench, SlowStore, numbered

NO_LIMIT = {"entries": 1_000, "bytes_": 1_000}


def order(entries=1, each=1, **options):
    return Order([Admitted(None, bytes(each))] * entries, **options)


def pool_with(*orders, entries=10, bytes_=100):
    pool = Pool(entries=entries, bytes_=bytes_)
    for each in orders:
        pool.put(each)
    return pool


def unavailable(pool, handed_in):
    with pytest.raises(Unavailable) as caught:
        pool.put(handed_in)
    assert caught.value.retry_after_s > 0
    return caught.value.reason


@pytest.fixture
def slow(tmp_path):
    """A log whose store stands still in each append until it is released."""
    with Bench(tmp_path, store_class=SlowStore) as bench:
        yield bench
        bench.store.released.release(1_000)


def in_append(bench):
    """The sequencer has taken a batch, and is writing it."""
    assert bench.store.entered.acquire(timeout=LONG_S)


# Room


def test_what_fits_waits_and_is_handed_out_in_its_order():
    orders = [order(3), order(2), order(5)]
    assert pool_with(*orders).take(**NO_LIMIT) == orders


@pytest.mark.parametrize(
    ("waiting", "one_more"),
    [(order(10), order(1, 0)), (order(1, 100), order(1, 1)), (order(8), order(3))],
    ids=["entries", "bytes", "both orders"],
)
def test_what_does_not_fit_is_refused_and_not_queued(waiting, one_more):
    pool = pool_with(waiting)
    assert unavailable(pool, one_more) == "busy"
    assert pool.take(**NO_LIMIT) == [waiting]
    pool.put(one_more)
    assert pool.take(**NO_LIMIT) == [one_more]


@pytest.mark.parametrize(
    "limits",
    [
        "batch_entries = 10\nbatch_bytes = 100",
        "pool_entries = 10\npool_bytes = 100",
        "batch_entries = 10\npool_bytes = 100",
    ],
)
@pytest.mark.parametrize("too_much", [[b""] * 11, [b"x" * 101]], ids=["11", "101 B"])
def test_what_could_never_fit_is_refused_for_good(new_log, limits, too_much):
    live = new_log(settings=limits)
    with live.open() as log:
        with pytest.raises(Refused, match="at most 10 and 100") as caught:
            log.append(too_much)
        assert caught.value.check == "size"
        live.append(*[b"x" * 10] * 10, log=log)


def test_who_asks_again_is_answered_when_the_log_has_ended(new_log):
    live = new_log(dedupe=True)
    with live.open() as log:
        live.append(b"entry", log=log)
        log.submit([], freeze=True).wait(LONG_S)
        assert list(log.append([b"entry"]).indexes) == [0]
    with live.open() as log:
        again = log.append([b"entry"])
        assert (list(again.indexes), again.repeated) == ([0], frozenset({0}))
        with pytest.raises(Held, match="has ended"):
            log.append([b"another"])


def test_orders_of_nothing_take_room_as_well():
    pool = pool_with(*[order(0)] * 10)
    assert unavailable(pool, order(0)) == "busy"


# Batches


@pytest.mark.parametrize(
    "limits",
    [{"entries": 5, "bytes_": 100}, {"entries": 100, "bytes_": 10}],
    ids=["entries", "bytes"],
)
def test_a_batch_is_full_before_it_is_too_large(limits):
    orders = [order(3, 2), order(2, 2), order(1, 2)]
    pool = pool_with(*orders)
    assert pool.take(**limits) == orders[:2]
    assert pool.take(**limits) == orders[2:]


def test_an_order_larger_than_a_batch_is_one_by_itself():
    orders = [order(9), order(1)]
    pool = pool_with(*orders)
    assert pool.take(entries=2, bytes_=2) == orders[:1]
    assert pool.take(entries=2, bytes_=2) == orders[1:]


def test_who_comes_alone_does_not_wait_for_company(monkeypatch):
    def wait(*_):
        pytest.fail("it waits for something")

    alone = order()
    pool = pool_with(alone)
    monkeypatch.setattr(threading.Condition, "wait", wait)
    assert pool.take(**NO_LIMIT) == [alone]


def test_an_empty_pool_waits_for_the_first_order():
    pool, taken = pool_with(), []
    thread = threading.Thread(target=lambda: taken.extend(pool.take(**NO_LIMIT)))
    thread.start()
    first = order()
    pool.put(first)
    thread.join(LONG_S)
    assert taken == [first]


def test_what_comes_while_a_batch_is_written_is_the_next_one_together(slow):
    first = slow.hand_in(b"alone")
    in_append(slow)
    others = [slow.hand_in(entry) for entry in numbered(20)]
    slow.store.released.release(2)
    indexes = [each.wait(LONG_S).indexes[0] for each in (first, *others)]
    assert indexes == list(range(21))
    assert [len(batch.entries) for batch in slow.store.batches] == [1, 20]


def test_each_order_of_a_batch_is_told_its_own_indexes(slow):
    slow.hand_in(b"first")
    in_append(slow)
    orders = [slow.hand_in(*numbered(count)) for count in (3, 0, 2)]
    slow.store.released.release(2)
    answers = [each.wait(LONG_S) for each in orders]
    assert [list(each.indexes) for each in answers] == [[1, 2, 3], [], [4, 5]]
    assert {each.checkpoint for each in answers} == {answers[0].checkpoint}


def test_a_full_log_refuses_while_it_writes_and_takes_again_afterwards(tmp_path):
    small = Config(pool_entries=3)
    with Bench(tmp_path, store_class=SlowStore, config=small) as bench:
        bench.hand_in(b"being written")
        in_append(bench)
        waiting = bench.hand_in(*numbered(3))
        with pytest.raises(Unavailable, match="3 entries are waiting"):
            bench.hand_in(b"one more")
        bench.store.released.release(1_000)
        assert waiting.wait(LONG_S)
        assert list(bench.append(b"one more").indexes) == [4]


# Waiting for an answer


def test_who_does_not_wait_long_enough_is_not_told_that_it_failed(slow):
    patient = slow.hand_in(b"entry")
    with pytest.raises(Unavailable, match="may still be logged") as caught:
        patient.wait(0)
    assert caught.value.reason == "slow"
    slow.store.released.release()
    assert list(patient.wait(LONG_S).indexes) == [0]
    assert patient.wait(0) is patient.wait(0)


# The end


def test_a_closed_pool_takes_nothing_more_and_hands_out_what_waits():
    waiting = order()
    pool = pool_with(waiting)
    pool.close()
    assert unavailable(pool, order()) == "closed"
    assert pool.take(**NO_LIMIT) == [waiting]
    assert pool.take(**NO_LIMIT) == []


def test_closing_wakes_who_waits_for_orders():
    pool, taken = pool_with(), [None]
    thread = threading.Thread(target=lambda: taken.extend(pool.take(**NO_LIMIT)))
    thread.start()
    pool.close()
    thread.join(LONG_S)
    assert not thread.is_alive()
    assert taken == [None]


def test_closing_a_log_answers_everybody_who_waits(slow):
    orders = [slow.hand_in(b"being written")]
    in_append(slow)
    orders += [slow.hand_in(entry) for entry in numbered(5)]
    slow.store.released.release(2)
    slow.sequencer.close()
    assert [each.wait(0).indexes[0] for each in orders] == list(range(6))


def test_a_log_that_is_being_closed_says_so(new_log):
    with new_log().open() as log:
        log._sequencer.close()
        with pytest.raises(Unavailable, match="being closed"):
            log.append([b"late"])


# Freezing


def test_nothing_is_in_a_batch_behind_the_order_that_freezes():
    orders = [order(), order(freeze=True), order()]
    pool = pool_with(*orders)
    pool.close()
    batches = [pool.take(**NO_LIMIT) for _ in orders]
    assert [each for batch in batches for each in batch] == orders
    assert orders[1] in [batch[-1] for batch in batches]


def test_a_freeze_is_the_last_entry_whatever_waits_behind_it(slow):
    slow.hand_in(b"being written")
    in_append(slow)
    before = slow.hand_in(b"before")
    last = slow.hand_in(b"last", freeze=True)
    behind = slow.hand_in(b"behind")
    slow.store.released.release(9)
    assert list(before.wait(LONG_S).indexes) == [1]
    assert list(last.wait(LONG_S).indexes) == [2]
    assert last.wait(0).head.frozen
    with pytest.raises(Held, match="has ended, at size 3") as caught:
        behind.wait(LONG_S)
    assert caught.value.state == "frozen"


@pytest.mark.parametrize("kind", ["opaque", "record"])
def test_a_frozen_log_is_frozen_for_ever(new_log, kind):
    live = new_log(kind=kind)
    with live.open() as log:
        live.append(*([b"entry"] if kind == "opaque" else []), log=log)
        own = [freeze("the end")] if kind == "record" else []
        answer = log.submit(own, freeze=True).wait(LONG_S)
        live.saw(answer.checkpoint)
        assert answer.head.frozen
        for _ in range(2):
            with pytest.raises(Held) as caught:
                log.submit([Admitted(None, b"more")]).wait(LONG_S)
            assert caught.value.state == "frozen"
    with live.open() as log:
        assert log.hold.state == "frozen"
        assert (log.head.size, log.head.root) == (
            answer.head.size,
            answer.head.root,
        )
        assert log.checkpoint() == answer.checkpoint
