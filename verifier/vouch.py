"""Who vouches for a checkpoint, in the words of a report."""

from __future__ import annotations

from verifier.policy import Policy, name_text
from verifier.report import Report, time_text
from verifier.spelling import digest_text
from verifier.trust import Limits, TrustedCheckpoint


def note_trust(
    trusted: TrustedCheckpoint, policy: Policy, limits: Limits, report: Report
) -> None:
    """Note who stands for a checkpoint, and that it keeps to the limits."""
    note_log(trusted, report)
    names = {name_text(name): time for name, time in trusted.cosigned.items()}
    if policy.asks_witnesses:
        says = ", ".join(
            f"{name} at {time_text(time)}" if time else f"{name}, without a time"
            for name, time in names.items()
        )
        report.holds("quorum", f"cosigned by {says}", witnesses=names)
    else:
        says = "the policy asks no witness; the log may show others another tree"
        report.notes("quorum", says, witnesses=names)
    if limits.max_age_s is not None:
        says = f"last stood for at {time_text(trusted.newest or 0)}"
        report.holds("age", says, newest=trusted.newest, now=limits.now)
    if limits.final is not None:
        says = f"not beyond the final tree of {limits.final[0]} entries"
        report.holds("final", says, final_size=limits.final[0])


def note_log(trusted: TrustedCheckpoint, report: Report) -> None:
    """Note which log signed, and what."""
    checkpoint = trusted.checkpoint
    report.holds(
        "log",
        f"{checkpoint.origin} signed size {checkpoint.size}, "
        f"root {digest_text(checkpoint.root)}",
        origin=checkpoint.origin,
        size=checkpoint.size,
        root=checkpoint.root.hex(),
        keys=[f"{key.name}+{key.id.hex()}" for key in trusted.logs],
    )
