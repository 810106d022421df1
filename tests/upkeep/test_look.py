"""A log can be looked at without the right to write, also while it is written to."""

import pytest

from ledger.errors import Held
from ledger.log.look import look
from tests.upkeep.spoil import another_process, entries
from verifier import verify_checkpoint

SIZE = 300


def test_what_is_seen_is_the_anchored_tree_and_what_is_in_it(log):
    with look(log.folder) as seen:
        assert (seen.live, seen.hold) == (False, None)
        assert seen.newest.size == seen.head.size == SIZE
        assert seen.reading.entry(7) == entries(8)[7]
        signed = verify_checkpoint(seen.checkpoint(), log.policy)
    assert signed.checkpoint == log.check()


def test_looking_changes_nothing(log):
    def state():
        paths = [path for path in log.folder.rglob("*") if path.name != "lock.mdb"]
        return {path: path.stat().st_mtime_ns for path in paths if path.is_file()}

    before = state()
    with look(log.folder) as seen:
        seen.checkpoint()
    assert state() == before


def test_a_log_that_grows_is_seen_at_one_moment_each_time(log):
    log.given_up = True  # what the other process logged is not remembered here
    sizes = []
    with another_process(log.folder):
        for _ in range(30):
            with look(log.folder) as seen:
                assert seen.live
                signed = verify_checkpoint(seen.checkpoint(), log.policy).checkpoint
                assert signed.size == seen.newest.size <= seen.head.size
                assert seen.reading.entry(signed.size - 1)
                sizes.append(signed.size)
    assert sizes == sorted(sizes)
    log.check()


@pytest.mark.parametrize(
    ("name", "state"), {"anchor": "anchor_missing", "key": "key_missing"}.items()
)
def test_what_cannot_be_signed_can_be_read(log, name, state):
    log.given_up = True
    (log.folder / name).unlink()
    with look(log.folder) as seen:
        assert seen.hold.state == state
        assert seen.hold.mend
        assert seen.newest.size == SIZE
        assert seen.reading.entry(7) == entries(8)[7]
        with pytest.raises(Held) as held:
            seen.checkpoint()
    assert held.value.state == state


def test_where_there_is_nothing_to_read_there_is_nothing_to_see(tmp_path):
    with pytest.raises(Held) as held, look(tmp_path):
        pass
    assert held.value.state == "absent"
    assert "provlog init" in held.value.mend
