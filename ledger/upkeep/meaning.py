"""The rules for records in the log itself, so that what they mean stays checkable.

A new log has the schema in its second entry. A log that is older than the schema by
which it is written now, or has another profile, gets that as soon as it is written to
again; what was there before stays, for the old records. Which profiles are demanded
from where on, and that one is demanded no more, is an entry each time it changes.
"""

from __future__ import annotations

from ledger.log.identity import rules_identity
from ledger.log.log import Log
from ledger.log.own import profile_publish, rules_apply, schema_publish
from ledger.log.pool import Admitted
from verifier.entry import Entry
from verifier.own import parse_own


def missing_rules(log: Log) -> list[Admitted]:
    """By what records are judged now and what is not there yet, to be entered.

    Nothing, where nothing can be entered.
    """
    if log.charter.kind != "record" or log.hold:
        return []
    profiles = log.admission.profiles
    rules = [schema_publish(), *map(profile_publish, profiles)]
    knows = log.registry.knows
    missing = [each for each in rules if each.identity and not knows(each.identity)]
    number, applied = _applied(log)
    demanded = [each.digest for each in profiles]
    if demanded != applied:
        missing.append(rules_apply(number, demanded))
    return missing


def _applied(log: Log) -> tuple[int, list[str]]:
    """How often it was entered what is demanded, and the profiles of the last time."""
    number, index = 0, None
    with log.store.snapshot() as snapshot:
        while True:
            identity = rules_identity(number)
            found = snapshot.find([identity]).get(identity)
            if found is None or found >= log.head.size:
                break
            number, index = number + 1, found
    if index is None:
        return number, []
    profiles: list[str] = parse_own(Entry.parse(log.reading.entry(index)))["profiles"]
    return number, profiles
