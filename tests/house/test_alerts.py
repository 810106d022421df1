"""Alerts and dashboard speak of what the log tells, and the manual speaks of them."""

import itertools
import json
import logging
import re
import subprocess
from pathlib import Path

import pytest

from ledger.events import EVENTS
from ledger.http.problems import KINDS
from ledger.log.states import MENDS
from ledger.metrics import METRICS
from tests import tools
from tests.alerts import ALERTS, RULES
from tests.house.test_docs import anchors

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "operations.md"
BOARD = json.loads((ROOT / "deploy" / "grafana.json").read_text())
SCRAPED = {"job", "instance"}
"""The labels that Prometheus gives by itself."""
HELD_BY_NOBODY = {
    "provlog_batches_total",
    "provlog_batch_entries",
    "provlog_checkpoints_signed_total",
    "provlog_commit_seconds",
    "provlog_connections",
    "provlog_entries_submitted_total",
    "provlog_memory_held_bytes",
    "provlog_pool_bytes",
    "provlog_records_flagged_total",
    "provlog_request_seconds",
    "provlog_requests_total",
    "provlog_scrub_position",
    "provlog_scrub_rounds",
    "provlog_target_failures",
    "provlog_target_size",
    "provlog_witness_failures",
    "provlog_witness_size",
}
"""What is looked at in the dashboard, after something else has called."""
CALLED_BY = {
    "anchor_silent": "ProvlogAnchorSilent",
    "batch_refused": "ProvlogBatchRefused",
    "clock_held": "ProvlogHeld",
    "halted": "ProvlogHeld",
    "held": "ProvlogHeld",
    "damage_found": "ProvlogDamaged",
    "publish_failed": "ProvlogPublishingStopped",
    "quorum_missed": "ProvlogQuorumLost",
    "witness_ahead": "ProvlogWitnessAhead",
    "target_held": "ProvlogTargetHeld",
    "publisher_died": "ProvlogPublisherDied",
    "front_end_died": "ProvlogFrontEndDied",
    "writer_died": "ProvlogDown",
    # The one that was killed has ended with its service, which somebody wanted.
    "stop_forced": "",
    "measure_failed": "ProvlogBlind",
    "request_failed": "ProvlogFault",
}
"""The alert that each event with the level error goes with."""


def series_of(expr):
    """The metrics of an expression, each with the labels that it is asked for."""
    found = re.findall(r"\b(provlog_\w+)(?:\{([^}]*)\})?", expr)
    return [
        (name, re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", given)) for name, given in found
    ]


def known(name):
    """The metric of a name, also where it is one of the numbers of a histogram."""
    by_name = {each.name: each for each in METRICS}
    bare = re.sub(r"_(bucket|count|sum)$", "", name)
    histogram = by_name.get(bare)
    if name not in by_name and histogram and histogram.kind == "histogram":
        return histogram
    return by_name[name]


def exprs_of_the_board():
    return [
        target["expr"]
        for panel in BOARD["panels"]
        for target in panel.get("targets", [])
    ]


# What both of them say


@pytest.mark.parametrize(
    "expr", [*(each.expr for each in ALERTS.values()), *exprs_of_the_board()]
)
def test_every_metric_exists_with_the_labels_that_it_is_asked_for(expr):
    for name, labels in series_of(expr):
        assert set(labels) <= {*known(name).labels, *SCRAPED}, name


def test_every_metric_is_in_the_dashboard():
    shown = {
        known(name).name for each in exprs_of_the_board() for name, _ in series_of(each)
    }
    assert shown == {each.name for each in METRICS}


def test_every_metric_has_an_alert_or_is_for_looking_at():
    alerted = {
        known(name).name for each in ALERTS.values() for name, _ in series_of(each.expr)
    }
    assert alerted.isdisjoint(HELD_BY_NOBODY)
    assert alerted | HELD_BY_NOBODY == {each.name for each in METRICS}


# The alerts


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_how_urgent_it_is_and_what_to_do(name):
    alert = ALERTS[name]
    assert alert.severity in ("page", "ticket")
    assert alert.runbook == f"docs/operations.md#{name.lower()}"
    assert name.lower() in anchors(PAGE)
    assert alert.summary
    assert alert.description.endswith(".")


@pytest.mark.parametrize("name", ALERTS)
def test_what_an_alert_says_is_filled_in_from_labels_that_are_there(name):
    alert = ALERTS[name]
    said = set(re.findall(r"\$labels\.(\w+)", alert.summary + alert.description))
    labels = itertools.chain(*(known(each).labels for each, _ in series_of(alert.expr)))
    assert said <= {*labels, *SCRAPED}
    assert "{{ $labels.instance }}" in alert.summary


def test_states_and_checks_that_are_picked_out_exist():
    kinds = {each.name for each in KINDS}
    for label, words in (("state", set(MENDS)), ("check", kinds)):
        pattern = rf'\b{label}(?:=~|!~|!=|=)"([^"]*)"'
        found = re.findall(pattern, RULES.read_text())
        assert found
        assert {each for one in found for each in one.split("|")} <= words


def test_every_alert_has_its_heading_and_every_heading_its_alert():
    part = PAGE.read_text().split("\n## Alerts\n", 1)[1].split("\n## ", 1)[0]
    assert sorted(re.findall(r"^### (.*)$", part, re.MULTILINE)) == sorted(ALERTS)


def test_every_event_that_is_to_wake_somebody_has_its_alert():
    urgent = {each.name for each in EVENTS if each.level >= logging.ERROR}
    assert set(CALLED_BY) == urgent
    assert {each for each in CALLED_BY.values() if each} <= set(ALERTS)


def test_prometheus_can_read_the_rules():
    tools.need("promtool")
    command = ["promtool", "check", "rules", str(RULES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(ALERTS)} rules found" in done.stdout


# The dashboard


def test_panels_have_ids_of_their_own_and_do_not_lie_on_each_other():
    ids = [each["id"] for each in BOARD["panels"]]
    assert len(set(ids)) == len(ids)
    taken = [
        (place["x"] + right, place["y"] + down)
        for place in (each["gridPos"] for each in BOARD["panels"])
        for right in range(place["w"])
        for down in range(place["h"])
    ]
    assert len(set(taken)) == len(taken)
    assert max(x for x, _ in taken) < 24


def test_the_data_source_is_whichever_the_reader_chooses():
    variables = {each["name"]: each for each in BOARD["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    text = json.dumps(BOARD)
    assert set(re.findall(r'"uid": "([^"]*)"', text)) == {"${datasource}", "provlog"}
    used = set(re.findall(r"\$\{?(\w+)", text)) - {"__rate_interval"}
    assert used == set(variables)
