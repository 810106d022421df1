"""Where the numbers are kept, and how they become the text of /metrics.

A process counts in plain dicts. The one that answers for /metrics merges what the
others have counted, and writes the text.
"""

from __future__ import annotations

import math
import threading
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry
from prometheus_client import generate_latest as text_of
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.registry import Collector

from ledger.metrics import METRICS, Metric

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
"""The oldest form of the text, which everything that scrapes can read."""
MAX_SERIES: Final = 1_000
"""How many combinations of labels a metric may have: all routes by all statuses."""
OTHER: Final = "other"
"""What stands for the labels of all further ones; it is there after a mistake only."""
_BY_NAME: Final = {each.name: each for each in METRICS}

Row = tuple[str, Sequence[str], Sequence[float]]
"""A metric's name, its labels' values and its numbers, as they go between processes."""
_Key = tuple[str, tuple[str, ...]]
_Cells = dict[_Key, list[float]]


class Counts:
    """The numbers of one process, from any of its threads, and those merged into it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._new: _Cells = {}
        """What this process has counted since the last take."""
        self._kept: _Cells = {}
        """What it had counted before, and what others have ever counted."""
        self._gauges: dict[_Key, float] = {}
        self._others: dict[str, dict[_Key, float]] = {}
        """The gauges of other processes, by their source."""

    def add(self, metric: Metric, amount: float = 1, *labels: str) -> None:
        """Count `amount` more."""
        with self._lock:
            cell = self._new.get((metric.name, labels))
            if cell is None:
                cell = _begin(self._new, metric, labels, "counter")
            cell[0] += amount

    def observe(self, metric: Metric, value: float, *labels: str) -> None:
        """Count `value` in the bucket that it belongs to."""
        with self._lock:
            cell = self._new.get((metric.name, labels))
            if cell is None:
                cell = _begin(self._new, metric, labels, "histogram")
            cell[bisect_left(metric.buckets, value)] += 1
            cell[-1] += value

    def set(self, metric: Metric, value: float, *labels: str) -> None:
        """Say that it is `value` now."""
        key = metric.name, labels
        with self._lock:
            if key not in self._gauges:
                key = _bounded(self._gauges, metric, labels, "gauge")
            self._gauges[key] = value

    def take(self) -> list[Row]:
        """What this process has counted since the last take, and what its gauges say.

        The rows are for one merge in another process, as JSON or MessagePack.
        """
        with self._lock:
            rows = [(*key, cell) for key, cell in self._new.items() if any(cell)]
            for key, cell in self._new.items():
                _add(self._kept, key, cell)
                self._new[key] = [0] * len(cell)
            rows += [(*key, [value]) for key, value in self._gauges.items()]
        return list(rows)

    def merge(self, rows: Iterable[Row], source: str) -> None:
        """Add what `source` has taken; its gauges replace those that it had here.

        Raises ValueError, and adds nothing, if the rows are not what a take gives.
        """
        checked = [_checked(row) for row in rows]
        gauges: dict[_Key, float] = {}
        with self._lock:
            for metric, labels, numbers in checked:
                if metric.kind == "gauge":
                    gauges[_bounded(gauges, metric, labels, "gauge")] = numbers[0]
                else:
                    key = _bounded(self._kept, metric, labels, metric.kind)
                    _add(self._kept, key, numbers)
            self._others[source] = gauges

    def forget(self, source: str) -> None:
        """`source` has ended: its gauges go. What it has counted was, and stays."""
        with self._lock:
            self._others.pop(source, None)

    def render(self) -> bytes:
        """All of it, as the text that Prometheus reads."""
        with self._lock:
            cells = {key: list(cell) for key, cell in self._kept.items()}
            for key, cell in self._new.items():
                _add(cells, key, cell)
            for gauges in (self._gauges, *self._others.values()):
                for key, value in gauges.items():
                    _add(cells, key, [value])
        registry = CollectorRegistry()
        registry.register(_Shown(cells))
        return text_of(registry)


class _Shown(Collector):
    """The cells, as the families that the library knows how to write."""

    def __init__(self, cells: Mapping[_Key, Sequence[float]]) -> None:
        self._cells = sorted(cells.items())

    def collect(self) -> Iterable[Any]:
        for metric in METRICS:
            found = {
                labels: cell
                for (name, labels), cell in self._cells
                if name == metric.name
            }
            # What can only be counted is 0 before: an alert needs to see it rise.
            if not metric.labels and metric.kind != "gauge":
                found.setdefault((), [0] * metric.numbers)
            yield _family(metric, found)


def _family(metric: Metric, found: Mapping[tuple[str, ...], Sequence[float]]) -> Any:
    if metric.kind == "histogram":
        histogram = HistogramMetricFamily(
            metric.name, metric.says, labels=metric.labels
        )
        bounds = [*map(str, metric.buckets), "+Inf"]
        for labels, (*counts, total) in found.items():
            up_to = [sum(counts[: at + 1]) for at in range(len(counts))]
            buckets = list(zip(bounds, up_to, strict=True))
            histogram.add_metric(labels, buckets, total)
        return histogram
    kinds = {"counter": CounterMetricFamily, "gauge": GaugeMetricFamily}
    family = kinds[metric.kind](metric.name, metric.says, labels=metric.labels)
    for labels, (number,) in found.items():
        family.add_metric(labels, number)
    return family


def _begin(
    cells: _Cells, metric: Metric, labels: tuple[str, ...], kind: str
) -> list[float]:
    """The cell of a combination of labels that has none yet."""
    key = _bounded(cells, metric, labels, kind)
    return cells.setdefault(key, [0] * metric.numbers)


def _bounded(
    known: Collection[_Key], metric: Metric, labels: tuple[Any, ...], kind: str
) -> _Key:
    """Where these labels are counted: with all others, where there are too many."""
    key = metric.name, labels
    if key in known:
        return key
    # Text that cannot be encoded would be the end of every answer to /metrics.
    words = all(isinstance(each, str) and each.isascii() for each in labels)
    if kind != metric.kind or len(labels) != len(metric.labels) or not words:
        wanted = ", ".join(metric.labels) or "none"
        raise TypeError(f"{metric.name} is a {metric.kind}; its labels are: {wanted}")
    if sum(name == metric.name for name, _ in known) >= MAX_SERIES:
        return metric.name, (OTHER,) * len(labels)
    return key


def _add(cells: _Cells, key: _Key, numbers: Sequence[float]) -> None:
    before = cells.get(key) or [0] * len(numbers)
    cells[key] = [sum(both) for both in zip(before, numbers, strict=True)]


def _checked(row: Row) -> tuple[Metric, tuple[str, ...], Sequence[float]]:
    """A row from another process: one that has gone wrong must not spoil the rest."""
    try:
        name, labels, numbers = row
        metric = _BY_NAME[name]
        _, values = _bounded((), metric, tuple(labels), metric.kind)
        least = -math.inf if metric.kind == "gauge" else 0
        if len(numbers) == metric.numbers and all(
            math.isfinite(each) and each >= least for each in numbers
        ):
            return metric, values, numbers
    except (KeyError, TypeError, ValueError, OverflowError):
        pass
    raise ValueError(f"this is no row of metrics: {str(row)[:80]!r}")
