"""The parts of a record: each answers one question about what happened.

A member that nobody here knows is kept, and logged as it is: records of tomorrow can
say more. What a member means never changes; that would be another schema.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from ledger.schema.words import (
    LEFT_OUT,
    Commit,
    Count,
    Currency,
    Decimal,
    Digest,
    Hex16,
    Hex32,
    Integer,
    Maybe,
    MediaType,
    Name,
    PathStep,
    Relation,
    Status,
    Target,
    Time,
)

Sealable = Any
"""Open, or in its place nothing and a commitment to it."""


class Part(Struct, frozen=True):
    """An object within a record."""


class Actor(Part, frozen=True):
    """Who: a person, under a pseudonym, an agent, a service, a model or a system."""

    id: Name
    type: Literal["human", "agent", "service", "model", "system"]
    name: Maybe[Name] = LEFT_OUT
    version: Maybe[Name] = LEFT_OUT


class Producer(Part, frozen=True):
    """The program that says so."""

    id: Name
    software: Maybe[Name] = LEFT_OUT
    version: Maybe[Name] = LEFT_OUT
    key_id: Maybe[Name] = LEFT_OUT


class Capture(Part, frozen=True):
    """How it came to be known: from where it was seen, how much, and what is missing.

    `seq` counts the records of one producer, `prev` is the digest of the one before:
    so whoever reads all of them sees a gap. `dropped` says how many there were.
    """

    vantage: Literal["self", "sdk", "proxy", "gateway", "provider", "import"]
    mode: Literal["full", "committed", "metadata"]
    seq: Maybe[Count] = LEFT_OUT
    prev: Maybe[Digest] = LEFT_OUT
    dropped: Maybe[Count] = LEFT_OUT


class Grant(Part, frozen=True):
    """What allows to act for somebody."""

    type: Name
    id_hash: Maybe[Digest] = LEFT_OUT
    scopes: Maybe[list[Name]] = LEFT_OUT
    expires: Maybe[Time] = LEFT_OUT


class Delegate(Part, frozen=True):
    """One step of who acts for whom, as RFC 8693 nests `act`."""

    id: Name
    type: Literal["human", "agent", "service", "model", "system"]
    grant: Maybe[Grant] = LEFT_OUT
    evidence_digest: Maybe[Digest] = LEFT_OUT


class Trace(Part, frozen=True):
    """W3C Trace Context."""

    trace_id: Hex32
    span_id: Maybe[Hex16] = LEFT_OUT
    parent_span_id: Maybe[Hex16] = LEFT_OUT


class Link(Part, frozen=True):
    """How this relates to something else."""

    rel: Relation
    target: Target
    digest: Maybe[Digest] = LEFT_OUT


class Artifact(Part, frozen=True):
    """What went in, or came out: by its digest, or by a commitment to its content."""

    role: Maybe[Name] = LEFT_OUT
    name: Maybe[Name] = LEFT_OUT
    media_type: Maybe[MediaType] = LEFT_OUT
    digest: Maybe[Digest] = LEFT_OUT
    content: Maybe[Sealable] = LEFT_OUT
    size: Maybe[Count] = LEFT_OUT
    payload_ref: Maybe[Name] = LEFT_OUT
    as_of: Maybe[Time] = LEFT_OUT
    tags: Maybe[list[Name]] = LEFT_OUT


class Prompt(Part, frozen=True):
    """The template that a prompt was made from."""

    name: Maybe[Name] = LEFT_OUT
    version: Maybe[Name] = LEFT_OUT
    template_digest: Maybe[Digest] = LEFT_OUT
    variables: Maybe[Sealable] = LEFT_OUT


class Model(Part, frozen=True):
    """Which model: as it was asked for, as it answered, and how sure that is."""

    provider: Maybe[Name] = LEFT_OUT
    request_name: Maybe[Name] = LEFT_OUT
    response_name: Maybe[Name] = LEFT_OUT
    version: Maybe[Name] = LEFT_OUT
    digest: Maybe[Digest] = LEFT_OUT
    fingerprint: Maybe[Name] = LEFT_OUT
    registry_ref: Maybe[Name] = LEFT_OUT
    alias: Maybe[Name] = LEFT_OUT
    base: Maybe[Target] = LEFT_OUT
    adapters: Maybe[list[Target]] = LEFT_OUT
    method: Maybe[Name] = LEFT_OUT
    assurance: Maybe[
        Literal["verified-signature", "registry-match", "vendor-claim", "self-claim"]
    ] = LEFT_OUT


class Params(Part, frozen=True):
    """What the model was told besides."""

    temperature: Maybe[Decimal] = LEFT_OUT
    top_p: Maybe[Decimal] = LEFT_OUT
    top_k: Maybe[Count] = LEFT_OUT
    max_tokens: Maybe[Count] = LEFT_OUT
    seed: Maybe[Integer] = LEFT_OUT
    stop: Maybe[Sealable] = LEFT_OUT
    stream: Maybe[bool] = LEFT_OUT


class Result(Part, frozen=True):
    """How it ended."""

    status: Status
    finish_reasons: Maybe[list[Name]] = LEFT_OUT
    response_id: Maybe[Name] = LEFT_OUT
    error_type: Maybe[Name] = LEFT_OUT


class Usage(Part, frozen=True):
    """Tokens."""

    input: Maybe[Count] = LEFT_OUT
    output: Maybe[Count] = LEFT_OUT
    reasoning: Maybe[Count] = LEFT_OUT
    cache_read: Maybe[Count] = LEFT_OUT
    cache_write: Maybe[Count] = LEFT_OUT


class Cost(Part, frozen=True):
    """What it cost, by which prices."""

    amount: Decimal
    currency: Currency
    price_table: Maybe[Name] = LEFT_OUT
    estimated: Maybe[bool] = LEFT_OUT
    cost_center: Maybe[Name] = LEFT_OUT


class Tool(Part, frozen=True):
    """Which tool, called with what, and whether it changes the world."""

    name: Name
    side_effect: Literal["none", "read", "write", "destructive"]
    type: Maybe[Name] = LEFT_OUT
    server: Maybe[Name] = LEFT_OUT
    call_id: Maybe[Name] = LEFT_OUT
    definition_digest: Maybe[Digest] = LEFT_OUT
    args: Maybe[Sealable] = LEFT_OUT
    args_digest: Maybe[Digest] = LEFT_OUT
    result: Maybe[Sealable] = LEFT_OUT
    result_digest: Maybe[Digest] = LEFT_OUT


class Document(Part, frozen=True):
    """One of the documents that were found."""

    id: Name
    digest: Maybe[Digest] = LEFT_OUT
    score: Maybe[Decimal] = LEFT_OUT
    rank: Maybe[Count] = LEFT_OUT
    used: Maybe[bool] = LEFT_OUT


class Retrieval(Part, frozen=True):
    """What was looked for, where, and what was found."""

    source_id: Name
    index_version: Maybe[Name] = LEFT_OUT
    embedding_model: Maybe[Name] = LEFT_OUT
    query: Maybe[Sealable] = LEFT_OUT
    query_digest: Maybe[Digest] = LEFT_OUT
    documents: Maybe[list[Document]] = LEFT_OUT


class Memory(Part, frozen=True):
    """What an agent remembers."""

    operation: Literal["read", "write", "delete", "search"]
    store_id: Name
    record_ids: Maybe[list[Name]] = LEFT_OUT


class Handoff(Part, frozen=True):
    """Who goes on, and with how much of what was allowed."""

    to: Actor
    scopes: Maybe[list[Name]] = LEFT_OUT


class Policy(Part, frozen=True):
    """One rule that was asked, and what it said; `action` is what was done then."""

    id: Name
    verdict: Literal["allow", "deny", "require_review", "undefined"]
    engine: Maybe[Name] = LEFT_OUT
    version: Maybe[Name] = LEFT_OUT
    bundle_digest: Maybe[Digest] = LEFT_OUT
    rule: Maybe[Name] = LEFT_OUT
    action: Maybe[Literal["allowed", "blocked", "escalated", "redacted", "none"]] = (
        LEFT_OUT
    )
    reason_code: Maybe[Name] = LEFT_OUT
    reason: Maybe[Sealable] = LEFT_OUT
    evaluated: Maybe[bool] = LEFT_OUT


class Shown(Part, frozen=True):
    """What a reviewer saw."""

    digest: Digest
    view: Literal["full", "summary", "none"]
    name: Maybe[Name] = LEFT_OUT


class Review(Part, frozen=True):
    """Who looked at it, what of it, and what was decided."""

    decision: Maybe[
        Literal["requested", "approved", "rejected", "changes_requested", "abstained"]
    ] = LEFT_OUT
    role: Maybe[Name] = LEFT_OUT
    reviewer: Maybe[Actor] = LEFT_OUT
    shown: Maybe[list[Shown]] = LEFT_OUT
    reason: Maybe[Sealable] = LEFT_OUT
    reason_code: Maybe[Name] = LEFT_OUT
    sod_ok: Maybe[bool] = LEFT_OUT


class Effect(Part, frozen=True):
    """What changed in the world: planned, sent, and confirmed, or not."""

    state: Literal["planned", "dispatched", "confirmed", "failed", "reverted"]
    request: Maybe[Sealable] = LEFT_OUT
    request_digest: Maybe[Digest] = LEFT_OUT
    response: Maybe[Sealable] = LEFT_OUT
    response_digest: Maybe[Digest] = LEFT_OUT
    confirmed_by: Maybe[Name] = LEFT_OUT
    reversible: Maybe[bool] = LEFT_OUT


class Evaluation(Part, frozen=True):
    """What was measured, and by whom."""

    name: Name
    score: Maybe[Decimal] = LEFT_OUT
    label: Maybe[Name] = LEFT_OUT
    evaluator: Maybe[Name] = LEFT_OUT
    dataset_digest: Maybe[Digest] = LEFT_OUT


class Risk(Part, frozen=True):
    """What is at stake."""

    data_class: Maybe[Name] = LEFT_OUT
    risk_tier: Maybe[Name] = LEFT_OUT
    region: Maybe[Name] = LEFT_OUT
    purpose: Maybe[Name] = LEFT_OUT
    legal_basis: Maybe[Name] = LEFT_OUT
    substantial_modification: Maybe[bool] = LEFT_OUT
    posture: Maybe[Name] = LEFT_OUT


class Code(Part, frozen=True):
    """A change of code, and how much of it a model has written."""

    repo: Name
    base: Maybe[Commit] = LEFT_OUT
    head: Maybe[Commit] = LEFT_OUT
    tree: Maybe[Commit] = LEFT_OUT
    patch_id: Maybe[Commit] = LEFT_OUT
    branch: Maybe[Name] = LEFT_OUT
    sessions: Maybe[list[Name]] = LEFT_OUT
    ai_lines: Maybe[Count] = LEFT_OUT
    human_lines: Maybe[Count] = LEFT_OUT
    unknown_lines: Maybe[Count] = LEFT_OUT
    attribution_digest: Maybe[Digest] = LEFT_OUT
    trailers: Maybe[list[Name]] = LEFT_OUT


class Environment(Part, frozen=True):
    """What it ran in."""

    digest: Digest
    os: Maybe[Name] = LEFT_OUT
    runtime: Maybe[Name] = LEFT_OUT
    packages_digest: Maybe[Digest] = LEFT_OUT
    image: Maybe[Target] = LEFT_OUT
    hardware: Maybe[list[Name]] = LEFT_OUT


class Identity(Part, frozen=True):
    """Whose identity, or which key or credential, begins, changes or ends."""

    id: Name
    type: Maybe[Literal["human", "agent", "service", "model", "system"]] = LEFT_OUT
    key_id: Maybe[Name] = LEFT_OUT
    cause: Maybe[Name] = LEFT_OUT


class Evidence(Part, frozen=True):
    """What somebody else has signed about it, and whether that was looked at."""

    type: Name
    digest: Digest
    verified: Literal["yes", "no", "not-checked"]


class Retention(Part, frozen=True, rename={"class_": "class"}):
    """How long it has to be kept, and why."""

    class_: Maybe[Name] = LEFT_OUT
    until: Maybe[Time] = LEFT_OUT
    hold_ids: Maybe[list[Name]] = LEFT_OUT


class Commitment(Part, frozen=True):
    """That a value was fixed, and is not said: a hash of it, a salt and its place."""

    path: Annotated[list[PathStep], Meta(min_length=1, max_length=16)]
    digest: Digest
