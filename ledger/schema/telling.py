"""What a record says, in plain words: a line for each thing that a reader asks.

Nothing is said that the record does not say, and what it says in members that are not
known here is named, so that nobody takes the lines for all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ledger.schema.kinds import KINDS
from ledger.schema.record import Record
from verifier.record import Record as Object

_KNOWN: Final = frozenset(Record.__struct_encode_fields__)
_UNTOLD: Final = (
    *("tenant", "project", "env", "env_ref", "environment", "trace", "iteration"),
    *("prompt", "usage", "memory", "risk", "identity", "evidence", "subjects"),
    "retention",
)
"""What has no line of its own; it is named, so that nobody takes it for not there."""
_ACROSS: Final = ("workflow_id", "session_id", "conversation_id", "task_id")
_SHORT: Final = 19
"""How much of a digest is shown: sha256: and twelve digits."""


def told(record: Object) -> list[tuple[str, str]]:
    """Labels, and what there is to be said under them, in the order of a story."""
    return [(label, says) for label, says in _lines(record) if says]


def _lines(record: Any) -> Iterator[tuple[str, str]]:
    kind = str(record.get("kind"))
    known = KINDS.get(kind)
    yield "what", f"{known.says if known else 'Something of its own.'} ({kind})"
    phase = record.get("phase")
    yield (
        "when",
        _joined(
            record.get("time"),
            f"to {record['end_time']}" if "end_time" in record else "",
            f"({phase})" if phase != "instant" else "",
        ),
    )
    yield "who", _somebody(record.get("actor"))
    for each in _list(record, "delegation"):
        yield "for", _somebody(each)
    yield from _with(record)
    for name in ("inputs", "outputs"):
        for each in _list(record, name):
            yield name[:-1], _artifact(each)
    yield from _judged(record)
    yield (
        "cost",
        _joined(*(_part(record, "cost").get(n) for n in ("amount", "currency"))),
    )
    for each in _list(record, "links"):
        yield "link", _joined(each.get("rel"), each.get("target"))
    for name in _ACROSS:
        yield "part of", _joined(name.removesuffix("_id"), record.get(name), all_=True)
    seen = _part(record, "capture")
    yield (
        "known by",
        _joined(
            _part(record, "producer").get("id"),
            f"as {seen.get('vantage')}, {seen.get('mode')}",
            f"number {seen['seq']}" if "seq" in seen else "",
            f"after {seen['dropped']} were lost" if seen.get("dropped") else "",
        ),
    )
    if sealed := _list(record, "commitments"):
        places = ", ".join("/".join(map(str, each.get("path", ()))) for each in sealed)
        yield "sealed", f"{len(sealed)} values: {places}"
    yield "besides", ", ".join(name for name in record if name not in _KNOWN)
    yield "not shown", ", ".join(name for name in _UNTOLD if name in record)


def _with(record: Any) -> Iterator[tuple[str, str]]:
    """With what: a model, a tool, a source, code."""
    model, tool, found = (_part(record, n) for n in ("model", "tool", "retrieval"))
    names = ("provider", "request_name", "alias", "version")
    yield "model", _joined(*(model.get(name) for name in names))
    if "response_name" in model:
        yield (
            "answered",
            _joined(model["response_name"], _bracketed(model, "assurance")),
        )
    params = _part(record, "params")
    yield "told", ", ".join(f"{name} {each}" for name, each in params.items())
    yield "tool", _joined(tool.get("name"), _bracketed(tool, "side_effect"))
    yield "source", _joined(found.get("source_id"), found.get("index_version"))
    for each in _list(found, "documents"):
        yield "found", _joined(each.get("id"), _short(each.get("digest")))
    code = _part(record, "code")
    head = code.get("head") or ""
    yield "code", _joined(code.get("repo"), code.get("branch"), head[:12])
    yield "handed to", _somebody(_part(record, "handoff").get("to"))


def _judged(record: Any) -> Iterator[tuple[str, str]]:
    """Under which rules, reviewed by whom, with what effect, and how it ended."""
    for each in _list(record, "policy"):
        yield (
            "rule",
            _joined(
                each.get("id"),
                each.get("version"),
                each.get("rule"),
                f"says {each.get('verdict')}",
                f"and was {each['action']}" if "action" in each else "",
            ),
        )
    review = _part(record, "review")
    yield "review", _joined(review.get("decision"), _bracketed(review, "role"))
    for each in _list(review, "shown"):
        yield "was shown", _joined(_short(each.get("digest")), _bracketed(each, "view"))
    effect = _part(record, "effect")
    by = effect.get("confirmed_by")
    yield "effect", _joined(effect.get("state"), f"by {by}" if by else "")
    found = _part(record, "evaluation")
    yield "measured", _joined(found.get("name"), found.get("score"), found.get("label"))
    ended = _part(record, "result")
    yield "ended", _joined(ended.get("status"), ended.get("error_type"))


def _somebody(actor: Any) -> str:
    if not isinstance(actor, dict):
        return ""
    version = actor.get("version")
    return _joined(
        actor.get("id"), _bracketed(actor, "type"), version and f"v{version}"
    )


def _artifact(each: Any) -> str:
    return _joined(each.get("role"), each.get("name"), _short(each.get("digest")))


def _short(digest: Any) -> str:
    return f"{digest[:_SHORT]}…" if isinstance(digest, str) else ""


def _bracketed(part: Any, name: str) -> str:
    return f"({part[name]})" if name in part else ""


def _joined(*words: Any, all_: bool = False) -> str:
    """The words that there are; with `all_`, nothing if one of them is not."""
    said = [str(each) for each in words if each not in (None, "")]
    return "" if all_ and len(said) < len(words) else " ".join(said)


def _part(record: Any, name: str) -> Any:
    found = record.get(name)
    return found if isinstance(found, dict) else {}


def _list(record: Any, name: str) -> list[Any]:
    found = record.get(name)
    some = found if isinstance(found, list) else []
    return [each for each in some if isinstance(each, dict)]
