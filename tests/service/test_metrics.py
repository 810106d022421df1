"""What any process counts is what /metrics says: no more, no less, and for good."""

import json
import math
import sys
import threading
from collections import Counter
from functools import partial

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families as families

from ledger.metrics import (
    BATCH_ENTRIES,
    BATCHES,
    CONNECTIONS,
    HELD,
    METRICS,
    REFUSALS,
    REQUEST_SECONDS,
    REQUESTS,
)
from ledger.metrics.counts import MAX_SERIES, Counts

COUNTERS = [each for each in METRICS if each.kind == "counter"]
GAUGES = {each.name for each in METRICS if each.kind == "gauge"}


def told(counts):
    """Every sample that the text has: its name and labels, and its value."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in families(counts.render().decode())
        for sample in family.samples
    }


def value(counts, name, **labels):
    """What the text says of one sample, if it has it."""
    return told(counts).get((f"provlog_{name}", *sorted(labels.items())))


def kept(counts):
    """The samples that cannot go down."""
    return {key: value for key, value in told(counts).items() if key[0] not in GAUGES}


def wired(rows):
    """The rows, as they come out at the other end of a wire."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(rows))


# What is declared


@pytest.mark.parametrize("metric", METRICS, ids=lambda each: each.name)
def test_a_name_says_whose_it_is_and_what_it_counts(metric):
    assert metric.name.startswith("provlog_")
    assert [each.name for each in METRICS].count(metric.name) == 1
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert metric.says.endswith(".")
    assert (metric.kind == "histogram") == bool(metric.buckets)
    assert list(metric.buckets) == sorted(set(metric.buckets))


def test_the_text_has_every_metric_with_its_kind_and_its_sentence():
    shown = families(Counts().render().decode())
    assert [(each.type, each.documentation) for each in shown] == [
        (each.kind, each.says) for each in METRICS
    ]


# What is counted


def test_what_never_happened_is_0_and_what_nobody_has_measured_is_not_there():
    counts = Counts()
    assert value(counts, "batches_total") == value(counts, "batch_entries_count") == 0
    assert not [key for key in told(counts) if key[0] in GAUGES]


def test_a_counter_is_told_by_its_labels():
    counts = Counts()
    counts.add(REQUESTS, 1, "/v1/records", "201")
    counts.add(REQUESTS, 4, "/v1/records", "201")
    counts.add(REQUESTS, 1, "/v1/records", "409")
    assert value(counts, "requests_total", route="/v1/records", status="201") == 5
    assert value(counts, "requests_total", route="/v1/records", status="409") == 1


def test_a_gauge_is_what_it_was_set_to_last():
    counts = Counts()
    for now in (1, 0):
        counts.set(HELD, now, "full")
        assert value(counts, "held", state="full") == now


@pytest.mark.parametrize("seen", [0, 1, 2, 4, 5, 16_384, 16_385])
def test_an_observation_is_in_its_bucket_and_in_all_larger_ones(seen):
    counts = Counts()
    counts.observe(BATCH_ENTRIES, seen)
    for bound in (*BATCH_ENTRIES.buckets, math.inf):
        le = str(bound).replace("inf", "+Inf")
        assert value(counts, "batch_entries_bucket", le=le) == (seen <= bound), bound
    assert value(counts, "batch_entries_count") == 1
    assert value(counts, "batch_entries_sum") == seen


@pytest.mark.exhaustive
def test_threads_lose_nothing(request):
    # They take turns as often as they can.
    request.addfinalizer(partial(sys.setswitchinterval, sys.getswitchinterval()))
    sys.setswitchinterval(1e-6)
    counts, into = Counts(), Counts()

    def work():
        for _ in range(20_000):
            counts.add(BATCHES)
            counts.observe(BATCH_ENTRIES, 1)
            counts.set(HELD, 1, threading.current_thread().name)

    threads = [threading.Thread(target=work, name=f"t{at}") for at in range(4)]
    for each in threads:
        each.start()
    while any(each.is_alive() for each in threads):
        into.merge(counts.take(), "threads")
        counts.render()
    into.merge(counts.take(), "threads")
    for each in (counts, into):
        assert value(each, "batches_total") == 80_000
        assert value(each, "batch_entries_count") == 80_000


# What cannot be counted


def test_a_metric_is_counted_as_its_kind_with_its_labels():
    counts = Counts()
    for wrong in (
        lambda: counts.add(HELD, 1, "full"),
        lambda: counts.set(BATCHES, 1),
        lambda: counts.observe(BATCHES, 1),
        lambda: counts.add(REQUESTS, 1, "/v1/records"),
        lambda: counts.add(REQUESTS, 1, "/v1/records", 201),
        lambda: counts.set(HELD, 1),
        lambda: counts.add(REFUSALS, 1, "\udcff"),
    ):
        with pytest.raises(TypeError, match="its labels are"):
            wrong()
    assert told(counts) == told(Counts())


@pytest.mark.exhaustive
def test_labels_without_end_are_counted_together_and_take_no_memory():
    counts, into = Counts(), Counts()
    for at in range(MAX_SERIES + 50):
        counts.add(REFUSALS, 1, f"check-{at}")
        counts.set(HELD, 1, f"state-{at}")
        into.merge([("provlog_refusals_total", [f"check-{at}"], [1])], "one")
    for each in (counts, into):
        refusals = [key for key in told(each) if "refusals" in key[0]]
        assert len(refusals) == MAX_SERIES + 1
        assert value(each, "refusals_total", check="other") == 50
    assert sum(key[0] == "provlog_held" for key in told(counts)) == MAX_SERIES + 1


# Several processes


@pytest.mark.parametrize(
    "wire", [wired, lambda rows: json.loads(json.dumps(rows))], ids=["msgpack", "JSON"]
)
def test_what_is_taken_is_what_is_merged_whatever_brings_it(wire):
    counts, into = Counts(), Counts()
    counts.add(REQUESTS, 3, "/v1/records", "201")
    counts.observe(REQUEST_SECONDS, 0.004, "/v1/records")
    counts.set(CONNECTIONS, 12)
    into.merge(wire(counts.take()), "one")
    assert told(into) == told(counts)


def test_nothing_is_taken_twice_and_what_was_taken_is_still_shown():
    counts = Counts()
    counts.add(BATCHES)
    assert (len(counts.take()), len(counts.take())) == (1, 0)
    assert value(counts, "batches_total") == 1


def test_gauges_of_several_sources_add_up_and_the_last_word_of_each_counts():
    into = Counts()
    into.set(CONNECTIONS, 100)
    for source, now in (("one", 5), ("two", -7), ("one", 1)):
        into.merge([("provlog_connections", [], [now])], source)
    assert value(into, "connections") == 100 - 7 + 1
    into.merge([], "two")
    assert value(into, "connections") == 100 + 1


def test_a_source_that_is_forgotten_takes_its_gauges_with_it_and_no_count():
    counts, into = Counts(), Counts()
    counts.add(BATCHES, 3)
    counts.observe(BATCH_ENTRIES, 9)
    counts.set(CONNECTIONS, 12)
    into.merge(counts.take(), "one")
    before = kept(into)
    into.forget("one")
    into.forget("never seen")
    assert kept(into) == before
    assert value(into, "connections") is None


WRONG: dict[str, object] = {
    "no metric": ("provlog_nothing_total", [], [1]),
    "less than nothing": ("provlog_batches_total", [], [-1]),
    "not a number": ("provlog_batches_total", [], [math.nan]),
    "more than any": ("provlog_batches_total", [], [10**400]),
    "too many numbers": ("provlog_batches_total", [], [1, 1]),
    "too few numbers": ("provlog_batch_entries", [], [1]),
    "nothing for a gauge": ("provlog_connections", [], [None]),
    "a label too many": ("provlog_batches_total", ["label"], [1]),
    "a label that is no text": ("provlog_held", [7], [1]),
    "no row": None,
}


@pytest.mark.parametrize("row", WRONG.values(), ids=WRONG)
def test_a_process_that_has_gone_wrong_spoils_nothing(row):
    into = Counts()
    into.merge([("provlog_connections", [], [7])], "one")
    before = told(into)
    with pytest.raises(ValueError, match="no row of metrics"):
        into.merge([("provlog_batches_total", [], [1]), row], "one")
    assert told(into) == before


SOURCES = st.integers(0, 2)
STEPS = st.one_of(
    st.tuples(SOURCES, st.just("add"), st.sampled_from(COUNTERS), st.integers(0, 9)),
    st.tuples(SOURCES, st.just("observe"), st.just(BATCH_ENTRIES), st.integers(0, 99)),
    st.tuples(SOURCES, st.just("set"), st.just(CONNECTIONS), st.integers(0, 99)),
    st.tuples(SOURCES, st.sampled_from(["take", "end"]), st.none(), st.none()),
)


@pytest.mark.exhaustive
@given(st.lists(STEPS, max_size=40))
def test_in_any_order_nothing_is_lost_nothing_told_twice_and_nothing_goes_down(steps):
    into, sources = Counts(), [Counts() for _ in range(3)]
    one, before = Counts(), kept(into)  # one: what a single process would have counted
    for at, what, metric, number in steps:
        if metric:
            labels = ("word",) * len(metric.labels)
            getattr(sources[at], what)(metric, number, *labels)
            getattr(one, what)(metric, number, *labels)
        else:
            into.merge(wired(sources[at].take()), f"source {at}")
            if what == "end":
                into.forget(f"source {at}")
                sources[at] = Counts()
        after = kept(into)
        assert all(after[key] >= number for key, number in before.items())
        before = after
    for at, source in enumerate(sources):
        into.merge(wired(source.take()), f"source {at}")
    assert Counter(kept(into)) == Counter(kept(one))
    now = [value(each, "connections") or 0 for each in sources]
    assert (value(into, "connections") or 0) == sum(now)
