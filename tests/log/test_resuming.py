"""A clock that was set holds the writing until a person has looked, and nothing else.

Times never go back, whatever the clock does.
"""

import os

import pytest

from ledger.errors import Held, Unavailable
from ledger.log.resuming import NAME, confirm, confirmed_ms
from ledger.store import Batch
from tests.livelog import FIRST
from tests.log.fakes import NOW_MS, SetClock, body, head_of, spoil_next
from verifier.entry import entry_time

DAY_MS = 86_400_000


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
def live(new_log, clock):
    """A record log whose newest entry is of NOW_MS."""
    live = new_log(kind="record", clock=clock)
    live.append(body(0))
    return live


def times(log):
    return [entry_time(each) for each in log.reading.entries(0, log.head.size)]


def held(log, number=99):
    with pytest.raises(Held) as caught:
        log.append([body(number)])
    assert caught.value.state == "clock"
    assert log.hold.state == "clock"
    assert log.hold.mend
    return str(caught.value)


# While it runs


def test_each_batch_has_the_time_at_which_it_is_made(live, clock):
    with live.open() as log:
        for number in (1, 2, 3):
            clock.go_on(1_000)
            live.append(body(number), log=log)
        later = [NOW_MS + n * 1_000 for n in (1, 2, 3)]
        assert times(log) == [*[NOW_MS] * (FIRST + 1), *later]
        assert log.head.at == clock.wall_ms


def test_in_the_same_millisecond_the_same_time_is_given(live, clock):
    with live.open() as log:
        live.append(body(1), log=log)
        live.append(body(2), log=log)
        assert set(times(log)) == {NOW_MS}


@pytest.mark.parametrize("back_ms", [1, 1_000, 5_000])
def test_a_small_step_back_repeats_the_time_before(live, clock, back_ms):
    with live.open() as log:
        clock.wall_ms -= back_ms
        live.append(body(1), log=log)
        assert times(log)[-1] == NOW_MS
        clock.go_on(back_ms + 7)
        live.append(body(2), log=log)
        assert times(log)[-1] == NOW_MS + 7


@pytest.mark.parametrize("step_ms", [5_001, -5_001, 3_600_000, -10 * DAY_MS])
def test_a_larger_step_holds_the_writing_and_keeps_the_reading(live, clock, step_ms):
    with live.open() as log:
        before = head_of(log.store)
        clock.wall_ms += step_ms
        assert f"{step_ms / 1_000:+.0f} s" in held(log)
        assert held(log)
        assert head_of(log.store) == before == log.head
        assert log.reading.entry(1)
        assert log.checkpoint()
        clock.wall_ms -= step_ms


@pytest.mark.parametrize("step_ms", [5_000, -5_000])
def test_a_step_of_five_seconds_does_not(live, clock, step_ms):
    with live.open() as log:
        clock.wall_ms += step_ms
        live.append(body(1), log=log)


def test_time_that_passes_in_sleep_is_no_step(live, clock):
    with live.open() as log:
        clock.go_on(30 * DAY_MS)
        live.append(body(1), log=log)


def test_it_is_told_once_when_it_begins(live, clock, caplog):
    with live.open() as log:
        clock.wall_ms += 10_000
        for _ in range(3):
            held(log)
    told = [each for each in caplog.records if "clock_held" in each.message]
    assert [each.levelname for each in told] == ["ERROR"]


def test_a_clock_that_is_set_right_again_goes_on_by_itself(live, clock):
    with live.open() as log:
        clock.wall_ms += 3_600_000
        held(log)
        clock.wall_ms -= 3_600_000
        live.append(body(1), log=log)
        assert log.hold is None
        assert times(log)[-1] == NOW_MS


@pytest.mark.parametrize("step_ms", [3_600_000, -3_600_000])
def test_after_a_person_has_looked_it_goes_on(live, clock, step_ms):
    with live.open() as log:
        clock.wall_ms += step_ms
        held(log)
        log.resume()
        live.append(body(1), log=log)
        clock.go_on(1_000)
        live.append(body(2), log=log)
        assert log.hold is None
        assert times(log) == sorted(times(log))
        assert times(log)[-1] == max(clock.wall_ms, NOW_MS)
    clock.wall_ms = max(clock.wall_ms, NOW_MS)


def test_a_person_has_looked_at_one_step_and_not_at_the_next(live, clock):
    with live.open() as log:
        clock.wall_ms += 10_000
        held(log)
        log.resume()
        live.append(body(1), log=log)
        clock.wall_ms += 10_000
        held(log)


def test_the_word_of_a_person_is_not_used_up_by_a_repeat(live, clock):
    with live.open() as log:
        clock.wall_ms += 10_000
        held(log)
        log.resume()
        assert live.append(body(0), log=log).repeated
        live.append(body(1), log=log)


def test_the_word_of_a_person_is_not_used_up_by_a_batch_that_was_refused(live, clock):
    def wrong(batch: Batch) -> Batch:
        raise Unavailable("full", "the disk is full")

    with live.open() as log:
        clock.wall_ms += 10_000
        held(log)
        log.resume()
        spoil_next(log.store, wrong)
        with pytest.raises(Unavailable):
            log.append([body(1)])
        live.append(body(1), log=log)


# At the start


@pytest.mark.parametrize("back_ms", [0, 1, 5_000])
def test_a_clock_that_is_hardly_behind_starts(live, clock, back_ms):
    clock.wall_ms -= back_ms
    with live.open() as log:
        live.append(body(1), log=log)
        assert times(log)[-1] == NOW_MS


@pytest.mark.parametrize("back_ms", [5_001, DAY_MS, NOW_MS])
def test_a_clock_before_the_newest_entry_holds(live, clock, back_ms):
    clock.wall_ms -= back_ms
    with live.open() as log:
        assert "before the newest entry" in held(log)
        log.resume()
        assert held(log)
        assert log.checkpoint()
    clock.wall_ms += back_ms
    with live.open() as log:
        assert log.hold is None


def test_confirming_it_mends_and_times_do_not_go_back(live, clock):
    clock.wall_ms -= DAY_MS
    confirm(live.folder, clock.wall_ms)
    for number in (1, 2):
        clock.go_on(1_000)
        with live.open() as log:
            live.append(body(number), log=log)
            assert set(times(log)) == {NOW_MS}


def test_a_clock_that_goes_back_behind_the_confirmation_is_doubted_again(live, clock):
    clock.wall_ms -= DAY_MS
    confirm(live.folder, clock.wall_ms)
    clock.wall_ms -= 1
    with live.open() as log:
        held(log)


@pytest.mark.parametrize(
    ("ahead_ms", "warned"),
    [(7 * DAY_MS, False), (7 * DAY_MS + 1, True), (8 * DAY_MS, True)],
    ids=["seven days", "more", "eight"],
)
def test_a_clock_more_than_seven_days_ahead_is_a_warning(
    live, clock, caplog, ahead_ms, warned
):
    clock.go_on(ahead_ms)
    with live.open() as log:
        assert log.hold is None
    told = [each for each in caplog.records if "clock_ahead" in each.message]
    assert [each.levelname for each in told] == ["WARNING"] * warned


def test_an_empty_log_is_of_no_time(new_log, clock, caplog):
    live = new_log(clock=clock)
    clock.go_on(1_000 * DAY_MS)
    with live.open() as log:
        assert log.hold is None
    assert "clock_ahead" not in caplog.text


@pytest.mark.parametrize(("days", "holds"), [(29, False), (30, True), (31, True)])
def test_it_holds_when_it_was_told_to(new_log, clock, days, holds):
    live = new_log(clock=clock, settings="hold_when_ahead_days = 30\n")
    live.append(b"entry")
    clock.go_on(days * DAY_MS)
    with live.open() as log:
        assert (log.hold and log.hold.state) == ("clock" if holds else None)
    confirm(live.folder, clock.wall_ms)
    with live.open() as log:
        assert log.hold is None
        live.append(b"another", log=log)


# What a person has said


def test_what_was_confirmed_is_read_again(tmp_path):
    assert confirmed_ms(tmp_path) == 0
    for now_ms in (NOW_MS, NOW_MS - 1, 2**53):
        confirm(tmp_path, now_ms)
        assert confirmed_ms(tmp_path) == now_ms


@pytest.mark.parametrize("data", [b"", b"-5", b"soon", b"\xff", b"1e9", b"1 2"])
def test_what_nobody_can_have_confirmed_counts_for_nothing(tmp_path, data):
    (tmp_path / NAME).write_bytes(data)
    assert confirmed_ms(tmp_path) == 0


def test_a_pipe_in_its_place_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / NAME)
    assert confirmed_ms(tmp_path) == 0
