"""An example of every kind: what a producer would say, in a small story of each.

They stand in docs/record.md and in the description of the API, and vectors are made
from them.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

from ledger.schema.kinds import KINDS
from ledger.schema.record import SCHEMA
from verifier.spelling import digest_text

_SHA1: Final = "3b18e512dba79e4c8300dd08aeb37f8e728b8dad"


def _digest(what: str) -> str:
    return digest_text(sha256(what.encode()).digest())


def _artifact(role: str, name: str, media_type: str = "text/plain") -> dict[str, Any]:
    return {
        "role": role,
        "name": name,
        "media_type": media_type,
        "digest": _digest(name),
    }


def _link(rel: str, target: str) -> list[dict[str, Any]]:
    return [{"rel": rel, "target": target}]


_AGENT: Final = {"id": "agent:refunds", "type": "agent", "version": "3"}
_PERSON: Final = {"id": "person:7f3c", "type": "human"}
_OK: Final = {"result": {"status": "ok"}}
_MODEL: Final = {
    "provider": "example",
    "request_name": "claims-7b",
    "response_name": "claims-7b-2026-09",
    "assurance": "vendor-claim",
}
_REPO: Final = "https://code.example/refunds"
_OTHER: Final = "rec:01a0c54a-5ad0-7aa2-bf0c-00000000f00d"
_SHOWN: Final = [{"digest": _digest("summary of the case"), "view": "summary"}]

_MEMBERS: Final[dict[str, dict[str, Any]]] = {
    "workflow.start": {
        "workflow_id": "refund-7781",
        "actor": _PERSON,
        "links": _link("used", "ticket:helpdesk/PAY-7"),
        "risk": {"purpose": "refund", "data_class": "customer"},
    },
    "workflow.end": {"workflow_id": "refund-7781", "phase": "end", **_OK},
    "agent.start": {
        "workflow_id": "refund-7781",
        "delegation": [
            {"id": "person:7f3c", "type": "human"},
            {
                "id": "agent:refunds",
                "type": "agent",
                "grant": {"type": "token", "scopes": ["refunds.write"]},
            },
        ],
    },
    "agent.end": {"workflow_id": "refund-7781", "phase": "end", **_OK},
    "plan": {"outputs": [_artifact("plan", "plan.md", "text/markdown")]},
    "inference": {
        "model": _MODEL,
        "params": {"temperature": "0.2", "max_tokens": 512, "seed": 7},
        "inputs": [_artifact("messages", "messages.json", "application/json")],
        "outputs": [_artifact("answer", "answer.txt")],
        "usage": {"input": 812, "output": 95},
        "cost": {"amount": "0.0031", "currency": "EUR", "estimated": True},
        "result": {"status": "ok", "finish_reasons": ["stop"]},
    },
    "embedding": {
        "model": {"provider": "example", "request_name": "embed-1"},
        "inputs": [_artifact("text", "question.txt")],
        **_OK,
    },
    "retrieval": {
        "retrieval": {
            "source_id": "handbook",
            "index_version": "2026-11-01",
            "query_digest": _digest("refund after 40 days"),
            "documents": [
                {"id": "refunds#3", "digest": _digest("refunds#3"), "score": "0.91"}
            ],
        },
        **_OK,
    },
    "tool.call": {
        "tool": {
            "name": "orders.lookup",
            "side_effect": "read",
            "args_digest": _digest('{"order":"7781"}'),
            "result_digest": _digest('{"paid":"49.00"}'),
        },
        **_OK,
    },
    "memory": {
        "memory": {
            "operation": "write",
            "store_id": "notes",
            "record_ids": ["customer-12"],
        }
    },
    "handoff": {"handoff": {"to": _AGENT, "scopes": ["refunds.write"]}},
    "policy.decision": {
        "policy": [
            {
                "id": "refunds.rego",
                "version": "12",
                "bundle_digest": _digest("refunds.rego"),
                "rule": "R3",
                "verdict": "require_review",
                "action": "escalated",
                "evaluated": True,
            }
        ]
    },
    "evaluation": {
        "evaluation": {"name": "groundedness", "score": "0.94", "evaluator": "judge-2"}
    },
    "review.request": {"review": {"shown": _SHOWN, "role": "team lead"}},
    "review.decision": {
        "actor": _PERSON,
        "review": {
            "decision": "approved",
            "role": "team lead",
            "reviewer": _PERSON,
            "shown": _SHOWN,
            "sod_ok": True,
        },
        "links": _link("approves", _OTHER),
    },
    "action.effect": {
        "phase": "effect",
        "effect": {
            "state": "confirmed",
            "request_digest": _digest("pay 49.00"),
            "response_digest": _digest("paid"),
            "confirmed_by": "bank.example",
            "reversible": True,
        },
    },
    "content.publish": {"outputs": [_artifact("page", "terms.html", "text/html")]},
    "dataset.version": {
        "outputs": [_artifact("dataset", "claims-2026.parquet")],
        "links": _link("derivedFrom", f"hf:example/claims@{_SHA1}"),
    },
    "model.register": {
        "model": {
            "request_name": "claims-7b",
            "version": "4",
            "digest": _digest("claims-7b v4"),
            "registry_ref": "mlflow:claims-7b/4",
        }
    },
    "model.derive": {
        "model": {
            "base": f"hf:example/base-7b@{_SHA1}",
            "digest": _digest("claims-7b v4"),
            "method": "finetune",
        },
        "inputs": [_artifact("dataset", "claims-2026.parquet")],
    },
    "model.alias": {"model": {"alias": "champion", "version": "4"}},
    "model.retire": {"model": {"request_name": "claims-7b", "version": "3"}},
    "environment.snapshot": {
        "environment": {
            "digest": _digest("environment"),
            "os": "debian 12",
            "runtime": "python 3.11.7",
            "packages_digest": _digest("requirements.lock"),
        }
    },
    "requirement": {"outputs": [_artifact("requirement", "REQ-12.md")]},
    "ticket": {
        "outputs": [_artifact("ticket", "PAY-7.json", "application/json")],
        "links": _link("implements", _OTHER),
    },
    "code.session": {
        "session_id": "s-19",
        "code": {"repo": _REPO, "ai_lines": 41, "human_lines": 7},
        "model": _MODEL,
    },
    "code.change": {
        "code": {"repo": _REPO, "head": _SHA1, "patch_id": _SHA1, "sessions": ["s-19"]},
        "links": _link("implements", "ticket:helpdesk/PAY-7"),
    },
    "merge": {
        "code": {"repo": _REPO, "head": _SHA1, "branch": "main"},
        "links": _link("squashes", f"git:{_REPO}@{_SHA1}"),
    },
    "build": {
        "inputs": [_artifact("source", "refunds.tar")],
        "outputs": [_artifact("image", "refunds.oci")],
        **_OK,
    },
    "test.result": {
        "evaluation": {"name": "unit tests", "label": "412 passed"},
        **_OK,
    },
    "scan.result": {"evaluation": {"name": "dependencies", "label": "clean"}, **_OK},
    "release": {"outputs": [_artifact("release", "refunds-1.4.whl")]},
    "deploy": {
        "env": "production",
        "inputs": [_artifact("image", "refunds.oci")],
        "links": _link("deploys", _OTHER),
        **_OK,
    },
    "rollback": {"env": "production", "links": _link("rollsBack", _OTHER), **_OK},
    "incident": {
        "links": _link("derivedFrom", "ticket:pager/INC-3"),
        "risk": {"substantial_modification": False},
    },
    "credential.change": {"identity": {"id": "agent:refunds", "key_id": "k-2"}},
    "identity.register": {"identity": {"id": "agent:refunds", "type": "agent"}},
    "identity.revoke": {"identity": {"id": "agent:refunds", "cause": "key leaked"}},
    "annotation": {"links": _link("corrects", _OTHER)},
    "payload.access": {"actor": _PERSON, "links": _link("used", _OTHER)},
    "erasure": {"links": _link("invalidated", _OTHER), "subjects": ["subject:12"]},
    "hold": {
        "links": _link("used", _OTHER),
        "retention": {"class": "legal", "hold_ids": ["case-9"]},
    },
    "capture.gap": {
        "capture": {"vantage": "sdk", "mode": "committed", "seq": 41, "dropped": 3}
    },
    "capture.heartbeat": {},
    "capture.seal": {"capture": {"vantage": "sdk", "mode": "committed", "seq": 42}},
    "schema.publish": {
        "outputs": [_artifact("schema", SCHEMA, "application/schema+json")]
    },
    "policy.publish": {"outputs": [_artifact("policy", "refunds.rego")]},
    "key.rotate": {"identity": {"id": "service:payments", "key_id": "k-3"}},
    "import": {"inputs": [_artifact("export", "old-log.jsonl")]},
}


def example(kind: str) -> dict[str, Any]:
    """A record of this kind."""
    number = list(KINDS).index(kind)
    common = {
        "schema": SCHEMA,
        "id": f"01a0c54a-5ad0-7aa2-bf0c-{number:012x}",
        "kind": kind,
        "phase": "instant",
        "time": f"2026-11-30T12:00:{number:02}Z",
        "producer": {"id": "refunds-1", "software": "refunds", "version": "1.4"},
        "capture": {"vantage": "sdk", "mode": "committed"},
        "actor": _AGENT,
    }
    return common | _MEMBERS[kind]
