"""What is a secret of the operator's is told to nobody who only watches.

The path of a webhook often is a password: who has it can tell its owner anything.
Metrics are read by other machines, and logs are sent to them; neither has it.
"""

from __future__ import annotations

import json
import logging

import pytest

from ledger.clock import read_clock
from ledger.metrics.counts import Counts
from ledger.publish.publishing import Publisher
from ledger.publish.webhook import make_secret
from ledger.server.outside import Inside, kept_of
from tests.loopback import Server, answer, running

PATH = "T0SECRET/B0SECRET"


@pytest.fixture
def refusing():
    """Nobody there takes news."""
    server = Server()
    server.behaviours = [answer(403)]
    with running(server):
        yield server


@pytest.fixture
def counted(new_log, refusing, caplog):
    """The metrics of a log that tells two paths of one host."""
    caplog.set_level(logging.DEBUG)
    hooks = [f"{refusing.prefix}/{PATH}/{number}" for number in (1, 2)]
    settings = f'reach = ["127.0.0.1"]\nwebhooks = {json.dumps(hooks)}\n'
    live = new_log(settings=settings)
    make_secret(live.folder / "webhook.secret")
    counts = Counts()
    with live.open() as log:
        inside = Inside(log.home, log.store, log.keys, counts)
        kept = kept_of(log.home, log.charter.origin, log.keys)
        live.append(b"one", log=log)
        proposal = Publisher(log, kept, read_clock, asks=False).propose()
        live.saw(inside.publish_now(proposal).note)
        for each in inside._runners._told:
            each.caught_up(1, 10)
        inside.count()
        inside.close()
    return list(counts.take())


@pytest.mark.usefixtures("counted")
def test_a_failing_webhook_is_told_by_its_host_alone(refusing, caplog):
    said = [each.getMessage() for each in caplog.get_records("setup")]
    failed = [each for each in said if each.startswith("target_failed")]
    assert failed
    assert all(str(refusing.server_port) in each for each in failed)
    assert "SECRET" not in "".join(said)


def test_metrics_name_it_by_its_host_alone(counted, refusing):
    shown = repr(counted)
    assert str(refusing.server_port) in shown
    assert "SECRET" not in shown


def test_two_webhooks_of_one_host_are_two_in_metrics(counted, refusing):
    labels = {text for row in counted for text in map(str, row) if "127.0.0.1" in text}
    assert len(labels) == 2, labels
