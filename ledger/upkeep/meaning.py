"""The rules for records in the log itself, so that what they mean stays checkable.

A new log has the schema in its second entry. A log that is older than the schema by
which it is written now, or has another profile, gets that before the next record; what
was there before stays, for the old records.
"""

from __future__ import annotations

from ledger.log.log import Log
from ledger.log.own import profile_publish, schema_publish


def enter_rules(log: Log) -> None:
    """Enter what records are judged by now, as far as it is not there yet."""
    if log.charter.kind != "record" or log.hold:
        return
    rules = [schema_publish(), *map(profile_publish, log.admission.profiles)]
    knows = log.registry.knows
    new = [each for each in rules if each.identity and not knows(each.identity)]
    if new:
        log.submit(new)
