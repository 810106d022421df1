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

TESTS = Path(__file__).parent

settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("nightly", max_examples=2_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


NOT_COVERED = frozenset(
    {
        "attacks/test_record_schema.py",
        "attacks/test_split_view.py",
        "attacks/test_statement_bombs.py",
        "capture/test_api_page.py",
        "capture/test_batches.py",
        "capture/test_crash.py",
        "capture/test_lies.py",
        "capture/test_statements.py",
        "capture/test_tls.py",
        "capture/test_waiting.py",
        "cli/test_append_ended.py",
        "cli/test_freeze.py",
        "cli/test_mirror.py",
        "cli/test_remote.py",
        "cli/test_restoring.py",
        "cli/test_status.py",
        "cli/test_submitting.py",
        "cli/test_tiles.py",
        "faults/test_public_names.py",
        "faults/test_publication_kills.py",
        "faults/test_publication_rollback.py",
        "faults/test_publication_targets.py",
        "faults/test_publication_witnesses.py",
        "faults/test_remote_anchor_faults.py",
        "faults/test_small_logs.py",
        "house/test_demo.py",
        "house/test_readme.py",
        "mirror/test_page.py",
        "monitor/test_page.py",
        "schema/test_page.py",
        "service/test_ack.py",
        "service/test_api_page.py",
        "service/test_batches.py",
        "service/test_express.py",
        "service/test_negotiation.py",
        "service/test_openapi.py",
        "service/test_profiles.py",
        "service/test_races.py",
        "service/test_signed.py",
        "service/test_small_limits.py",
        "service/test_submit.py",
        "service/test_submitting.py",
        "service/test_tiles.py",
        "service/test_tls.py",
        "service/test_witness_serve.py",
        "upkeep/test_fsck_beside.py",
        "witness/test_anchor_page.py",
        "witness/test_page.py",
    }
)
"""What starts many processes, or takes long; the floors of coverage hold without it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is not covered runs without coverage, in `make test` all the same.

    Under coverage each of them would cost as much again; the rest covers what they do.
    """
    for item in items:
        name = item.path.relative_to(TESTS).as_posix()
        if name in NOT_COVERED or item.path.name.startswith("test_service_"):
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
