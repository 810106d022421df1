"""Records in one line each: what every record has is said once, to a Recorder.

    desk = Recorder(actor="agent:refunds", producer="refunds-1")
    client.store(desk.inference("claims-7b", inputs=[of_text(question)]))

What it makes is a dict, which can be added to; the log looks at all of it, and says
what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from capture.artifacts import Artifact, artifacts_in, called, digest_in, environment
from capture.ids import IDS

SCHEMA: Final = "provlog/record/1"
_TYPES: Final = {
    "person": "human",
    "human": "human",
    "agent": "agent",
    "service": "service",
    "model": "model",
    "system": "system",
}
_OK: Final = "ok"
_POLICY: Final = {
    "action",
    "bundle_digest",
    "engine",
    "evaluated",
    "reason",
    "reason_code",
    "rule",
    "version",
}


class Recorder:
    """Makes the records of one actor, as one producer says what happened.

    `actor` is an id such as "agent:refunds" or "person:7f3c", whose beginning says of
    which type it is, or the object that a record has. What `always` has, such as
    workflow_id, trace or tenant, is in each record.
    """

    def __init__(
        self,
        *,
        actor: str | Mapping[str, Any],
        producer: str | Mapping[str, Any],
        vantage: str = "self",
        mode: str = "committed",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_id: Callable[[], str] = IDS.new,
        **always: Any,
    ) -> None:
        self._now = now
        self._new_id = new_id
        self._always = {
            "producer": {"id": producer} if isinstance(producer, str) else {**producer},
            "capture": {"vantage": vantage, "mode": mode},
            "actor": _actor(actor),
            **always,
        }

    def record(
        self, kind: str, *, phase: str = "instant", **members: Any
    ) -> dict[str, Any]:
        """A record of any kind; members that are None, or empty, are left out."""
        at = self._now().astimezone(UTC)
        return {
            "schema": SCHEMA,
            "id": self._new_id(),
            "kind": kind,
            "phase": phase,
            "time": f"{at:%Y-%m-%dT%H:%M:%S.%f}Z",
            **self._always,
            **{name: each for name, each in members.items() if _is_there(each)},
        }

    def workflow_start(self, workflow_id: str, **members: Any) -> dict[str, Any]:
        """A process begins; give `workflow_id` to the Recorder of what follows."""
        return self.record("workflow.start", workflow_id=workflow_id, **members)

    def workflow_end(
        self, workflow_id: str, *, status: str = _OK, **members: Any
    ) -> dict[str, Any]:
        """It has ended."""
        ended: dict[str, Any] = {
            "workflow_id": workflow_id,
            "result": {"status": status},
        }
        return self.record("workflow.end", phase="end", **ended | members)

    def inference(
        self,
        model: str | Mapping[str, Any],
        *,
        inputs: Sequence[Artifact],
        outputs: Sequence[Artifact] = (),
        status: str = _OK,
        **members: Any,
    ) -> dict[str, Any]:
        """A model was asked, and answered."""
        asked = {"request_name": model} if isinstance(model, str) else {**model}
        said = {
            "inputs": artifacts_in(inputs, "inputs"),
            "outputs": artifacts_in(outputs, "outputs"),
        }
        result = {"status": status}
        return self.record("inference", model=asked, result=result, **said | members)

    def retrieval(
        self,
        source_id: str,
        *,
        documents: Sequence[Mapping[str, Any]] = (),
        query_digest: str = "",
        status: str = _OK,
        **members: Any,
    ) -> dict[str, Any]:
        """Something was looked up; each document has an id, and may have a digest."""
        found = _some(
            source_id=source_id, documents=list(documents), query_digest=query_digest
        )
        return self.record(
            "retrieval", retrieval=found, result={"status": status}, **members
        )

    def tool_call(
        self,
        name: str,
        *,
        side_effect: str,
        args: Artifact | None = None,
        result: Artifact | None = None,
        status: str = _OK,
        **members: Any,
    ) -> dict[str, Any]:
        """A tool was called; `side_effect` is none, read, write or destructive."""
        tool = _some(
            name=name,
            side_effect=side_effect,
            args_digest=digest_in(args, "args"),
            result_digest=digest_in(result, "result"),
        )
        return self.record("tool.call", tool=tool, result={"status": status}, **members)

    def policy_decision(
        self, policy_id: str, verdict: str, **members: Any
    ) -> dict[str, Any]:
        """A rule was asked; the verdict is allow, deny, require_review or undefined.

        Of `members` those of a policy are the rule's: version, rule, action, engine,
        bundle_digest, reason, reason_code, evaluated. The others are the record's.
        """
        asked = {"id": policy_id, "verdict": verdict, "evaluated": True}
        asked |= {name: members.pop(name) for name in [*members] if name in _POLICY}
        return self.record("policy.decision", policy=[asked], **members)

    def review_request(
        self, shown: Sequence[Artifact], *, view: str = "full", **members: Any
    ) -> dict[str, Any]:
        """Somebody is asked to look at what is `shown`: full, a summary, or none."""
        return self.record(
            "review.request", review={"shown": _shown(shown, view)}, **members
        )

    def review_decision(
        self,
        decision: str,
        *,
        shown: Sequence[Artifact],
        view: str = "full",
        role: str = "",
        **members: Any,
    ) -> dict[str, Any]:
        """The actor has looked, and decided: approved, rejected, …"""
        review = _some(decision=decision, shown=_shown(shown, view), role=role)
        return self.record("review.decision", review=review, **members)

    def effect(
        self,
        state: str,
        *,
        request: Artifact | None = None,
        response: Artifact | None = None,
        confirmed_by: str = "",
        **members: Any,
    ) -> dict[str, Any]:
        """The world is to change: planned, dispatched, and then confirmed or failed."""
        effect = _some(
            state=state,
            request_digest=digest_in(request, "request"),
            response_digest=digest_in(response, "response"),
            confirmed_by=confirmed_by,
        )
        phase = "intent" if state == "planned" else "effect"
        return self.record("action.effect", phase=phase, effect=effect, **members)

    def handoff(self, to: str | Mapping[str, Any], **members: Any) -> dict[str, Any]:
        """Somebody else goes on."""
        return self.record("handoff", handoff={"to": _actor(to)}, **members)

    def annotation(self, rel: str, target: str, **members: Any) -> dict[str, Any]:
        """Something is added to what was logged; nothing is ever changed in it."""
        return self.record("annotation", links=[link(rel, target)], **members)

    def environment_snapshot(self, **members: Any) -> dict[str, Any]:
        """What this program runs in; others say `env_ref`, the digest in it."""
        return self.record("environment.snapshot", environment=environment(), **members)


def link(rel: str, target: str | Mapping[str, Any]) -> dict[str, Any]:
    """A link to a target of one of the known forms, or to a record that was made."""
    if isinstance(target, str):
        return {"rel": rel, "target": target}
    given: Any = target
    if not isinstance(given, Mapping) or not isinstance(given.get("id"), str):
        raise TypeError(
            "a link leads to one of the forms of a target, such as sha256:…, or to a "
            f"record that a Recorder has made, and not to {called(given)}"
        )
    return {"rel": rel, "target": f"rec:{given['id']}"}


def _actor(actor: str | Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(actor, str):
        return {**actor}
    kind = _TYPES.get(actor.partition(":")[0])
    if kind is None:
        known = ", ".join(f"{each}:…" for each in _TYPES)
        raise ValueError(
            f"an actor's id begins with its type, {known}; or give an object"
        )
    return {"id": actor, "type": kind}


def _shown(artifacts: Sequence[Artifact], view: str) -> list[dict[str, Any]]:
    return [
        _some(digest=each.get("digest"), view=view, name=each.get("name"))
        for each in artifacts_in(artifacts, "shown")
    ]


def _some(**members: Any) -> dict[str, Any]:
    return {name: each for name, each in members.items() if _is_there(each)}


def _is_there(value: Any) -> bool:
    return value is not None and value not in ("", [], {})
