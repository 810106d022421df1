"""A monitor tells once when a log begins to misbehave, and once when that ends.

Split views, rewriting, truncation, withheld and altered entries, a stale view, a
replayed head: each is performed on a log that is well, and told within one round.
"""

import pytest

from tests.monitor.watching import NOW, Watching
from tests.testlog import LOG, TestLog, checkpoint_text, note, policy_text
from verifier import Policy, Report
from verifier.errors import Unavailable
from verifier.misbehaviour import Misbehaviour, verify_misbehaviour
from verifier.source import Directory


def log(folder, count, word="entry", same=0):
    """A log of `count` entries, whose first `same` are those of any other one."""
    made = TestLog(folder)
    words = ["entry"] * same + [word] * (count - same)
    made.append(*(f"{each} {at}".encode() for at, each in enumerate(words)))
    return made


@pytest.fixture
def made(tmp_path):
    return log(tmp_path / "log", 600)


def show(made, other):
    """From now on `made` shows what `other` has."""
    for path in other.folder.rglob("*"):
        if path.is_file():
            name = path.relative_to(other.folder).as_posix()
            made.write_file(name, path.read_bytes())


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 512, 600])
def test_a_log_that_is_well_is_no_news(tmp_path, size):
    made = log(tmp_path / "log", size)
    watching = Watching(made, tmp_path)
    for _ in range(2):
        outcome = watching.round()
        assert not outcome.report.broken
        assert not outcome.trouble
        made.append(b"one more")
    assert watching.told() == []
    assert watching.state.looked == size + 1


def test_two_full_levels_are_held_against_the_root(tmp_path):
    made = log(tmp_path / "log", 65_536 + 300)
    watching = Watching(made, tmp_path, reread=300 * 256)
    assert not watching.round().report.broken
    spoil(made, "tile/1/000")
    watching.round()
    assert watching.told() == ["started altered"]


def spoil(made, path, at=5):
    """Change one byte of a file that the log serves; return what it was."""
    before = (made.folder / path).read_bytes()
    changed = bytearray(before)
    changed[at] ^= 1
    made.write_file(path, bytes(changed))
    return before


# Withholding and altering


@pytest.mark.parametrize("path", ["tile/entries/000", "tile/entries/002.p/88"])
@pytest.mark.parametrize("first", [True, False], ids=["at first", "later"])
def test_entries_that_are_withheld_are_told_within_one_round(
    made, tmp_path, path, first
):
    watching = Watching(made, tmp_path)
    if not first:
        watching.round()
    data = (made.folder / path).read_bytes()
    (made.folder / path).unlink()
    watching.round()
    watching.round()
    assert watching.told() == ["started missing"]
    made.write_file(path, data)
    watching.round()
    watching.round()
    assert watching.told() == ["ended missing"]


@pytest.mark.parametrize(
    "path", ["tile/entries/001", "tile/0/000", "tile/0/002.p/88", "tile/1/000.p/2"]
)
def test_an_entry_or_a_tile_that_was_altered_is_told_within_one_round(
    made, tmp_path, path
):
    watching = Watching(made, tmp_path)
    watching.round()
    before = spoil(made, path)
    outcome = watching.round()
    assert outcome.report.broken[0].check == "entries"
    watching.round()
    assert watching.told() == ["started altered"]
    made.write_file(path, before)
    watching.round()
    assert watching.told() == ["ended altered"]


def test_which_entry_was_altered_is_said(made, tmp_path):
    spoil(made, "tile/entries/000")
    assert "entry 0 is not the one" in Watching(made, tmp_path).round().report.text()


def test_an_entry_and_its_tiles_altered_together_do_not_lead_to_the_root(
    made, tmp_path
):
    watching = Watching(made, tmp_path)
    watching.round()
    other = log(tmp_path / "other", 600)
    other.entries[3] = b"another"
    other.write()
    (other.folder / "checkpoint").unlink()
    show(made, other)
    watching.round()
    assert watching.told() == ["started altered"]


def test_of_a_large_log_old_entries_are_read_in_turns(tmp_path):
    made = log(tmp_path / "log", 4 * 256)
    watching = Watching(made, tmp_path, reread=256)
    watching.round()
    spoil(made, "tile/entries/000")
    rounds = 0
    while not watching.said:
        rounds += 1
        watching.round()
    assert rounds == 4
    watching.round()  # what is wrong is looked at each round, and is not over
    assert watching.told() == ["started altered"]


# Split views, rewriting, truncation, stale views


@pytest.mark.parametrize("size", [600, 700])
def test_a_split_view_is_told_and_proved_to_strangers(made, tmp_path, size):
    watching = Watching(made, tmp_path)
    watching.round()
    show(made, log(tmp_path / "other", size, "other", same=300))
    watching.round()
    watching.round()
    assert watching.told() == ["started forked"]
    claim = Misbehaviour.parse((tmp_path / "state.misbehaviour").read_bytes())
    verify_misbehaviour(claim, Policy.parse(policy_text(quorum=0)), Report())


def test_each_fork_has_its_proof(made, tmp_path):
    watching = Watching(made, tmp_path)
    watching.round()
    for word in ("other", "third"):
        show(made, log(tmp_path / word, 600, word))
        watching.round()
        watching.round()
    first, *more = sorted(tmp_path.glob("state.misbehaviour*"))
    assert first.name == "state.misbehaviour"
    assert more
    for each in (first, *more):
        claim = Misbehaviour.parse(each.read_bytes())
        verify_misbehaviour(claim, Policy.parse(policy_text(quorum=0)), Report())


def test_a_log_that_shrank_is_told_until_it_is_back(made, tmp_path):
    watching = Watching(made, tmp_path)
    watching.round()
    made.write_file("checkpoint", made.checkpoint(400))
    watching.round()
    watching.round()
    assert watching.told() == ["started shrunk"]
    made.write()
    watching.round()
    assert watching.told() == ["ended shrunk"]


def test_a_view_that_stands_still_is_told_when_it_is_too_old(made, tmp_path):
    watching = Watching(made, tmp_path, max_age_s=3_600)
    watching.round()
    assert watching.told() == []
    watching.round(30 * 86_400)
    assert watching.told() == ["started stale"]
    made.write(time=watching.now)
    watching.round()
    assert watching.told() == ["ended stale"]


def test_a_checkpoint_without_its_quorum_is_told(made, tmp_path):
    watching = Watching(made, tmp_path)
    text = checkpoint_text(600, made.tree.mth(0, 600))
    made.write_file("checkpoint", note(text, LOG.line(text)))
    watching.round()
    assert watching.told() == ["started quorum"]
    made.write()
    watching.round()
    assert watching.told() == ["ended quorum"]


def test_what_the_log_has_not_signed_is_told(made, tmp_path):
    watching = Watching(made, tmp_path)
    made.write_file("checkpoint", made.checkpoint().replace(b"\n600\n", b"\n601\n"))
    watching.round()
    assert watching.told() == ["started untrusted"]


@pytest.mark.parametrize("size", [2**40, 2**62])
def test_a_size_that_nobody_could_read_is_told_and_not_tried(tmp_path, size):
    made = log(tmp_path / "log", 3)
    watching = Watching(made, tmp_path, max_age_s=3_600)
    watching.round()
    text = checkpoint_text(size, bytes(32))
    lines = [each.line(text) for each in (LOG, *made.witnesses)]
    made.write_file("checkpoint", note(text, *lines))
    watching.round()
    assert watching.told() == ["started unproven", "started missing"]


# A log that is down


class Down:
    """A source that does not answer while it is told not to."""

    parallel = 1

    def __init__(self, folder):
        self._directory = Directory(folder)
        self.down = ""

    def read(self, path, most):
        if self.down and self.down in path:
            raise Unavailable(f"{path}: nobody answers")
        return self._directory.read(path, most)

    def close(self):
        pass


@pytest.mark.parametrize("what", ["checkpoint", "tile/entries/000"])
def test_silence_is_told_when_it_lasts(made, tmp_path, what):
    source = Down(made.folder)
    watching = Watching(made, tmp_path, source=source, patience_s=300)
    watching.round()
    source.down = what
    for _ in range(5):
        assert watching.round().trouble
    assert watching.told() == []
    watching.round()
    watching.round()
    assert watching.told() == ["started unreachable"]
    source.down = ""
    assert not watching.round().trouble
    assert watching.told() == ["ended unreachable"]


def test_what_is_wrong_does_not_end_because_nobody_answers(made, tmp_path):
    source = Down(made.folder)
    watching = Watching(made, tmp_path, source=source)
    spoil(made, "tile/entries/000")
    watching.round()
    source.down = "tile"
    watching.round()
    assert watching.told() == ["started altered"]
    assert watching.now > NOW
