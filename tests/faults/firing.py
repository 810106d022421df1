"""What Prometheus makes of a service: its numbers before a fault, and during it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families as families

from tests import tools
from tests.alerts import ALERTS, RULES
from tests.livelog import LiveLog
from tests.liveservice import LiveService

HOST = {"job": "provlog", "instance": "log.example:8422"}
BEFORE = 60
"""How many scrapes there are before the fault."""
OFTEN = "republish_s = 1\n"
"""So that all ages are young where nothing is wrong."""
OLD_S = 3.0
"""The age at which something is old, then."""
AGE_S = 2.5
"""What is older has grown as the clock did: before, it was renewed each second."""

Scraped = dict[tuple[str, tuple[tuple[str, str], ...]], float]
"""The samples by their names and labels."""


def scrape(service: LiveService) -> Scraped:
    """What Prometheus gets of a service, and whether it answers."""
    up: Scraped = {("up", tuple(HOST.items())): 1.0}
    try:
        text = service.ask("GET", "/metrics", operations=True).body.decode()
    except OSError:
        return dict.fromkeys(up, 0.0)
    return up | {
        (sample.name, tuple((sample.labels | HOST).items())): sample.value
        for family in families(text)
        for sample in family.samples
    }


def number(scraped: Scraped, name: str, **labels: str) -> float:
    """One of them; -1 where it is not there."""
    for (found, has), value in scraped.items():
        if found == f"provlog_{name}" and labels.items() <= dict(has).items():
            return value
    return -1.0


def when(service: LiveService, name: str, least: float, **labels: str) -> Scraped:
    """What is scraped as soon as one of the numbers is `least`, or more."""
    last: list[Scraped] = []

    def there() -> bool:
        last[:] = [scrape(service)]
        return number(last[0], name, **labels) >= least

    service.until(there)
    return last[0]


def fires(
    folder: Path,
    before: Scraped,
    after: Scraped,
    *alerts: tuple[str, dict[str, str]],
    every: str = "1m",
    lasts: int = 120,
    again: str = "",
) -> None:
    """While it was well nothing fires; these do, and no other, as long as it lasts.

    Ages grow on, the metric `again` goes on as it did between the two scrapes, and
    the rest stays as it is.
    """
    tools.need("promtool")
    unit = int(every[:-1]) * {"m": 60, "h": 3600}[every[-1]]
    fired = [(_alert(*each), 1) for each in alerts]
    expected = [{"labels": labels, "value": value} for labels, value in sorted(fired)]
    end = BEFORE + lasts
    tests = [
        ("ALERTS", BEFORE - 1, []),
        (
            f'max_over_time(ALERTS{{alertstate="firing"}}[{lasts * unit}s])',
            end,
            expected,
        ),
    ]
    document = {
        "rule_files": [str(RULES)],
        "evaluation_interval": every,
        "tests": [
            {
                "interval": every,
                "input_series": _series(before, after, unit, lasts, again),
                "promql_expr_test": [
                    {"expr": expr, "eval_time": f"{at * unit}s", "exp_samples": samples}
                    for expr, at, samples in tests
                ],
            }
        ],
    }
    path = folder / "alerts.test.json"
    path.write_text(json.dumps(document))
    command = ["promtool", "test", "rules", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


class Tried:
    """A service, what it told when it was well, and what its faults make fire."""

    def __init__(self, service, folder):
        self.service = service
        self.live = service.live
        self.folder = folder
        self.well = self.settled()

    def settled(self, least=0):
        """What is scraped when all of a log is public, and in the index."""
        last = []

        def is_settled():
            last[:] = [scrape(self.service)]
            names = ("head_size", "published_size", "index_covered")
            sizes = {number(last[0], each) for each in names}
            alive = number(last[0], "front_ends") == 1
            return alive and len(sizes) == 1 and min(sizes) >= least

        self.service.until(is_settled)
        return last[0]

    def fires(self, after, *alerts, before=None, **more):
        """See firing.fires; an alert is its name, or that and its labels."""
        whole = [each if isinstance(each, tuple) else (each, {}) for each in alerts]
        fires(self.folder, before or self.well, after, *whole, **more)


@contextmanager
def trying(folder: Path) -> Iterator[Any]:
    """Starts services below `folder`; they are stopped and audited at the end."""
    with ExitStack() as stack:

        def start(name, settings="", live=None, **options):
            kind = options.pop("kind", "opaque")
            if not live:
                (folder / name).mkdir()
                path = folder / name / "log"
                live = LiveLog(path, kind=kind, settings=OFTEN + settings)
            service = LiveService(live, **options)
            stack.callback(lambda: live.given_up or live.check())
            stack.callback(service.stop)
            return Tried(service, live.folder.parent)

        yield start


def _alert(name: str, labels: dict[str, str]) -> str:
    mine = {
        "alertname": name,
        "alertstate": "firing",
        "severity": ALERTS[name].severity,
        **HOST,
        **labels,
    }
    return _selector("", tuple(mine.items()))


def _selector(name: str, labels: tuple[tuple[str, str], ...]) -> str:
    words = (f"{label}={json.dumps(value)}" for label, value in sorted(labels))
    return f"{name}{{{', '.join(words)}}}"


def _series(
    before: Scraped, after: Scraped, unit: int, lasts: int, again: str
) -> list[dict[str, str]]:
    """Each number as it was again and again, and then as it is, for as long."""
    found = []
    for name, labels in sorted(before | after):
        was, now = before.get((name, labels)), after.get((name, labels))
        values = [f"_x{BEFORE}" if was is None else f"{was:f}+0x{BEFORE - 1}"]
        if now is None:
            values.append("stale")
        else:
            step = _step(name, was or 0.0, now, unit, again)
            values.append(f"{now:f}+{step:f}x{lasts}")
        series = _selector(name, labels)
        found.append({"series": series, "values": " ".join(values)})
    return found


def _step(name: str, was: float, now: float, unit: int, again: str) -> float:
    """By how much it grows from one scrape to the next."""
    if name == f"provlog_{again}":
        return max(0.0, now - was)
    ages = name.endswith(("_age_seconds", "_lag_seconds"))
    return float(unit) if ages and now > max(AGE_S, was + 1) else 0.0
