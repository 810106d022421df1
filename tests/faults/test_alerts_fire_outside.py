"""Whoever is outside of a log and is gone, or ahead, makes its alert fire alone.

Witnesses, targets and an anchor elsewhere; see test_alerts_fire.py.
"""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from ledger.log.look import look
from ledger.log.signing import sign_anchored
from tests.faults.firing import OFTEN, OLD_S, number, scrape, trying, when
from tests.faults.public import Eye, watched
from tests.livelog import ORIGIN, LiveLog
from tests.upkeep.spoil import public
from tests.witness.anchors import AnchorService
from tests.witness.hostile import has

pytestmark = pytest.mark.exhaustive


@pytest.fixture(scope="module")
def tried(tmp_path_factory):
    with trying(tmp_path_factory.mktemp("services")) as start:
        yield start


def test_witnesses_and_targets_that_are_gone_or_ahead(tried, tmp_path):
    folder = tmp_path / "public"
    live = LiveLog(tmp_path / "log")
    live.append(b"first")
    public(live, folder)
    (live.folder / "log.toml").write_text(
        f'{OFTEN}reach = ["127.0.0.1"]\nwitness_timeout_ms = 300\n'
        f'min_free_bytes = 0\ntargets = ["{folder}"]\n'
    )
    eyes = [Eye(name, live) for name in ("w1", "w2")]
    with watched(live, *((e.name, e.vkey, e) for e in eyes), quorum="any") as servers:
        outside = tried("public", live=live, workers=1)
        service = outside.service
        service.submit(b"second")
        for name in ("w1", "w2"):
            when(service, "witness_size", 2, witness=name)
        when(service, "target_size", 2)
        outside.well = outside.settled(2)
        silent = [("ProvlogWitnessSilent", {"witness": each.name}) for each in eyes]
        behind = ("ProvlogTargetBehind", {"target": str(folder)})

        servers[1].behave = has(1_000)
        when(service, "witness_ahead", 1, witness="w2")
        after = when(service, "witness_age_seconds", OLD_S, witness="w2")
        ahead = ("ProvlogWitnessAhead", {"witness": "w2"})
        outside.fires(after, ahead, silent[1])

        servers[0].behave = servers[1].behave = hangs_up
        when(service, "witness_age_seconds", OLD_S, witness="w1")
        after = when(service, "publish_age_seconds", OLD_S)
        lost = "ProvlogQuorumLost", "ProvlogPublishingStopped"
        outside.fires(after, *lost, ahead, *silent)

        for server, eye in zip(servers, eyes, strict=True):
            server.behave = eye
        folder.rename(tmp_path / "moved")
        folder.write_text("no folder")
        well_again(service)
        after = when(service, "target_lag_seconds", OLD_S)
        outside.fires(after, behind)

        folder.unlink()
        (tmp_path / "moved").rename(folder)
        with look(live.folder) as seen:
            later = replace(seen.held, size=1_000)
            (folder / "checkpoint").write_bytes(
                sign_anchored(seen.signer, later, time=live.clock().wall_ms // 1000)
            )
        when(service, "target_held", 1)
        after = when(service, "target_lag_seconds", OLD_S)
        outside.fires(after, behind, ("ProvlogTargetHeld", {"target": str(folder)}))

        os.kill(service.in_order()[-1], signal.SIGKILL)
        when(service, "publisher_restarts_total", 1)
        after = when(service, "target_held", 1)
        held = ("ProvlogTargetHeld", {"target": str(folder)})
        outside.fires(after, "ProvlogPublisherDied", held)


def hangs_up(handler, _):
    """The behaviour of a witness that says nothing."""
    handler.close_connection = True


def well_again(service):
    """Return when both witnesses have cosigned just now."""
    service.until(
        lambda: all(
            number(scrape(service), "witness_age_seconds", witness=name) < 1
            for name in ("w1", "w2")
        )
    )


def test_an_anchor_elsewhere_that_is_silent(tried, tmp_path):
    anchor = AnchorService(tmp_path / "anchor", ORIGIN)
    with ThreadPoolExecutor(1) as thread:
        with anchor.up():
            live = LiveLog(tmp_path / "log")
            (live.folder / "log.toml").write_text(
                f'{OFTEN}reach = ["127.0.0.1"]\nmin_free_bytes = 0\n'
                f'answer_timeout_s = 2\nanchors = ["{anchor.url}"]\n'
            )
            give_token(live, anchor.token)
            anchored = tried("anchored", live=live)
            anchored.service.submit(b"first")
            anchored.well = anchored.settled(1)
        # Who is outside is told of where all is done in one process, too.
        assert number(anchored.well, "quorum") == 1
        waits = thread.submit(anchored.service.post, "/add", b"second")
        after = when(anchored.service, "held", 1, state="anchor_silent")
        silent = ("ProvlogAnchorSilent", {"state": "anchor_silent"})
        anchored.fires(after, silent)
        with anchor.up():
            assert waits.result().status in (200, 500)
            anchored.settled(2)


def give_token(live, token):
    """Let the log's anchors know it."""
    path = live.folder / "anchor.token"
    path.touch(0o600)
    path.write_text(token)
