"""The rules for records in the log itself, so that what they mean stays checkable.

A new log has the schema in its second entry. A log that is older than the schema by
which it is written now, or has another profile, gets that as soon as it is written to
again; what was there before stays, for the old records.
"""

from __future__ import annotations

from ledger.log.log import Log
from ledger.log.own import profile_publish, schema_publish
from ledger.log.pool import Admitted


def missing_rules(log: Log) -> list[Admitted]:
    """By what records are judged now and what is not there yet, to be entered.

    Nothing, where nothing can be entered.
    """
    if log.charter.kind != "record" or log.hold:
        return []
    rules = [schema_publish(), *map(profile_publish, log.admission.profiles)]
    knows = log.registry.knows
    return [each for each in rules if each.identity and not knows(each.identity)]
