"""Logs have died of these, and this one does not: wrong trees, forks, two writers.

Each test is named after what happened, and does it; docs/threat-model.md tells the
stories. Others are in test_broken_promises.py and test_forged_proofs.py.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

import pytest

from ledger.errors import Held, Refused, Unavailable, WrongBytes
from ledger.keys.keyfile import read_note_key
from ledger.log.log import Log
from ledger.log.look import look
from ledger.log.scrubber import Scrubber
from ledger.upkeep.continuing import begin_again
from ledger.upkeep.copies import backup, open_copy
from ledger.upkeep.fsck import fsck, repair
from ledger.upkeep.promises import Evidence
from ledger.upkeep.restore import restore
from tests import tools
from tests.faults.kill_rounds import played
from tests.faults.promises import OK
from tests.faults.site import Site, put
from tests.faults.sweep import Fault, engine, sweep
from tests.log.fakes import numbered, spoil_next
from tests.spoiling import flipped
from tests.upkeep.spoil import public

# DigiCert Yeti 2022 (F1)


def _entry(batch):
    return replace(batch, entries=[*batch.entries[:-1], flipped(batch.entries[-1], 9)])


def _tile(level):
    def change(batch):
        key = (level, max(index for at, index in batch.tiles if at == level))
        return replace(
            batch, tiles={**batch.tiles, key: flipped(batch.tiles[key], 100)}
        )

    return change


def _root(batch):
    return replace(batch, head=replace(batch.head, root=flipped(batch.head.root, 7)))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_entry, id="entry"),
        pytest.param(_tile(0), id="leaf hash"),
        pytest.param(_tile(1), id="interior node"),
        pytest.param(_root, id="root"),
    ],
)
def test_yeti_2022_one_bit_between_computing_and_storing(new_log, change):
    live = new_log()
    live.append(*numbered(250))
    with live.open() as log:
        before = log.checkpoint()
        spoil_next(log.store, change)
        with pytest.raises(Unavailable) as refused:
            log.append(numbered(10, 250))
        assert refused.value.reason == "self_check"
        assert log.checkpoint() == before
        assert log._sequencer.refused_batches == 1
        assert live.append(*numbered(10, 250), log=log).indexes == range(250, 260)


# DigiCert Nessie 2024, Cloudflare Nimbus 2018 (F2, F3)


def flip_stored(live, entry: bytes) -> None:
    """Flip one bit of `entry` in the data file, which nobody has open."""
    path = live.folder / "store" / "data.mdb"
    data = path.read_bytes()
    assert entry in data
    put(path, data.replace(entry, flipped(entry, 3)))


def test_nessie_2024_one_bit_of_a_stored_entry(new_log):
    live = new_log()
    live.append(*numbered(5_000))
    flip_stored(live, b"entry 4321")
    assert not fsck(live.folder).sound
    with live.open() as log:
        assert log.hold.state == "damaged"  # it is among the newest
        with pytest.raises(WrongBytes, match="4321"):
            log.reading.entry(4321)
        assert log.reading.entry(4320) == b"entry 4320"
        scrubber = Scrubber(log.reading, lambda: log.head)
        while not scrubber.rounds:
            scrubber.step()
        assert any("entry 4321" in says for says in scrubber.found.values())
    live.given_up = True


def test_nimbus_2018_served_bytes_are_mended_by_those_that_were_hashed(
    new_log, tmp_path
):
    live = new_log()
    live.append(*numbered(300))
    public(live, tmp_path / "public")
    flip_stored(live, b"entry 290")
    wrong = tmp_path / "wrong"
    shutil.copytree(tmp_path / "public", wrong)
    for path in (wrong / "tile" / "entries").rglob("44"):
        path.write_bytes(path.read_bytes().replace(b"entry 290", b"entry 29O"))
    assert set(mended(live, wrong).values()) == {False}
    assert set(mended(live, tmp_path / "public").values()) == {True}
    assert fsck(live.folder).sound


def mended(live, copy) -> dict[str, bool]:
    with open_copy(str(copy)) as source:
        return dict(repair(live.folder, fsck(live.folder), [source]))


# Venafi 2017 (F4)


def saved(live, *names: str) -> dict:
    return {name: (live.folder / name).read_bytes() for name in names}


def put_back(live, files: dict, *, same_file: bool) -> None:
    for name, data in files.items():
        if not same_file:
            (live.folder / name).unlink()
            (live.folder / name).touch(0o600)
        put(live.folder / name, data)


@pytest.mark.parametrize("same_file", [True, False])
def test_venafi_2017_an_old_store_was_put_back(new_log, tmp_path, same_file):
    live = new_log()
    live.append(*numbered(300))
    old = saved(live, "store/data.mdb")
    live.append(*numbered(9, 300))
    public(live, tmp_path / "public")
    put_back(live, old, same_file=same_file)
    with live.open() as log:
        assert log.hold.state == "rollback"
        with pytest.raises(Held) as refused:
            log.append([b"another"])
        assert "provlog restore" in refused.value.mend
        with pytest.raises(Held):
            log.checkpoint()
    # What was promised is somewhere: only data that has it comes in.
    restore(live.folder, Evidence(copies=[str(tmp_path / "public")]))
    assert live.append(b"another").indexes == range(309, 310)


def test_venafi_2017_store_and_anchor_were_put_back_and_a_target_knows(
    new_log, tmp_path
):
    live = new_log(settings=f'targets = ["{tmp_path / "public"}"]\n')
    public(live, tmp_path / "public")
    live.append(*numbered(300))
    old = saved(live, "store/data.mdb", "anchor")
    live.append(*numbered(9, 300))
    public(live, tmp_path / "public")
    put_back(live, old, same_file=True)
    with live.open() as log:
        assert log.hold.state == "rollback"
        with pytest.raises(Held):
            log.append([b"another"])
    live.given_up = True


def test_venafi_2017_when_nobody_remembers_it_takes_a_new_name(new_log, tmp_path):
    live = new_log()
    live.append(*numbered(300))
    os.unlink(live.folder / "anchor")
    with live.open() as log:
        assert log.hold.state == "anchor_missing"
    with pytest.raises(Held, match="checkpoint from outside"):
        restore(live.folder, Evidence())
    again = tmp_path / "again"
    head = begin_again(again, "log.example/again", live.folder)
    assert head.size == 300
    with Log.open(again) as log:
        assert log.charter.origin == "log.example/again"
        assert log.charter.genesis != live.charter.genesis


def test_venafi_2017_a_cloned_folder(new_log, tmp_path):
    live = new_log()
    live.append(*numbered(9))
    shutil.copytree(live.folder, tmp_path / "clone")
    with Log.open(tmp_path / "clone") as clone, live.open() as log:
        assert clone.hold.state == "cloned"
        live.append(b"the original goes on", log=log)


@pytest.mark.parametrize("gone_on", [0, 20], ids=["behind", "gone_on"])
def test_venafi_2017_what_a_restore_was_shown_is_not_forgotten(
    new_log, tmp_path, gone_on
):
    live, new = new_log(), tmp_path / "new"
    live.append(*numbered(300))
    backup(live.folder, tmp_path / "backup")
    live.append(*numbered(9, 300))
    public(live, tmp_path / "public")
    old, newest = (
        (tmp_path / where / "checkpoint").read_bytes() for where in ("backup", "public")
    )
    new.mkdir()
    for name in ("key", "log.toml"):
        shutil.copy(live.folder / name, new)
    copies = [str(tmp_path / "backup")]
    restore(new, Evidence(copies=copies, checkpoints=[old]))
    with Log.open(new) as log:
        assert log.hold is None  # nobody has said yet that there was more
        log.append(numbered(gone_on, 9_000))
    state = "forked" if gone_on else "rollback"
    # Shown it once, nobody goes on without it, whatever he leaves out the next time.
    for checkpoints in ([newest], [old], []):
        with pytest.raises((Held, Refused)):
            restore(new, Evidence(copies=copies, checkpoints=checkpoints))
        with Log.open(new) as log:
            assert log.hold.state == state
            with pytest.raises(Held):
                log.append([b"a second history"])
        with look(new) as seen:
            assert seen.hold.state == state
            with pytest.raises(Held):
                seen.checkpoint()
    if not gone_on:
        restore(new, Evidence(copies=[*copies, str(tmp_path / "public")]))
        live.folder = new
        assert live.append(b"goes on").indexes == range(309, 310)


# Izenpe 2016 (F5)


def test_izenpe_2016_one_key_for_two_logs(new_log):
    live, other = new_log(), new_log("other")
    with pytest.raises(Held) as refused:
        read_note_key(live.folder / "key")
    assert refused.value.state == "key_taken"
    ours = other.folder / "key"
    theirs = ours.read_bytes()
    ours.write_bytes((live.folder / "key").read_bytes())
    with other.open() as log:
        assert log.hold.state == "wrong_key"
    ours.write_bytes(theirs)


# TrustAsia 2021 (F6)


@pytest.mark.exhaustive
def test_trustasia_2021_two_writers_on_one_folder(tmp_path):
    assert played("pair", tmp_path, 3)["verdicts"] == {f"LW {OK}": 3}


def test_trustasia_2021_two_folders_with_one_anchor(new_log, tmp_path):
    live = new_log()
    live.append(*numbered(9))
    os.rename(live.folder / "anchor", tmp_path / "anchor")
    settings = f'min_free_bytes = 0\nanchor = "{tmp_path / "anchor"}"\n'
    (live.folder / "log.toml").write_text(settings)
    shutil.copytree(live.folder, tmp_path / "other")
    with live.open() as log:
        with Log.open(tmp_path / "other") as other:
            assert other.hold.state == "locked"
        live.append(b"more", log=log)
    with Log.open(tmp_path / "other") as other:
        assert other.hold.state == "rollback"


# Cloudflare Raio 2025h2a (F7)


@pytest.mark.exhaustive
@pytest.mark.parametrize("call", ["writev", "fdatasync"])
def test_raio_2025_a_fault_and_one_more_while_it_is_dealt_with(fast_path, call):
    tools.need("strace")
    site = Site(fast_path / "log", before=250)
    faults = [Fault(call, 1, "error=EIO")]
    assert not list(sweep(site, engine(site), faults, double=True))
