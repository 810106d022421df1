"""Programs and rights that some tests need: found, or the test says what is missing.

A developer without them sees a skipped test and the reason; the integration machine
(`CI=true`) has to have them, because there a skipped test would look like a passed
one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

LIBRARIES = {
    "libeatmydata": "libeatmydata.so*",
    "libfaketime": "faketime/libfaketimeMT.so*",
}
"""Preloaded libraries, and where Debian keeps them below its library folder."""


def need(*programs: str) -> None:
    """Return if all `programs` are installed, or skip the caller."""
    places = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    missing = [each for each in programs if not shutil.which(each, path=places)]
    if missing:
        _give_up(f"{', '.join(missing)} is not installed (Debian: see .ci/run)")


def library(name: str) -> str:
    """The path of a library to preload, or skip the caller."""
    found = sorted(Path("/usr/lib").glob(f"**/{LIBRARIES[name]}"))
    if not found:
        _give_up(f"{name} is not installed (Debian: see .ci/run)")
    return str(found[0])


def need_root() -> None:
    """Return if this process may mount file systems, or skip the caller."""
    if os.geteuid() != 0:
        _give_up("mounting a file system needs root")


def need_loop() -> None:
    """Return if there are loop devices that may be used, or skip the caller."""
    need("losetup")
    found = subprocess.run(["losetup", "-f"], capture_output=True, check=False)
    if found.returncode != 0:
        _give_up("this machine lends no loop devices")


def _give_up(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
