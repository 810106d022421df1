"""An audit re-hashes every entry of a log and passes if all is as it has to be.

It passes however the log is read: by one process or several, from a folder or
from a server, at once or after an interruption.
"""

import contextlib
import functools
import multiprocessing
import os
import signal

import pytest

from tests.copies import AT, copy_of, opaque, outage, wrapped
from tests.loopback import Server, folder, running
from tests.recordlog import wrapped as wrapped_as
from tests.statements import sign1
from tests.testlog import TestLog
from verifier import Checkpoint, Report, verify_log
from verifier import audit as audits
from verifier.audit import Outcome, audit, note_outcome
from verifier.damage import MAX_FINDINGS, Damage
from verifier.errors import DamagedError, Unavailable
from verifier.hashing import EMPTY_ROOT
from verifier.source import Directory, Url
from verifier.statement import COSE
from verifier.tile import ENTRIES, Tile, encode_entries

SIZES = [0, 1, 255, 256, 257, 65_535, 65_536, 65_537]
LARGE = 131_372


@functools.cache
def copy(kind, size):
    if kind == "record":
        return copy_of(wrapped(AT + number // 3 for number in range(size)))
    return copy_of(opaque(size))


@pytest.mark.parametrize("kind", ["opaque", "record"])
@pytest.mark.parametrize("size", SIZES)
def test_a_true_log_of_any_size_passes(kind, size):
    outcome = copy(kind, size).audit(strict=size < 300)
    assert not outcome.damage
    assert outcome.record == (kind == "record" and size > 0)
    assert outcome.resumed_at == 0
    if outcome.record:
        assert outcome.times == (AT, AT + (size - 1) // 3)
    else:
        assert outcome.times is None


def test_every_tile_is_read_once():
    log = copy("opaque", 65_537)
    log.reads.clear()
    log.audit()
    assert set(log.reads) == set(log.files) - {"checkpoint"}
    assert set(log.reads.values()) == {1}


@pytest.mark.parametrize("kind", ["opaque", "record"])
def test_the_caller_may_say_how_entries_are_read(kind):
    log = copy("record", 257)
    log.reads.clear()
    outcome = log.audit(kind=kind)
    assert not outcome.damage
    assert outcome.record == (kind == "record")
    assert log.reads["tile/entries/000"] == 1


@pytest.mark.parametrize("kind", ["records", "", "Opaque", None])
def test_a_way_to_read_entries_that_there_is_not_is_no_way(kind):
    with pytest.raises(ValueError, match="auto, record, statement, opaque"):
        copy("record", 257).audit(kind=kind)


# For programs


def test_a_log_that_holds_is_told_as_by_an_audit():
    log = copy("record", 257)
    assert verify_log(log, log.checkpoint, strict=True) == log.audit(strict=True)


def test_a_log_that_does_not_hold_raises_with_the_first_finding():
    log = copy("record", 257).flip("tile/0/000", 32).drop("tile/0/001.p/1")
    log = log.put("tile/entries/001.p/1", outage("the log"))
    with pytest.raises(DamagedError, match="3 findings, the first: tile/0/0") as raised:
        verify_log(log, log.checkpoint, kind="record")
    assert raised.value.check == "damage"


def test_a_log_that_nobody_answers_for_neither_holds_nor_does_not():
    log = copy("opaque", 257).put("tile/0/000", outage("the log"))
    with pytest.raises(Unavailable, match="1 findings, the first: tile/0/000: the log"):
        verify_log(log, log.checkpoint)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    log = TestLog(tmp_path_factory.mktemp("log"))
    log.append(*wrapped(AT + number for number in range(LARGE)))
    return log


@pytest.mark.exhaustive
def test_two_processes_find_what_one_finds(large):
    log, checkpoint = Directory(large.folder), large.check()
    alone, watched = audit(log, checkpoint), []
    shared = audit(
        log, checkpoint, processes=2, watch=lambda *done: watched.append(done)
    )
    assert not shared.damage
    assert shared == alone
    assert watched == [(done, LARGE) for done in (0, 65_536, 131_072, LARGE)]


def test_two_processes_find_the_damage_that_one_finds(large, tmp_path):
    spoilt = tmp_path / "log"
    spoilt.mkdir()
    for name in ("checkpoint", "tile"):
        (spoilt / name).symlink_to(large.folder / name)
    (spoilt / "tile").unlink()
    (spoilt / "tile").mkdir()
    for level in ("0", "1", "2"):
        (spoilt / "tile" / level).symlink_to(large.folder / "tile" / level)
    checkpoint = large.check()
    found = [
        audit(Directory(spoilt), checkpoint, processes=processes, kind="record").damage
        for processes in (1, 2)
    ]
    assert found[0] == found[1]
    assert {each.check for each in found[0]} == {"missing"}
    assert len(found[0]) == -(-LARGE // 256)


class Deadly:
    """Ends the process that reads it, unless it is the auditor's own."""

    parallel = 1

    def read(self, path, most):
        if multiprocessing.parent_process() is not None:
            os.kill(os.getpid(), signal.SIGKILL)

    def close(self):
        pass


def test_a_process_that_dies_is_no_finding_and_no_hang():
    checkpoint = Checkpoint(origin="log.example/test", size=LARGE, root=bytes(32))
    [found] = audit(Deadly(), checkpoint, kind="opaque", processes=2).damage
    assert found.check == "unavailable"
    assert "a process of the audit died" in found.says


@pytest.fixture
def served(tmp_path):
    with running(Server()) as server:
        server.behaviours = [folder(tmp_path)]
        with contextlib.closing(Url(server.prefix)) as log:
            yield log


@pytest.mark.parametrize("spoilt", [False, True], ids=["true", "spoilt"])
def test_an_audit_of_a_server_finds_what_one_of_its_folder_finds(
    served, tmp_path, spoilt
):
    log = TestLog(tmp_path)
    log.append(*wrapped(AT + number for number in range(2_700)))
    checkpoint = log.check()
    if spoilt:
        (tmp_path / "tile/0/003").unlink()
        (tmp_path / "tile/entries/006").write_bytes(b"")
    there, here = audit(served, checkpoint), audit(Directory(tmp_path), checkpoint)
    assert sorted(map(repr, there.damage)) == sorted(map(repr, here.damage))
    assert len(there.damage) == 2 * spoilt
    assert there.times == here.times


@pytest.mark.exhaustive
def test_processes_do_not_share_a_connection(served, tmp_path):
    log = TestLog(tmp_path)
    log.append(*opaque(65_536 + 300))
    assert not audit(served, log.check(), processes=2).damage


class Void:
    """Has nothing at all."""

    parallel = 1

    def read(self, path, most):
        return None

    def close(self):
        pass


def test_many_spans_are_put_together_in_their_order():
    size = 6 * 65_536
    checkpoint = Checkpoint(origin="log.example/test", size=size, root=bytes(32))
    damage = audit(Void(), checkpoint, kind="opaque", processes=2).damage
    entry_tiles = [each.path for each in damage if "entries" in each.path]
    assert entry_tiles == [Tile(ENTRIES, index).path() for index in range(6 * 256)]


@pytest.mark.exhaustive
def test_an_audit_gives_up_on_a_log_that_is_not_there():
    spans = 2 * MAX_FINDINGS // 512
    checkpoint = Checkpoint(
        origin="log.example/test", size=spans * 65_536, root=bytes(32)
    )
    watched = []
    *found, last = audit(
        Void(), checkpoint, kind="opaque", watch=lambda *done: watched.append(done)
    ).damage
    assert (last.check, last.path) == ("unavailable", "")
    assert f"given up after {len(found)} findings" in last.says
    assert MAX_FINDINGS < len(found) < 1.1 * MAX_FINDINGS
    assert watched[-1][0] < 0.6 * checkpoint.size


@pytest.mark.parametrize("spoilt", [b"", b"\x00\x01", outage("the log")], ids=repr)
def test_a_first_tile_that_cannot_be_read_is_one_finding(spoilt):
    log = copy("record", 257).put("tile/entries/000", spoilt)
    assert [each.path for each in log.audit().damage] == ["tile/entries/000"]


def test_an_empty_log_with_another_root_is_noticed():
    checkpoint = Checkpoint(origin="log.example/test", size=0, root=bytes(32))
    [found] = audit(copy("opaque", 0), checkpoint).damage
    assert found.check == "root"
    assert EMPTY_ROOT.hex() in found.says


# A source that stops answering


@pytest.mark.parametrize("size", [2_700, 65_536, 65_537], ids=str)
@pytest.mark.parametrize("level", ["entries", "0"])
def test_a_source_that_does_not_answer_ends_the_audit(size, level):
    log = copy("opaque", size)
    for path in log.files:
        if path.startswith(f"tile/{level}/"):
            log = log.put(path, outage(path))
    [found] = log.audit(kind="opaque").damage
    assert found.check == "unavailable"
    assert "no answer; given up after 8" in found.says
    assert sum(log.reads.values()) < 100


def test_a_source_that_does_not_answer_now_and_then_is_asked_on():
    log = copy("opaque", 2_700)
    for number in range(7):
        path = f"tile/0/00{number}"
        log = log.put(path, outage(path))
    outcome = log.audit()
    assert [each.check for each in outcome.damage] == ["unavailable"] * 7


class Shy:
    """Does not answer the first question about the first entries."""

    parallel = 1

    def __init__(self, log, first):
        self._log, self._first = log, first

    def read(self, path, most):
        if path == "tile/entries/000" and self._first:
            first, self._first = self._first, None
            if isinstance(first, Exception):
                raise first
            return None
        return self._log.read(path, most)

    def close(self):
        pass


@pytest.mark.parametrize("first", [outage("the log"), "nothing"], ids=["out", "gone"])
def test_a_record_log_cannot_pass_as_bytes_by_not_answering_at_first(first):
    backwards = copy_of(wrapped([AT, AT + 10, AT + 5] + [AT + 20] * 254))
    try:
        outcome = audit(Shy(backwards, first), backwards.checkpoint)
    except Unavailable:
        return
    assert outcome.damage


class TwoFaced:
    """Answers the first question about the first entries with others."""

    parallel = 1

    def __init__(self, log, lie):
        self._log, self._lie = log, lie

    def read(self, path, most):
        if path == "tile/entries/000" and self._lie:
            lie, self._lie = self._lie, b""
            return lie
        return self._log.read(path, most)

    def close(self):
        pass


@pytest.mark.parametrize("strict", [False, True], ids=["times", "strict"])
def test_a_record_log_cannot_pass_as_bytes_by_answering_differently_at_first(strict):
    backwards = copy_of(wrapped([AT, AT + 10, AT + 5] + [AT + 20] * 254))
    lie = encode_entries([b""] * 256)
    outcome = audit(TwoFaced(backwards, lie), backwards.checkpoint, strict=strict)
    assert [each.check for each in outcome.damage] == ["entry"]
    truth = audit(TwoFaced(backwards, b""), backwards.checkpoint, strict=strict)
    assert truth.record
    assert [each.check for each in truth.damage] == ["time"]


# What is reported


def test_a_report_says_what_was_read_by_an_earlier_run_and_what_holds():
    outcome = Outcome(record=True, damage=[], times=(AT, AT + 9_000), resumed_at=65_536)
    report = Report()
    note_outcome(outcome, 70_000, report)
    resumed, tree, times = report.findings
    assert (resumed.check, resumed.holds) == ("resumed", None)
    assert "the first 65536" in resumed.says
    assert (tree.check, tree.holds) == ("tree", True)
    assert "70000 record entries" in tree.says
    assert times.values == {"first": AT, "last": AT + 9_000}


def test_where_entries_are_bytes_no_time_is_reported():
    report = Report()
    note_outcome(copy("opaque", 257).audit(), 257, report)
    assert [each.check for each in report.findings] == ["tree"]
    assert "257 opaque entries" in report.findings[0].says


def test_damage_is_reported_and_so_is_what_could_not_be_read():
    damage = [
        Damage(check="entry", path="tile/entries/000", says="wrong", indexes=((3, 5),)),
        Damage(check="unavailable", path="tile/0/001", says="no answer"),
    ]
    report = Report()
    with pytest.raises(Unavailable, match="nobody answered: 1"):
        note_outcome(
            Outcome(record=False, damage=damage, times=None, resumed_at=0), 300, report
        )
    [broken] = report.broken
    assert broken.says == "tile/entries/000, entries 3-4: wrong"
    assert [each.check for each in report.findings] == ["unavailable", "entry"]


@pytest.mark.parametrize(
    ("indexes", "places"),
    [
        ((), ""),
        (((11, 12),), ", entry 11"),
        (((3, 6),), ", entries 3-5"),
        (((1, 2), (7, 8)), ", entries 1, 7"),
    ],
    ids=str,
)
def test_entries_are_counted_as_people_count_them(indexes, places):
    damage = Damage(check="entry", path="tile/entries/000", says="no", indexes=indexes)
    report = Report()
    note_outcome(
        Outcome(record=False, damage=[damage], times=None, resumed_at=0), 300, report
    )
    assert report.broken[0].says == f"tile/entries/000{places}: no"


# Its processes; that they leave for real is shown at the terminal's tests


def test_a_worker_leaves_an_interruption_to_its_parent(monkeypatch):
    handled = signal.getsignal(signal.SIGINT)
    try:
        audits._in_worker(os.getppid())
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, handled)


def test_a_worker_whose_parent_is_gone_leaves(monkeypatch):
    left = []
    parents = iter([7, 7, 1])
    monkeypatch.setattr(audits.os, "getppid", lambda: next(parents))
    monkeypatch.setattr(audits.os, "_exit", left.append)
    monkeypatch.setattr(audits.threading.Event, "wait", lambda self, seconds: None)
    audits._leave_with(7)
    assert left == [1]


def test_what_an_earlier_run_has_found_is_said_to_be_from_then():
    found = Damage(check="missing", path="tile/0/000", says="it is not there")
    report = Report()
    outcome = Outcome(record=False, damage=[found], times=None, resumed_at=65_536)
    note_outcome(outcome, 70_000, report)
    assert "until its file is deleted" in report.findings[0].says
    assert [each.check for each in report.broken] == ["missing"]


def test_a_statement_log_holds_statements_and_nothing_else(tmp_path):
    log = TestLog(tmp_path)
    log.append(sign1(), sign1(b"second"), sign1(unprotected={9: 1}), b"third")
    checkpoint = log.check()
    found = audit(Directory(tmp_path), checkpoint, kind="statement")
    assert found.statement
    (wrong,) = found.damage
    assert (wrong.check, wrong.indexes) == ("form", ((3, 4),))
    found = audit(Directory(tmp_path), checkpoint, kind="statement", strict=True)
    assert [each.check for each in found.damage] == ["form", "form"]
    assert [each.indexes for each in found.damage] == [((2, 3),), ((3, 4),)]
    report = Report()
    log = TestLog(tmp_path / "good")
    log.append(sign1(), sign1(b"second"))
    checkpoint = log.check()
    kept = []
    good = audit(
        Directory(tmp_path / "good"),
        checkpoint,
        kind="statement",
        strict=True,
        keep=kept.append,
    )
    note_outcome(good, 2, report)
    assert "2 statement entries" in report.text()
    with pytest.raises(Unavailable, match="other options"):
        audit(Directory(tmp_path / "good"), checkpoint, strict=True, kept=kept[-1])


def test_a_record_logs_statements_are_read_where_forms_are_looked_at(tmp_path):
    log = TestLog(tmp_path)
    log.append(wrapped_as(sign1(), 0, type=COSE), wrapped_as(b"junk", 1, type=COSE))
    checkpoint = log.check()
    assert not audit(Directory(tmp_path), checkpoint).damage
    (found,) = audit(Directory(tmp_path), checkpoint, strict=True).damage
    assert (found.check, found.indexes) == ("form", ((1, 2),))
