"""A mirror that is killed at any instant is whole, and goes on where it was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ledger.mirror import folder as writing
from tests.mirror.mirroring import audited, entries, log_of, mirrored, tiles

SIZE, LATER = 700, 1_300


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


def killed_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the process die before its `step`-th change of the disk."""
    left = [step]

    def mortal(name):
        true = getattr(os, name)

        def call(*given, **options):
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return true(*given, **options)

        return call

    for name in ("replace", "fsync"):
        monkeypatch.setattr(os, name, mortal(name))


@pytest.mark.parametrize("torn", [False, True], ids=["whole", "torn"])
def test_at_each_step_the_mirror_is_whole_and_goes_on(tmp_path, monkeypatch, torn):
    log = log_of(tmp_path / "log", SIZE)
    dest, step, ended = tmp_path / "mirror", 0, False
    mirrored(log.folder, dest, log)
    log.append(*entries(SIZE, LATER))
    while not ended:
        with monkeypatch.context() as dying:
            killed_at(step, dying)
            try:
                mirrored(log.folder, dest, log)
                ended = True
            except Killed:
                step += 1
        size = audited(dest, log)
        assert size == LATER if ended else size in (SIZE, LATER)
        if torn and size == SIZE:
            # What nobody has synced may be anything after the power has failed.
            for path in (dest / "tile/entries").glob("00[34]"):
                path.write_bytes(path.read_bytes()[:100])
    assert step > 10
    assert tiles(dest) == tiles(log.folder)


def test_what_was_fetched_is_not_fetched_again(tmp_path, monkeypatch):
    log = log_of(tmp_path / "log", LATER)
    dest = tmp_path / "mirror"
    with monkeypatch.context() as dying:
        dying.setattr(writing.Mirror, "show", lambda *_: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            mirrored(log.folder, dest, log)
    assert not (dest / "checkpoint").exists()
    for path in sorted(Path(log.folder / "tile/entries").glob("00?")):
        path.unlink()
    mirrored(log.folder, dest, log)
    assert audited(dest, log) == LATER
