"""A log with entries, and whole copies of it: what most tests of upkeep begin with.

Each module that takes these fixtures says with `SIZE` how many entries it wants.
"""

import pytest

from ledger.upkeep.copies import backup
from tests.upkeep.spoil import entries, public


@pytest.fixture
def log(request, new_log):
    """A log of as many entries as the module says."""
    log = new_log()
    log.append(*entries(request.module.SIZE))
    return log


@pytest.fixture
def copy(log, tmp_path):
    """A backup of it."""
    backup(log.folder, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.fixture
def copies(log, tmp_path):
    """Whole copies of the log: a backup, and an exported folder."""
    backup(log.folder, tmp_path / "backup")
    public(log, tmp_path / "public")
    return {"backup": str(tmp_path / "backup"), "export": str(tmp_path / "public")}
