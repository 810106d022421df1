"""A log that has no room says so before anybody submits, and as a submission would."""

from functools import partial

import pytest

from ledger.config import Config
from ledger.errors import Held, Unavailable
from ledger.log.room import check_room
from ledger.store import SLACK_BYTES, Usage

MIB = 1 << 20
CONFIG = Config(limit_bytes=100 * MIB, map_bytes=200 * MIB, min_free_bytes=50 * MIB)


def usage(*, used=10, limit=100, free=90):
    """A store with room, in MiB."""
    return Usage(used_bytes=used * MIB, limit_bytes=limit * MIB, free_bytes=free * MIB)


def test_where_there_is_room_nothing_is_said(tmp_path):
    check_room(usage(), CONFIG, tmp_path)
    check_room(usage(used=99, free=51), CONFIG, tmp_path)


@pytest.mark.parametrize(
    ("spoiled", "name"),
    [
        ({"used": 100}, "limit_bytes"),
        ({"used": 200, "limit": 300}, "map_bytes"),
        ({"free": 50}, "min_free_bytes"),
        ({"free": 0}, "min_free_bytes"),
    ],
)
def test_what_has_no_room_is_named_with_its_setting(tmp_path, spoiled, name):
    with pytest.raises(Held, match=name) as caught:
        check_room(usage(**spoiled), CONFIG, tmp_path)
    assert caught.value.state == "full"
    if name != "min_free_bytes":
        assert f"next batch may need {SLACK_BYTES} more" in str(caught.value)
    assert str(tmp_path / "log.toml") in caught.value.mend


@pytest.mark.parametrize("room", [SLACK_BYTES // 2, 2 * SLACK_BYTES])
def test_it_says_what_a_submission_would_be_told(new_log, room):
    live = new_log()
    with live.open() as log:
        used = log.store.usage().used_bytes
    (live.folder / "log.toml").write_text(
        f"min_free_bytes = 0\nlimit_bytes = {used + room}\n"
    )
    with live.open() as log:
        full = refused(check_room, log.store.usage(), log.home.config, live.folder)
        said = refused(log.append, [b"entry"])
        assert bool(full) == bool(said) == (room < SLACK_BYTES)
        assert ("the next batch may need " in full) == bool(full)
        assert ("and this batch may need " in said) == bool(said)


@pytest.mark.parametrize("enough", [True, False])
def test_it_reckons_with_the_batch_that_completes_a_tile(new_log, enough):
    """Which writes all of the tile once more: up to 16 MB, for one small entry."""
    live = new_log(kind="opaque")
    with live.open() as log:
        live.append(*(bytes([at]) * 20_000 for at in range(255)), log=log)
        usage = log.store.usage()
    assert 255 * 20_000 < usage.tail_bytes < 256 * 20_100
    room = SLACK_BYTES + (usage.tail_bytes + 10_000 if enough else 10_000)
    (live.folder / "log.toml").write_text(
        f"min_free_bytes = 0\nlimit_bytes = {usage.used_bytes + room}\n"
    )
    with live.open() as log:
        full = refused(check_room, log.store.usage(), log.home.config, live.folder)
        said = refused(partial(live.append, log=log), b"the last")
    assert bool(full) == bool(said) == (not enough)


def refused(call, *given):
    """What is said to whoever is refused; empty if nobody is."""
    try:
        call(*given)
    except (Held, Unavailable) as error:
        return str(error)
    return ""
