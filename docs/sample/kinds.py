"""How a record of each kind is made: docs/record.md shows what stands here.

One function for each kind, called as it is called with _ in place of the dot.
"""

from __future__ import annotations

import inspect
import textwrap
from pathlib import Path
from typing import Any

from capture import Recorder, link, of_messages, of_text

Record = dict[str, Any]

desk = Recorder(actor="agent:refunds", producer="refunds-1", workflow_id="refund-7781")
lead = Recorder(actor="person:7f3c", producer="refunds-1", workflow_id="refund-7781")
question = of_text("May I send it back after 40 days?", "question")
answer = of_text("Within 60 days, yes.", "answer")
weights = of_text("weights v4", "weights", "weights.bin")
image = of_text("refunds 1.5", "image", "refunds-1.5.oci")
deployed = "rec:01a0c54a-5ad0-7aa2-bf0c-000000000029"
repo = "https://code.example/refunds"
head = "3b18e512dba79e4c8300dd08aeb37f8e728b8dad"


def workflow_start() -> Record:
    return lead.workflow_start(
        "refund-7781", links=[link("used", "ticket:helpdesk/PAY-7")]
    )


def workflow_end() -> Record:
    return lead.workflow_end("refund-7781")


def agent_start() -> Record:
    return desk.record("agent.start", delegation=[{"id": "person:1", "type": "human"}])


def agent_end() -> Record:
    return desk.record("agent.end", phase="end", result={"status": "ok"})


def plan() -> Record:
    return desk.record("plan", outputs=[of_text("1. Look up. 2. Ask.", "plan")])


def inference() -> Record:
    return desk.inference("claims-7b", inputs=[question], outputs=[answer])


def embedding() -> Record:
    return desk.record(
        "embedding",
        model={"request_name": "embed-1"},
        inputs=[question],
        result={"status": "ok"},
    )


def retrieval() -> Record:
    return desk.retrieval("handbook", documents=[{"id": "refunds#3", "used": True}])


def tool_call() -> Record:
    return desk.tool_call("orders.lookup", side_effect="read", args=question)


def memory() -> Record:
    return desk.record("memory", memory={"operation": "write", "store_id": "notes"})


def handoff() -> Record:
    return desk.handoff("service:archive")


def policy_decision() -> Record:
    return desk.policy_decision("refunds.rego", "require_review", rule="R3")


def evaluation() -> Record:
    return desk.record("evaluation", evaluation={"name": "grounded", "score": "0.94"})


def review_request() -> Record:
    return desk.review_request([answer], view="summary")


def review_decision() -> Record:
    return lead.review_decision("approved", shown=[answer], role="team lead")


def action_effect() -> Record:
    return desk.effect("confirmed", confirmed_by="bank.example")


def content_publish() -> Record:
    return desk.record("content.publish", outputs=[of_text("<h1>Terms</h1>", "page")])


def dataset_version() -> Record:
    return desk.record("dataset.version", outputs=[of_text("a,b\n1,2\n", "dataset")])


def model_register() -> Record:
    return desk.record(
        "model.register", model={"version": "4", "digest": weights["digest"]}
    )


def model_derive() -> Record:
    return desk.record(
        "model.derive",
        model={"base": f"hf:example/base@{head}", "digest": weights["digest"]},
        outputs=[weights],
    )


def model_alias() -> Record:
    return desk.record("model.alias", model={"alias": "champion", "version": "4"})


def model_retire() -> Record:
    return desk.record("model.retire", model={"version": "3"})


def environment_snapshot() -> Record:
    return desk.environment_snapshot()


def requirement() -> Record:
    return lead.record("requirement", outputs=[of_text("Within 60 days", "REQ-12")])


def ticket() -> Record:
    return lead.record("ticket", outputs=[of_text("Raise it to 60 days", "ticket")])


def code_session() -> Record:
    return desk.record("code.session", session_id="s-19", code={"repo": repo})


def code_change() -> Record:
    return desk.record("code.change", code={"repo": repo, "head": head})


def merge() -> Record:
    return lead.record(
        "merge",
        code={"repo": repo, "head": head, "branch": "main"},
        links=[link("squashes", f"git:{repo}@{head}")],
    )


def build() -> Record:
    return desk.record(
        "build",
        inputs=[of_text("sources", "source")],
        outputs=[image],
        result={"status": "ok"},
    )


def test_result() -> Record:
    return desk.record(
        "test.result",
        evaluation={"name": "unit tests", "label": "412 passed"},
        result={"status": "ok"},
    )


def scan_result() -> Record:
    return desk.record(
        "scan.result",
        evaluation={"name": "dependencies", "label": "clean"},
        result={"status": "ok"},
    )


def release() -> Record:
    return desk.record("release", outputs=[image])


def deploy() -> Record:
    return desk.record(
        "deploy", env="production", inputs=[image], result={"status": "ok"}
    )


def rollback() -> Record:
    return lead.record(
        "rollback",
        env="production",
        links=[link("rollsBack", deployed)],
        result={"status": "ok"},
    )


def incident() -> Record:
    return lead.record("incident", links=[link("derivedFrom", deployed)])


def credential_change() -> Record:
    return lead.record("credential.change", identity={"id": "agent:refunds"})


def identity_register() -> Record:
    return lead.record(
        "identity.register", identity={"id": "agent:refunds", "type": "agent"}
    )


def identity_revoke() -> Record:
    return lead.record(
        "identity.revoke", identity={"id": "agent:refunds", "cause": "key leaked"}
    )


def annotation() -> Record:
    return lead.annotation("corrects", deployed)


def payload_access() -> Record:
    return lead.record("payload.access", links=[link("used", deployed)])


def erasure() -> Record:
    return lead.record(
        "erasure", links=[link("invalidated", deployed)], subjects=["subject:12"]
    )


def hold() -> Record:
    return lead.record(
        "hold", links=[link("used", deployed)], retention={"hold_ids": ["case-9"]}
    )


def capture_gap() -> Record:
    return desk.record(
        "capture.gap", capture={"vantage": "sdk", "mode": "committed", "dropped": 3}
    )


def capture_heartbeat() -> Record:
    return desk.record("capture.heartbeat")


def capture_seal() -> Record:
    return desk.record(
        "capture.seal", capture={"vantage": "sdk", "mode": "committed", "seq": 812}
    )


def schema_publish() -> Record:
    return lead.record("schema.publish", outputs=[of_text("{…}", "schema")])


def policy_publish() -> Record:
    return lead.record("policy.publish", outputs=[of_text("package refunds", "policy")])


def key_rotate() -> Record:
    return lead.record("key.rotate", identity={"id": "service:bank", "key_id": "k-3"})


def import_() -> Record:
    return desk.record("import", inputs=[of_messages([{"role": "user"}], "old log")])


def begin() -> str:
    """What stands before all of them: what they are made of."""
    text = Path(__file__).read_text()
    start, stop = text.index("from capture"), text.index("def workflow_start")
    return text[start:stop].replace("Record = dict[str, Any]\n\n", "").rstrip() + "\n"


def maker(kind: str) -> Any:
    """What makes a record of this kind here."""
    name = kind.replace(".", "_")
    return globals().get(name) or globals()[f"{name}_"]


def code(kind: str) -> str:
    """The line that makes one, as the page shows it."""
    lines = inspect.getsource(maker(kind)).splitlines(keepends=True)
    return textwrap.dedent("".join(lines[1:])).replace("return ", "record = ", 1)
