"""Every checkpoint that was published can be had again, and none that was not ours.

What is kept of them is a follower of the log: any part of it may be lost, torn or put
there by somebody else, and the log is served all the same, and keeps what comes next.
"""

import struct

import pytest

from ledger.log.published import NAME
from ledger.publish.kept import Kept
from tests.livelog import LiveLog
from verifier.checkpoint import Checkpoint
from verifier.note import Note
from verifier.receipt import Receipt
from verifier.receipt.line import signed_kind

ROW = 24


class Published:
    """A log with checkpoints of some sizes, as they are kept."""

    def __init__(self, live, sizes):
        self.live = live
        self.notes = {}
        with live.open() as log:
            self.kept = Kept(live.folder, log.keys, log.charter.origin)
            for size in sizes:
                log.append([b"entry %d" % n for n in range(log.head.size, size)])
                self.notes[size] = self.kept.plain(log.checkpoint(time=1_790_000_000))
                self.kept.add(size, self.notes[size], 1_790_000_000)
            log.append([b"more"])
            self.next = self.kept.plain(log.checkpoint(time=1_790_000_001))
        self.sizes = live.folder / NAME / "sizes"
        self.file = live.folder / NAME / "notes"

    def found(self):
        """The sizes of which there is a checkpoint, each of which is the right one."""
        found = {size: self.kept.of_size(size) for size in self.notes}
        assert all(note in (None, self.notes[size]) for size, note in found.items())
        return [size for size, note in found.items() if note]

    def go_on(self):
        """Keep one more; it is there, and the newest."""
        size = Checkpoint.parse(Note.parse(self.next).text).size
        self.kept.add(size, self.next, 1_790_000_001)
        assert self.kept.of_size(size) == self.next
        assert self.kept.newest(most=size) == self.next


@pytest.fixture
def published(new_log):
    return Published(new_log(), [1, 2, 5])


def test_each_is_found_by_its_size_and_others_are_not(published):
    assert published.found() == [1, 2, 5]
    assert published.kept.of_size(3) is published.kept.of_size(99) is None
    assert published.kept.newest(most=4) == published.notes[2]
    published.go_on()
    assert published.found() == [1, 2, 5]


@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.exhaustive)])
def test_a_file_that_was_cut_anywhere_has_those_that_are_whole(published, step):
    rows, notes = published.sizes.read_bytes(), published.file.read_bytes()
    ends = [row[1] for row in struct.iter_unpack(">QQQ", rows)]
    for file, length in [(published.sizes, len(rows)), (published.file, len(notes))]:
        for stop in range(0, length, step):
            published.sizes.write_bytes(rows)
            published.file.write_bytes(notes)
            file.write_bytes(file.read_bytes()[:stop])
            whole = (
                stop // ROW
                if file == published.sizes
                else sum(end <= stop for end in ends)
            )
            assert published.found() == [1, 2, 5][:whole]
            assert published.kept.newest(most=9) == (
                published.notes[[1, 2, 5][whole - 1]] if whole else None
            )
            published.go_on()
            assert published.found() == [1, 2, 5][:whole]


@pytest.mark.parametrize(
    "row",
    [bytes(ROW), b"\xff" * ROW, struct.pack(">QQQ", 9, 1, 0)],
    ids=["zeros", "ones", "an_end_before_its_start"],
)
def test_a_row_that_the_disk_has_made_up_is_no_checkpoint(published, row):
    with open(published.sizes, "ab") as file:
        file.write(row)
    published.kept.of_size((1 << 64) - 1)
    assert published.kept.newest(most=9) == published.notes[5]
    published.go_on()
    assert published.found() == [1, 2, 5]


def test_a_note_without_its_row_does_not_spoil_the_next(published):
    with open(published.file, "ab") as file:
        file.write(published.notes[5])  # a crash came before the row
    published.go_on()
    assert published.found() == [1, 2, 5]


def test_any_changed_byte_of_a_note_takes_that_one_away_and_no_other(published):
    notes = published.file.read_bytes()
    start, note = len(published.notes[1]), published.notes[2]
    # By another name or id the line for COSE receipts is nobody's: all pass over it.
    foreign = range(note.rindex("\u2014 ".encode()), note.rindex(b" ") + 7)
    for at in range(len(note)):
        if at in foreign:
            continue
        changed = bytearray(notes)
        changed[start + at] ^= 1
        published.file.write_bytes(changed)
        assert published.found() == [1, 5]


def test_a_changed_name_of_the_line_for_cose_receipts_makes_it_nobodys(published):
    notes, (key,) = published.file.read_bytes(), published.live.policy.logs
    published.file.write_bytes(
        notes.replace(b" log.example/live ", b" log.example/lies ")
    )
    assert published.found() == []
    at = len(published.notes[1]) + published.notes[2].rindex(b"live")
    published.file.write_bytes(notes[:at] + b"lies" + notes[at + 4 :])
    left = Note.parse(published.kept.of_size(2))
    assert signed_kind(left, [key]) is None
    assert published.live.saw(left.encode()).size == 2


def test_what_another_log_has_published_is_not_believed(published, tmp_path):
    other = Published(LiveLog(tmp_path / "other"), range(1, 30))
    published.sizes.write_bytes(other.sizes.read_bytes())
    published.file.write_bytes(other.file.read_bytes())
    assert published.found() == []
    assert published.kept.newest(most=99) is None
    published.go_on()


@pytest.mark.exhaustive
def test_receipts_for_all_that_was_published_are_there_after_a_restart(
    new_service, new_log
):
    live = new_log(settings="publish_interval_ms = 1\n")
    service = new_service(live, workers=1)
    published = set()
    for number in range(6):
        service.submit(b"entry %d" % number)
        service.until(lambda size=number + 1: shown(service) >= size)
        published.add(shown(service))
    service.stop()
    again = new_service(live, workers=1)
    for size in published:
        answer = again.get(f"/v1/receipts/0/{size}")
        assert answer.status == 200
        assert live.saw(Receipt.parse(answer.body).checkpoint).size == size
    assert again.get("/v1/receipts/0/7").status == 404


def shown(service):
    """The size that /checkpoint has."""
    return service.live.saw(service.get("/checkpoint").body).size


def test_a_folder_that_cannot_be_used_keeps_nobody_from_logging(new_service, new_log):
    live = new_log()
    (live.folder / NAME).write_bytes(b"no folder")
    service = new_service(live, workers=1)
    assert service.submit(b"entry").status == 201
    assert "publish_failed" in service.said()
    (live.folder / NAME).unlink()
    service.until(lambda: "published_again" in service.said())
    assert shown(service) == 1


def test_a_tree_that_has_not_grown_is_published_again_when_it_is_time(new_service):
    service = new_service(settings="publish_interval_ms = 10\nrepublish_s = 1\n")
    service.submit(b"entry")
    service.until(lambda: shown(service) == 1)
    first = service.get("/checkpoint").body
    service.until(lambda: service.get("/checkpoint").body != first, within_s=5)
    assert shown(service) == 1
    text = Note.parse(first).text
    assert Note.parse(service.get("/checkpoint").body).text == text
