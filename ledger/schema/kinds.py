"""The kinds of records: what each is for, and what it cannot be without.

The list is closed, so that everybody means the same by a kind; whoever needs another
one calls it x-vendor.name, and this log keeps it without asking what is in it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple


class Kind(NamedTuple):
    """What it says happened, and the members that it needs, by their paths.

    `needs` holds always, `done` where it has ended: in the phases of `DONE`. A member
    of a list is meant by the list: there is at least one.
    """

    says: str
    needs: tuple[str, ...] = ()
    done: tuple[str, ...] = ()


DONE: Final = ("instant", "end", "effect")
"""The phases in which something has ended."""
_STATUS: Final = ("result.status",)

KINDS: Final[dict[str, Kind]] = {
    "workflow.start": Kind(
        "A process begins: the root of its story.", ("workflow_id",)
    ),
    "workflow.end": Kind("It has ended.", ("workflow_id", *_STATUS)),
    "agent.start": Kind("An agent begins its part.", ("workflow_id",)),
    "agent.end": Kind("It has ended its part.", ("workflow_id", *_STATUS)),
    "plan": Kind("An agent has decided what to do.", ("outputs",)),
    "inference": Kind(
        "A model was asked, and answered.",
        ("model.request_name", "inputs"),
        _STATUS,
    ),
    "embedding": Kind(
        "Something became a vector.", ("model.request_name", "inputs"), _STATUS
    ),
    "retrieval": Kind("Something was looked up.", ("retrieval.source_id",), _STATUS),
    "tool.call": Kind("A tool was called.", ("tool.name", "tool.side_effect"), _STATUS),
    "memory": Kind(
        "An agent remembered, or forgot.", ("memory.operation", "memory.store_id")
    ),
    "handoff": Kind("Somebody else goes on.", ("handoff.to",)),
    "policy.decision": Kind("A rule was asked.", ("policy",)),
    "evaluation": Kind("Something was measured.", ("evaluation.name",)),
    "review.request": Kind("Somebody is asked to look.", ("review.shown",)),
    "review.decision": Kind(
        "Somebody has looked, and decided.", ("review.decision", "review.shown")
    ),
    "action.effect": Kind("The world was changed, or is to be.", ("effect.state",)),
    "content.publish": Kind("Content became public.", ("outputs",)),
    "dataset.version": Kind("A dataset has a new version.", ("outputs",)),
    "model.register": Kind(
        "A model is known from now on.", ("model.version", "model.digest")
    ),
    "model.derive": Kind(
        "A model was made from another.", ("model.base", "model.digest")
    ),
    "model.alias": Kind(
        "A name leads to another version.", ("model.alias", "model.version")
    ),
    "model.retire": Kind("A model is used no more.", ("model.version",)),
    "environment.snapshot": Kind(
        "What programs run in, by digest.", ("environment.digest",)
    ),
    "requirement": Kind("What is wanted.", ("outputs",)),
    "ticket": Kind("What somebody asked for.", ("outputs",)),
    "code.session": Kind(
        "Somebody worked on code with a model.", ("code.repo", "session_id")
    ),
    "code.change": Kind("Code was changed.", ("code.repo", "code.head")),
    "merge": Kind("A change was merged.", ("code.repo", "code.head", "links")),
    "build": Kind("Something was built.", ("inputs", "outputs"), _STATUS),
    "test.result": Kind("Tests were run.", ("evaluation.name",), _STATUS),
    "scan.result": Kind("Something was scanned.", ("evaluation.name",), _STATUS),
    "release": Kind("Something was released.", ("outputs",)),
    "deploy": Kind("Something was deployed.", ("inputs", "env"), _STATUS),
    "rollback": Kind("Something was taken back.", ("links", "env"), _STATUS),
    "incident": Kind("Something went wrong.", ("links",)),
    "credential.change": Kind("A credential is another one.", ("identity.id",)),
    "identity.register": Kind(
        "An identity is known from now on.", ("identity.id", "identity.type")
    ),
    "identity.revoke": Kind(
        "An identity is valid no more.", ("identity.id", "identity.cause")
    ),
    "annotation": Kind("Something is added to, or corrected.", ("links",)),
    "payload.access": Kind("Somebody has read what is sealed.", ("links",)),
    "erasure": Kind("Something sealed was made unreadable.", ("links",)),
    "hold": Kind("Something may not be erased.", ("links", "retention")),
    "capture.gap": Kind("Records were lost: how many.", ("capture.dropped",)),
    "capture.heartbeat": Kind("Nothing happened, and the producer is there."),
    "capture.seal": Kind("A producer has ended, and this was all.", ("capture.seq",)),
    "schema.publish": Kind("What records mean, by digest.", ("outputs",)),
    "policy.publish": Kind("A policy, by digest.", ("outputs",)),
    "key.rotate": Kind("A key took another one's place.", ("identity.key_id",)),
    "import": Kind("Records came from elsewhere.", ("inputs",)),
}

VENDOR: Final = r"x-[a-z0-9]+(?:[.-][a-z0-9_]+)+"
KIND_PATTERN: Final = "|".join([*(each.replace(".", r"\.") for each in KINDS), VENDOR])


@lru_cache(maxsize=1_024)
def needs_of(kind: str, phase: str) -> tuple[tuple[str, ...], ...]:
    """The members that a record of this kind needs in this phase, by their paths."""
    known = KINDS.get(kind)
    if known is None:
        return ()
    needs = known.needs + (known.done if phase in DONE else ())
    return tuple(tuple(each.split(".")) for each in needs)
