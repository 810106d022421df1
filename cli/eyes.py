"""The witnesses that a log asks, for as long as one command takes."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import replace

from ledger.clock import read_clock
from ledger.log.home import Home
from ledger.witness.quorum import Witnesses
from verifier.policy import name_text


def eyes_of(
    home: Home, without: Collection[str] = ()
) -> AbstractContextManager[Witnesses | None]:
    """Those in its policy that have an address; None if there are none.

    Who is named in `without` is not asked, and not waited for; what is a quorum is
    as it was.
    """
    config, policy = home.config, home.whom_to_believe()
    if not any(each.url for each in policy.witnesses.values()):
        return nullcontext()
    asked = {
        name: replace(each, url=None) if name_text(name) in without else each
        for name, each in policy.witnesses.items()
    }
    policy = replace(policy, witnesses=asked)
    return closing(
        Witnesses(
            policy,
            reach=config.reach,
            timeout_s=config.witness_timeout_ms / 1000,
            clock=read_clock,
        )
    )
