"""What those outside say of a log, asked as every start asks them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ledger.errors import Held
from ledger.log.look import Look
from ledger.log.recovery import check_witnesses
from ledger.log.remote import RemoteAnchors
from ledger.log.states import mended_by
from ledger.log.targets import ask_targets

ANSWERS: Final = "answers"
NOT_ASKED: Final = "not asked"

Said = Held | str
"""What is wrong with an answer; or one of the above, or "" where nobody is there."""


def target_says(seen: Look, target: str, *, ask: bool) -> Said:
    """What is to be said of one target."""
    if not ask or not seen.signer:
        return NOT_ASKED
    keys = seen.signer.verifier_keys()
    folder, store = seen.home.folder, seen.store
    return _said(
        seen, lambda: ask_targets([target], folder=folder, store=store, keys=keys)
    )


def anchors_say(seen: Look, *, ask: bool) -> Said:
    """What is to be said of all anchors elsewhere."""
    if not seen.home.config.anchors:
        return ""
    if not ask:
        return NOT_ASKED

    def check() -> None:
        with RemoteAnchors.of(seen.home, seen.store.charter.origin) as anchors:
            anchors.check(seen.store)

    return _said(seen, check)


def witnesses_say(seen: Look, *, ask: bool) -> Said:
    """What is to be said of the witnesses of the log's policy."""
    if not seen.home.whom_to_believe().asks_witnesses:
        return ""
    signer, held = seen.signer, seen.held
    # Who writes just now has asked them, and they may have seen what came since.
    if not ask or seen.live or not signer or not held:
        return NOT_ASKED
    return _said(
        seen, lambda: check_witnesses(seen.home, seen.reading, signer, held, ())
    )


def _said(seen: Look, check: Callable[[], None]) -> Said:
    try:
        with mended_by(seen.home.folder):
            check()
    except Held as error:
        return error
    return ANSWERS
