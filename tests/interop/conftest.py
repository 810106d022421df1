"""Strangers: other people's programs, and the table of what they have seen."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.interop import page
from tests.interop.strangers import HAMMER, INTEGRATION, STRANGER, Ask, Theirs, size_of
from tests.livelog import LiveLog
from tests.liveservice import LiveService

ENTRIES = 600
SETTINGS = 'publish_interval_ms = 50\nreach = ["127.0.0.1"]\nindex = false\n'
_ROWS: list[page.Row] = []
_SKIPPED: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep the rows of a test that has passed; none where one was not run."""
    if report.skipped:
        _SKIPPED.append(report.nodeid)
    if report.when == "call" and report.passed:
        rows: list[Any] = [row for name, row in report.user_properties if name == "row"]
        _ROWS.extend(page.Row(*row) for row in rows)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write the page, once all is seen; in CI it has to be the one that is there."""
    asked = "INTEROP_PAGE" in os.environ and not hasattr(session.config, "workerinput")
    if asked and exitstatus == 0 and not _SKIPPED:
        page.keep(_ROWS, rewrite=os.environ.get("CI") != "true")


@pytest.fixture
def seen(record_property):
    """Enter a row of the table: who has looked at what, and what came of it."""

    def enter(who: str, what: str, result: str) -> None:
        record_property("row", [who, page.version(who), what, result])

    return enter


@pytest.fixture(scope="session")
def stranger() -> Ask:
    return Ask(STRANGER)


@pytest.fixture(scope="session")
def integration() -> Ask:
    return Ask(INTEGRATION)


@pytest.fixture(scope="session")
def hammer() -> Ask:
    return Ask(HAMMER)


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveService]:
    """A service of an opaque log of so many entries, all of them published."""
    live = LiveLog(tmp_path_factory.mktemp("ours") / "log", settings=SETTINGS)
    live.append(*(b"entry %d" % number for number in range(ENTRIES)))
    service = LiveService(live)
    try:
        service.until(lambda: size_of(service) >= ENTRIES)
        yield service
    finally:
        service.stop()
        live.check()


@pytest.fixture(scope="session")
def theirs(tmp_path_factory: pytest.TempPathFactory, stranger: Ask) -> Theirs:
    """A log of as many entries that Tessera wrote to a folder."""
    folder = tmp_path_factory.mktemp("theirs")
    key = folder / "key"
    vkey = stranger("log-key", "log.example/theirs", key).strip()
    stranger("write", folder / "log", key, ENTRIES)
    (folder / "policy").write_text(f"log {vkey}\nquorum none\n")
    return Theirs(folder / "log", vkey, folder / "policy")
