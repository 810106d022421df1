"""An audit that was interrupted goes on where it was, and finds what it would have.

The log has two full spans and a part of a third. What is kept is the auditor's
own file: whatever is wrong with it says nothing about the log.
"""

import functools
import json
import sys
from dataclasses import replace

import pytest

from tests.copies import AT, copy_of, outage, wrapped
from verifier.audit import audit
from verifier.errors import GrowthError, Unavailable
from verifier.levels import Levels
from verifier.progress import Progress, load, save
from verifier.span import SPAN, Reading, check_span

SIZE = 2 * SPAN + 300


@functools.cache
def entries():
    return wrapped(AT + 7 * number for number in range(SIZE + 3_000))


@functools.cache
def true():
    return copy_of(entries()[:SIZE])


@functools.cache
def grown():
    return copy_of(entries())


class Stop(Exception):
    """Somebody has interrupted."""


def interrupted(copy, spans, **options):
    """What is kept of an audit of `copy` that is stopped after so many spans."""
    kept = []

    def watch(done, _):
        if done >= spans * SPAN:
            raise Stop

    with pytest.raises(Stop):
        copy.audit(keep=kept.append, watch=watch, **options)
    return kept[-1]


def finished(copy, **options):
    """What is kept of an audit of `copy` that runs to its end."""
    kept = []
    copy.audit(keep=kept.append, **options)
    return kept[-1]


@functools.cache
def true_progress():
    return finished(true())


def spans_read(copy):
    """The spans whose entries were read."""
    paths = [path for path in copy.reads if path.startswith("tile/entries/")]
    return {int(path.split("/")[2].split(".")[0]) // 256 for path in paths}


@pytest.mark.parametrize("spans", [1, 2])
@pytest.mark.parametrize("processes", [1, 2])
def test_an_interrupted_audit_goes_on_and_reads_only_the_rest(spans, processes):
    kept = interrupted(true(), spans)
    copy = true().take(true())
    outcome = copy.audit(kept=kept, processes=processes)
    assert not outcome.damage
    assert outcome.times == (AT, AT + 7 * (SIZE - 1))
    assert outcome.resumed_at == spans * SPAN
    if processes == 1 or spans == 2:
        assert spans_read(copy) == set(range(spans, 3))


def test_a_finished_audit_of_the_same_log_reads_its_edge_again():
    copy = true().take(true())
    outcome = copy.audit(kept=true_progress())
    assert not outcome.damage
    assert outcome.times == (AT, AT + 7 * (SIZE - 1))
    assert spans_read(copy) == {2}


def test_a_log_that_has_grown_is_read_from_the_edge_on():
    copy = grown().take(grown())
    outcome = copy.audit(kept=true_progress())
    assert not outcome.damage
    assert outcome.times == (AT, AT + 7 * (SIZE + 2_999))
    assert spans_read(copy) == {2}


def test_damage_found_before_the_interruption_is_kept():
    spoilt = true().flip("tile/0/003").drop("tile/entries/300", "tile/0/512")
    kept = interrupted(spoilt, 2)
    whole, rest = spoilt.audit(), spoilt.audit(kept=kept)
    assert rest.damage == whole.damage
    assert [each.path for each in rest.damage] == [
        "tile/0/003",
        "tile/entries/300",
        "tile/0/512",
    ]


def test_damage_at_the_edge_is_not_kept_since_the_edge_is_read_again():
    kept = finished(true().drop("tile/0/512"))
    assert not true().audit(kept=kept).damage


def test_a_source_that_stops_answering_can_be_resumed():
    dead = true().take(true())
    for number in range(8):
        path = f"tile/entries/{300 + number}"
        dead = dead.put(path, outage(path))
    kept = []
    [found] = dead.audit(keep=kept.append).damage
    assert "given up" in found.says
    outcome = true().audit(kept=kept[-1])
    assert not outcome.damage
    assert outcome.resumed_at == SPAN


@pytest.mark.parametrize("kind", ["auto", "record"])
def test_what_the_first_entry_said_is_kept_and_not_asked_again(kind):
    kept = finished(true())
    assert json.loads(kept)["record"] is True
    lying = true().put("tile/entries/000", b"")
    outcome = lying.audit(kept=kept, kind=kind)
    assert outcome.record
    assert not outcome.damage


def test_where_no_span_is_done_the_kind_is_not_known_yet():
    dead = true().put("tile/entries/000", KeyboardInterrupt())
    kept = []
    with pytest.raises(KeyboardInterrupt):
        dead.audit(keep=kept.append)
    assert json.loads(kept[-1])["record"] is None
    assert true().audit(kept=kept[-1]).record


def test_what_was_not_answered_once_is_asked_again():
    kept = []
    lame = true().put("tile/0/003", outage("tile/0/003"))
    assert lame.audit(keep=kept.append).damage
    outcome = true().audit(kept=kept[-1] if kept else None)
    assert not outcome.damage


@pytest.mark.parametrize("path", ["tile/0/005", "tile/1/001", "tile/2/000.p/2"])
def test_wherever_somebody_interrupts_no_half_of_a_span_is_kept(path):
    kept = []
    with pytest.raises(KeyboardInterrupt):
        true().put(path, KeyboardInterrupt()).audit(keep=kept.append)
    assert not true().audit(kept=kept[-1]).damage


def interrupting(at):
    """A tracer that interrupts at line number `at` of what the verifier executes."""
    lines = 0

    def trace(frame, event, _):
        nonlocal lines
        if not frame.f_globals.get("__name__", "").startswith("verifier."):
            return None
        if event == "line":
            lines += 1
            if lines == at:
                raise KeyboardInterrupt
        return trace

    return trace


def test_an_interruption_at_any_line_leaves_a_whole_span_or_none_of_it():
    log = true()
    reading = Reading(source=log, size=SIZE, record=True, strict=False)
    spans = [check_span(reading, number) for number in (0, 1)]
    covered = set()
    for at in range(1, 10_000):
        progress = Progress(record=True)
        tree = Levels(reading, progress)
        tree.add(replace(spans[0]))
        tracer = sys.gettrace()
        sys.settrace(interrupting(at))
        try:
            tree.add(replace(spans[1]))
            break
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(tracer)
        kept = load(save(progress, log.checkpoint, reading), log.checkpoint, reading)
        covered.add(kept.spans)
        assert kept.times == (AT, AT + 7 * (kept.spans * SPAN - 1))
        assert kept.roots == progress.roots
    assert at > 10
    assert 1 in covered


def test_progress_is_kept_from_time_to_time(monkeypatch):
    monkeypatch.setattr(sys.modules["verifier.audit"], "SAVE_EVERY", 1)
    kept = []
    true().audit(keep=kept.append)
    covered = [len(json.loads(each)["roots"]) // 64 for each in kept]
    assert sorted(set(covered)) == [1, 2]


def test_history_rewritten_behind_the_audit_is_found():
    other = [*entries()[:99], b"rewritten", *entries()[100:SIZE]]
    rewritten = copy_of(other)
    found = rewritten.audit(kept=true_progress(), kind="record").damage
    assert [(each.check, each.indexes) for each in found] == [("tile", ((0, SPAN),))]


# A progress file that cannot be used


def changed(**members):
    return json.dumps(json.loads(true_progress()) | members).encode()


@pytest.mark.parametrize(
    "kept",
    [
        b"",
        b"x",
        b"{}",
        b"[]",
        b"7",
        b"\xff",
        b'{"schema": "provlog/audit/1", "origin": "log.exa',
        b"[" * 100_000,
        {"roots": "zz"},
        {"roots": 7},
        {"roots": "00" * 33},
        {"schema": "provlog/audit/2"},
        {"record": "auto"},
        {"record": 7},
        {"times": 7},
        {"times": ["early", "late"]},
        {"times": [1]},
        {"damage": 7},
        {"damage": ["x"]},
        {"damage": [{}]},
        {"damage": [{"check": "form", "path": "a", "says": "b", "indexes": [1]}]},
    ],
    ids=lambda kept: repr(kept)[:30],
)
def test_a_damaged_progress_file_is_no_finding(kept):
    if isinstance(kept, dict):
        kept = changed(**kept)
    with pytest.raises(Unavailable, match="not the progress of an audit"):
        true().audit(kept=kept)


def test_the_progress_of_another_log_is_refused():
    with pytest.raises(Unavailable, match="of another log"):
        true().audit(kept=changed(origin="log.example/another"))


@pytest.mark.parametrize("options", [{"kind": "opaque"}, {"strict": True}], ids=repr)
def test_the_progress_of_an_audit_with_other_options_is_refused(options):
    with pytest.raises(Unavailable, match="with other options"):
        true().audit(kept=true_progress(), **options)


def test_a_log_that_has_shrunk_is_noticed():
    small = copy_of(entries()[:300])
    with pytest.raises(GrowthError, match="has shrunk"):
        audit(small, small.checkpoint, kept=true_progress())
