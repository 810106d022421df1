"""Settings that hold for every test.

The profile `ci` draws the same examples in every run, so that a red test stays red
until somebody mends it. `HYPOTHESIS_PROFILE=nightly` searches on, further each time.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.livelog import LiveLog
from tests.liveservice import LiveService

settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("nightly", max_examples=2_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


MANY_PROCESSES = frozenset(
    {
        "test_ack.py",
        "test_anchor_page.py",
        "test_api_page.py",
        "test_batches.py",
        "test_crash.py",
        "test_demo.py",
        "test_negotiation.py",
        "test_openapi.py",
        "test_page.py",
        "test_public_names.py",
        "test_publication_kills.py",
        "test_publication_rollback.py",
        "test_publication_targets.py",
        "test_publication_witnesses.py",
        "test_races.py",
        "test_readme.py",
        "test_signed.py",
        "test_small_limits.py",
        "test_submit.py",
        "test_submitting.py",
        "test_tiles.py",
        "test_tls.py",
    }
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What starts many processes runs without coverage, in `make test` all the same.

    Under coverage each of them would cost as much again; the rest covers what they do.
    """
    for item in items:
        name = item.path.name
        if name in MANY_PROCESSES or name.startswith("test_service_"):
            item.add_marker(pytest.mark.exhaustive)


@pytest.fixture
def new_log(tmp_path: Path) -> Iterator[Callable[..., LiveLog]]:
    """Makes logs; each of them is audited, whole, when the test is over."""
    made: list[LiveLog] = []

    def make(name: str = "log", **options: Any) -> LiveLog:
        made.append(LiveLog(tmp_path / name, **options))
        return made[-1]

    yield make
    for each in made:
        if not each.given_up:
            each.check()


@pytest.fixture
def new_service(
    new_log: Callable[..., LiveLog],
) -> Iterator[Callable[..., LiveService]]:
    """Starts services of a new log, or of `live`; they are stopped, and audited."""
    started: list[LiveService] = []

    def start(
        live: LiveLog | None = None, *, name: str = "log", **options: Any
    ) -> LiveService:
        ours = {
            each: options.pop(each)
            for each in ("workers", "arguments", "environment", "wrapper")
            if each in options
        }
        live = live or new_log(name, **options)
        started.append(LiveService(live, **ours))
        return started[-1]

    yield start
    for each in started:
        each.stop()
