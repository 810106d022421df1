"""SLSA: where something was built and by whom, and who has verified that.

Predicates of slsa.dev: provenance v1 and the verification summary v1. What they claim
is claimed by their signer; a level is as good as whoever says that it was reached.
"""

from __future__ import annotations

from typing import Final

from verifier.statement.intoto import InTotoStatement
from verifier.statement.summary import Part, Summary, clip

PROVENANCE: Final = "https://slsa.dev/provenance/v1"
OLD_PROVENANCE: Final = "https://slsa.dev/provenance/v0.2"
VERIFICATION: Final = "https://slsa.dev/verification_summary/v1"

RESULTS: Final = ("PASSED", "FAILED")


def summarise_provenance(statement: InTotoStatement) -> Summary:
    """What provenance v1 says: who built it, by which process, from how much."""
    whole = Part(
        spec="SLSA provenance v1", path="predicate", members=statement.predicate or {}
    )
    definition, details = whole.part("buildDefinition"), whole.part("runDetails")
    build_type = definition.need("buildType", str)
    definition.need("externalParameters", dict)
    dependencies = definition.may("resolvedDependencies", list) or []
    builder = details.part("builder").need("id", str)
    metadata = Part(
        spec=whole.spec,
        path="predicate.runDetails.metadata",
        members=details.may("metadata", dict) or {},
    )
    return Summary.of(
        "slsa-provenance",
        f"SLSA provenance v1: built by {clip(builder)} as {clip(build_type)}",
        predicate_type=statement.predicate_type,
        builder=builder,
        build_type=build_type,
        dependencies=len(dependencies),
        invocation=metadata.may("invocationId", str) or None,
        started=metadata.time("startedOn"),
        finished=metadata.time("finishedOn"),
    )


def summarise_old_provenance(statement: InTotoStatement) -> Summary:
    """Provenance v0.2, of which only the name is read."""
    return Summary.of(
        "slsa-provenance",
        "SLSA provenance v0.2, which is not read further",
        predicate_type=statement.predicate_type,
    )


def summarise_verification(statement: InTotoStatement) -> Summary:
    """What a verification summary says: who has verified what, with which result."""
    whole = Part(
        spec="the SLSA verification summary v1",
        path="predicate",
        members=statement.predicate or {},
    )
    verifier = whole.part("verifier").need("id", str)
    resource = whole.need("resourceUri", str)
    policy = whole.part("policy").need("uri", str)
    result = whole.choice("verificationResult", RESULTS)
    levels = whole.texts("verifiedLevels", required=True)
    return Summary.of(
        "vsa",
        f"SLSA verification summary: {result} says {clip(verifier)} of "
        f"{clip(resource)}; levels: {clip(', '.join(levels) or 'none')}",
        predicate_type=statement.predicate_type,
        verifier=verifier,
        resource=resource,
        policy=policy,
        result=result,
        levels=levels,
        verified=whole.time("timeVerified"),
    )
