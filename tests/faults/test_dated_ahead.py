"""No cosignature states a time that is still to come, whatever a witness's clock says.

A log was once dated ahead by its own design. Here the clock of a real witness is set,
and what becomes public is looked at: each time under it is past, or now.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager

import pytest

from ledger.clock import read_clock
from ledger.witness.home import Home, make
from ledger.witness.known import add_log
from tests import tools
from tests.cli.operating import ENVIRONMENT, provlog, said
from tests.faults.public import QUICK
from verifier import Policy
from verifier.cosignature import split_time
from verifier.keys import KeyType
from verifier.note import Note

pytestmark = pytest.mark.exhaustive
SETTINGS = QUICK + 'witness_timeout_ms = 3000\nwitness_failure = "open"\n'


@contextmanager
def witnessed(live, offset):
    """A witness of `live` whose clock is off; the log's policy asks it."""
    home: Home = make(live.folder.parent / "w", "witness.example/w")
    log = live.policy.logs[0]
    add_log(home.logs, log.text(), own=home.signing().verifier_keys())
    faked = {
        "LD_PRELOAD": tools.library("libfaketime"),
        "FAKETIME": offset,
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    words = ["witness", "serve", str(home.folder), "--listen", "127.0.0.1:0", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | ENVIRONMENT | (faked if offset else {}),
    )
    try:
        assert process.stdout
        url = json.loads(process.stdout.readline())["url"]
        key = home.signing().verifier_keys()[0].text()
        added = provlog("policy", "add-witness", live.folder, "w", key, "--url", url)
        assert added.exit_code == 0, added.stderr
        yield
    finally:
        process.kill()
        process.communicate()


def times_of(note, keys):
    """Every time that is stated under a checkpoint, by whom."""
    kinds = {(each.name, each.id): each for each in keys}
    found = {}
    for line in Note.parse(note).signatures:
        key = kinds.get((line.name, line.key_id))
        # The line for COSE receipts is of no key that is known here, and states none.
        if key and key.type is not KeyType.ED25519:
            found[key.name] = split_time(line.signature)[0]
    return found


@pytest.mark.parametrize("offset", ["", "+5", "+1d", "-1d"])
def test_no_cosignature_that_is_published_is_of_a_time_to_come(
    new_log, tmp_path, offset
):
    live = new_log(settings=SETTINGS)
    live.append(b"one")
    with live.open() as log:
        keys = list(log.keys)
    with witnessed(live, offset):
        policy = Policy.parse((live.folder / "policy.txt").read_bytes())
        keys += [each.key for each in policy.witnesses.values()]
        made = said("export", live.folder, tmp_path / "public")
    now = read_clock().wall_ms // 1000
    found = times_of((tmp_path / "public" / "checkpoint").read_bytes(), keys)
    assert "log.example/live" in found
    assert all(now - 60 <= time <= now + 1 for time in found.values()), (found, now)
    # What the witness said with a wrong clock is nowhere; with a right one it is.
    assert made["witnessed"] == (not offset)
    assert ("witness.example/w" in found) == (not offset)
