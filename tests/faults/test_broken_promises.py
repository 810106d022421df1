"""Logs have promised what they did not keep, and this one does: the other incidents.

Each test is named after what happened, and does it; docs/threat-model.md tells the
stories. Those whose recipe is a harness call it here with a small budget; it has a
larger one in its own file.
"""

from __future__ import annotations

import random

import pytest

from ledger.errors import Halted, Held, Refused, Unavailable
from ledger.log.log import Log
from ledger.log.pool import Order
from ledger.upkeep.copies import backup
from ledger.upkeep.fsck import fsck
from ledger.upkeep.promises import Evidence
from ledger.upkeep.restore import restore
from tests.faults.kill_rounds import played
from tests.faults.power_rounds import check_rounds, need_machines
from tests.faults.promises import AHEAD, OK
from tests.faults.written import Written
from tests.livelog import FIRST
from tests.log.fakes import SetClock, body, numbered
from tests.upkeep.spoil import public
from verifier import Entry, verify_checkpoint, verify_log
from verifier.source import Directory

SOUND = {OK, AHEAD}

# Sectigo Mammoth 2024h1 (F11)


def fill(live, log) -> None:
    for number in range(1_000):
        live.append(b"%d" % number * 9_000, log=log)


def test_mammoth_2024_the_disk_is_full(new_log):
    live = new_log(settings=f"limit_bytes = {3 << 20}\n")
    with live.open() as log:
        with pytest.raises(Unavailable) as refused:
            fill(live, log)
        assert refused.value.reason == "full"
        assert log.reading.entries(0, log.head.size)
        live.saw(log.checkpoint())
    (live.folder / "log.toml").write_text("min_free_bytes = 0\n")
    live.append(b"there is room again")


# DigiCert Nessie 2023 (F12)


@pytest.mark.exhaustive
def test_nessie_2023_every_answer_of_a_killed_process_is_in_the_log(tmp_path):
    found = played("kill", tmp_path, 4)
    assert set(found["verdicts"]) <= SOUND


# DigiCert Nessie 2025 (F13)


def test_nessie_2025_more_than_can_be_written_is_refused_and_not_queued(
    new_log,
) -> None:
    bound = 64
    live = new_log(settings=f"pool_entries = {bound}\nbatch_entries = 16\n")
    orders: list[tuple[Order, bytes]] = []
    refused: list[str] = []
    waiting = 0
    with live.open() as log:
        for number in range(3_000):
            entry = b"%d" % number
            try:
                admitted = [log.admission.admit(entry, by="s-1")]
                orders.append((log.submit(admitted), entry))
            except Unavailable as error:
                refused.append(error.reason)
            waiting = max(waiting, log._sequencer.pool._entries)
        for order, entry in orders:
            live.remember(order.wait(20), [entry])
        assert log.head.size == len(orders) == 3_000 - len(refused)
    assert set(refused) == {"busy"}
    assert waiting <= bound


# Let's Encrypt Oak 2022 (F16)


@pytest.mark.parametrize("kind", ["record", "opaque"])
def test_oak_2022_rows_that_say_what_is_logged_are_lost(new_log, kind):
    live = new_log(kind=kind, dedupe=kind == "opaque")
    things = [
        body(number) if kind == "record" else b"%d" % number for number in range(300)
    ]
    first = list(live.append(*things).indexes)
    chosen = random.Random(16)
    with live.open() as log:
        before = log.reading.entries(0, log.head.size)
        with log.store.snapshot() as snapshot:
            rows = list(snapshot.identities())
        # That of the schema stays: the log would enter it again itself.
        handed_in = [row for row in rows if row[1] in first]
        lost = set(chosen.sample(handed_in, 40))
        log.store.index([row for row in rows if row not in lost], drop=True)
        again = live.append(*things, log=log)
        moved = [
            old for old, new in zip(first, again.indexes, strict=True) if old != new
        ]
        assert len(moved) == 40  # at most a duplicate for each row
        assert set(again.indexes) - set(first) == set(
            range(len(before), len(before) + 40)
        )
        # Nothing that was there is any different, its time not either.
        assert log.reading.entries(0, len(before)) == before


# Sectigo Mammoth 2025h1 (F17)


def test_mammoth_2025h1_the_clock_goes_back(new_log):
    clock = SetClock()
    live = new_log(kind="record", clock=clock)
    with live.open() as log:
        live.append(body(1), log=log)
        clock.wall_ms -= 3_000
        live.append(body(2), log=log)
        clock.wall_ms -= 3_600_000
        with pytest.raises(Held) as held:
            log.append([body(3)])
        assert held.value.state == "clock"
        assert log.reading.entries(0, log.head.size)
        clock.wall_ms += 3_603_000
        live.append(body(3), log=log)
        times = [Entry.parse(each).at for each in log.reading.entries(0, FIRST + 3)]
        assert times == sorted(times)
        assert log.head.at >= times[-1]
    clock.wall_ms -= 864_000_000
    with live.open() as log:
        assert log.hold.state == "clock"


# What etcd, Cloudflare Nimbus and Tessera POSIX have lost (F18, F20, F33)


@pytest.mark.exhaustive
def test_etcd_14370_nothing_is_answered_before_it_is_durable(fast_path):
    written = Written(fast_path)
    assert written.write("--batches", "4", "--every", "9") == 0
    found = written.states()
    assert set(found["verdicts"]) <= SOUND, found["examples"]


@pytest.mark.exhaustive
def test_nimbus_2021_and_2023_the_power_fails(tmp_path):
    need_machines()
    check_rounds(tmp_path, "ext4", 1, seed=3)


@pytest.mark.exhaustive
def test_tessera_2025_a_checkpoint_that_was_exported_stays_so(fast_path):
    written = Written(fast_path)
    assert written.write("--batches", "2", "--every", "1") == 0
    found = written.states()
    assert set(found["verdicts"]) <= SOUND, found["examples"]


# What Sigsum warns of (F23)


def test_sigsum_a_backup_takes_the_place_of_a_failed_log(new_log, tmp_path):
    live = new_log()
    live.append(*numbered(300))
    backup(live.folder, tmp_path / "backup")
    live.append(*numbered(9, 300))
    with Log.open(tmp_path / "backup") as copy:
        assert copy.hold.state == "copy"
        with pytest.raises(Held):
            copy.append([b"a second log"])
    (live.folder / "store" / "data.mdb").unlink()
    with pytest.raises(Held) as held:
        restore(live.folder, Evidence(copies=[str(tmp_path / "backup")]))
    assert held.value.state == "rollback"
    live.given_up = True


# What immudb had to mend (F32)


def test_immudb_a_log_is_opened_with_smaller_limits_than_it_was_written_with(new_log):
    live = new_log()
    with live.open() as log:
        log._anchor.advance = stop  # the process ends between commit and anchor
        with pytest.raises(Halted):
            log.append(numbered(9_000))
    small = "pool_entries = 2\npool_bytes = 100\nbatch_entries = 1\nbatch_bytes = 10\n"
    (live.folder / "log.toml").write_text(f"min_free_bytes = 0\n{small}")
    with live.open() as log:
        assert log.hold is None
        assert log.head.size == 9_000
        live.append(b"more", log=log)


def stop(*_: object) -> None:
    raise Halted("the machine was switched off")


# logs that are empty, or nearly so (F35)


@pytest.mark.parametrize("size", [0, 1])
def test_rekor_monitor_702_an_empty_log_in_everything(new_log, tmp_path, size):
    live = new_log()
    if size:
        live.append(b"one")
    with live.open() as log:
        note = log.checkpoint(time=1_790_000_000)
        shown = verify_checkpoint(note, live.policy).checkpoint
        assert shown.size == size
        with pytest.raises(Refused):
            log.reading.entry(size)
        with pytest.raises(Refused):
            log.reading.inclusion(size)
        assert [log.reading.entry(n) for n in range(size)] == [b"one"] * size
        assert [log.reading.inclusion(n) for n in range(size)] == [[]] * size
    public(live, tmp_path / "public")
    public(live, tmp_path / "public")
    verify_log(Directory(tmp_path / "public"), shown, kind="opaque")
    backup(live.folder, tmp_path / "backup")
    assert fsck(live.folder).sound
    restore(live.folder, Evidence(copies=[str(tmp_path / "backup")]))
    assert fsck(live.folder).sound
    assert live.append(b"next").indexes == range(size, size + 1)
