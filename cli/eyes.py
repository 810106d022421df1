"""The witnesses that a log asks, for as long as one command takes."""

from __future__ import annotations

from contextlib import AbstractContextManager, closing, nullcontext

from ledger.clock import read_clock
from ledger.log.home import Home
from ledger.witness.quorum import Witnesses


def eyes_of(home: Home) -> AbstractContextManager[Witnesses | None]:
    """Those in its policy that have an address; None if there are none."""
    config, policy = home.config, home.whom_to_believe()
    if not any(each.url for each in policy.witnesses.values()):
        return nullcontext()
    return closing(
        Witnesses(
            policy,
            reach=config.reach,
            timeout_s=config.witness_timeout_ms / 1000,
            clock=read_clock,
        )
    )
