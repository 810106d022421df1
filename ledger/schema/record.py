"""The record, version 1: what a producer says happened. One object, flat on top.

This is the one place where its members are named. The JSON Schema, the reference and
the checks are made from it.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from ledger.schema.kinds import KIND_PATTERN
from ledger.schema.parts import (
    Actor,
    Artifact,
    Capture,
    Code,
    Commitment,
    Cost,
    Delegate,
    Effect,
    Environment,
    Evaluation,
    Evidence,
    Handoff,
    Identity,
    Link,
    Memory,
    Model,
    Params,
    Part,
    Policy,
    Producer,
    Prompt,
    Result,
    Retention,
    Retrieval,
    Review,
    Risk,
    Tool,
    Trace,
    Usage,
)
from ledger.schema.words import (
    LEFT_OUT,
    Count,
    Digest,
    Id,
    Maybe,
    Name,
    Phase,
    Time,
    text,
)

SCHEMA: Final = "provlog/record/1"
VERSIONS: Final = (SCHEMA,)
"""The schemas that are known here, the oldest first."""

Kind = Annotated[
    str,
    text(
        KIND_PATTERN,
        "one of the kinds in docs/record.md, or one of your own as x-vendor.name",
        most=128,
    ),
]


class Record(Part, frozen=True, kw_only=True):
    """What happened: who did what, with what, under which rules, with what effect."""

    schema: Literal["provlog/record/1"]
    id: Id
    kind: Kind
    phase: Phase
    time: Time
    end_time: Maybe[Time] = LEFT_OUT
    tenant: Maybe[Name] = LEFT_OUT
    project: Maybe[Name] = LEFT_OUT
    env: Maybe[Name] = LEFT_OUT
    producer: Producer
    capture: Capture
    actor: Actor
    delegation: Maybe[list[Delegate]] = LEFT_OUT
    trace: Maybe[Trace] = LEFT_OUT
    workflow_id: Maybe[Name] = LEFT_OUT
    session_id: Maybe[Name] = LEFT_OUT
    conversation_id: Maybe[Name] = LEFT_OUT
    task_id: Maybe[Name] = LEFT_OUT
    iteration: Maybe[Count] = LEFT_OUT
    links: Maybe[list[Link]] = LEFT_OUT
    inputs: Maybe[list[Artifact]] = LEFT_OUT
    outputs: Maybe[list[Artifact]] = LEFT_OUT
    prompt: Maybe[Prompt] = LEFT_OUT
    model: Maybe[Model] = LEFT_OUT
    params: Maybe[Params] = LEFT_OUT
    result: Maybe[Result] = LEFT_OUT
    usage: Maybe[Usage] = LEFT_OUT
    cost: Maybe[Cost] = LEFT_OUT
    tool: Maybe[Tool] = LEFT_OUT
    retrieval: Maybe[Retrieval] = LEFT_OUT
    memory: Maybe[Memory] = LEFT_OUT
    handoff: Maybe[Handoff] = LEFT_OUT
    policy: Maybe[list[Policy]] = LEFT_OUT
    review: Maybe[Review] = LEFT_OUT
    effect: Maybe[Effect] = LEFT_OUT
    evaluation: Maybe[Evaluation] = LEFT_OUT
    risk: Maybe[Risk] = LEFT_OUT
    code: Maybe[Code] = LEFT_OUT
    environment: Maybe[Environment] = LEFT_OUT
    env_ref: Maybe[Digest] = LEFT_OUT
    identity: Maybe[Identity] = LEFT_OUT
    evidence: Maybe[list[Evidence]] = LEFT_OUT
    subjects: Maybe[list[Name]] = LEFT_OUT
    retention: Maybe[Retention] = LEFT_OUT
    commitments: Maybe[list[Commitment]] = LEFT_OUT
