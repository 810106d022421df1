"""Three stories, each a folder: python -m docs.sample.storytelling [FOLDER]

A refund that an AI assists, from the customer's ticket to the confirmed payment; a
change of code that a model writes, from the requirement to the deployment, with a
squash merge; a model, from its dataset to the day on which it is taken back. Each
record leads to what it came from, so that a story can be followed from any of its
ends; and beside the records lie the files that they name by their digests. Ids and
times are the same in every run.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from pathlib import Path
from typing import Any

from capture import Recorder, link, of_bytes

HERE = Path(__file__).resolve().parent / "stories"
RECORDS = "records.jsonl"
BEGAN = datetime(2026, 11, 30, 9, tzinfo=UTC)
Story = list[dict[str, Any]]
WEIGHTS = ("weights-v4.bin", "weights")
REPO = "https://code.example/refunds"
PATCH = "-LIMIT = 30\n+LIMIT = 60\n"
FILES = {
    "refund": {
        "ticket.txt": "I sent it back after 40 days. May I have my 49.00?\n",
        "handbook-3.md": "What is sent back within 60 days is paid back.\n",
        "order-asked.json": '{"order":"7781"}',
        "order.json": '{"days":40,"paid":"49.00"}',
        "messages.json": '[{"content":"May it be paid back?","role":"user"}]',
        "proposal.txt": "Pay back 49.00: sent back within 60 days.\n",
        "refunds.rego": "package refunds\n\nR3 := amount > 25\n",
        "payment.txt": "pay 49.00 to customer-12\n",
        "confirmation.txt": "paid 49.00\n",
    },
    "change": {
        "REQ-12.md": "What is sent back within 60 days is paid back.\n",
        "ticket.txt": "Raise the limit from 30 to 60 days.\n",
        "messages.json": '[{"content":"Raise the limit.","role":"user"}]',
        "limit.patch": PATCH,
        "merged.patch": f"{PATCH}+assert LIMIT == 60\n",
        "refunds-1.5.txt": "stands for the sources at the merge\n",
        "refunds-1.5.oci": "stands for the image that was built of them\n",
    },
    "model": {
        "claims-2026.csv": "claim,paid\n1,yes\n2,no\n",
        "gpu-node.txt": "python 3.11.7, torch 2.9.1, driver 580.95\n",
        "weights-v4.bin": "stands for the weights\n",
        "model-card.md": "# claims-7b v4\n\nMade of claims-2026.csv.\n",
        "incident.txt": "Claims of 2025 are judged by the rules of 2026.\n",
    },
}
"""What the records of each story name by digest."""


def artifact(story: str, name: str, role: str = "") -> dict[str, Any]:
    """One of the files of a story, as a record names it."""
    media_type = "application/json" if name.endswith(".json") else "text/plain"
    return of_bytes(FILES[story][name].encode(), role, name, media_type)


class Telling:
    """Makes the recorders of one story, whose clock goes on with each record."""

    def __init__(self, number: int, workflow_id: str) -> None:
        self._number = number
        self._count = 0
        self._workflow_id = workflow_id

    def by(self, actor: str, **always: Any) -> Recorder:
        """A recorder for one of those who take part."""
        return Recorder(
            actor=actor,
            producer="stories",
            workflow_id=self._workflow_id,
            now=self._now,
            new_id=self._new_id,
            **always,
        )

    def _now(self) -> datetime:
        return BEGAN + timedelta(days=self._number, seconds=37 * self._count)

    def _new_id(self) -> str:
        self._count += 1
        return f"01a0c54a-5ad0-7aa2-bf0c-{self._number:04x}{self._count:08x}"


def commit(what: str) -> str:
    """A commit's hash that is the same in every run."""
    return sha1(what.encode()).hexdigest()  # noqa: S324 - git's


def refund() -> Story:
    """A customer wants his money: a model proposes, a person agrees, a bank pays."""
    telling = Telling(1, "refund-7781")
    proposed = _proposed(telling)
    return proposed + _agreed(telling, proposed[-1])


def _proposed(telling: Telling) -> Story:
    """From the letter to what the model proposes."""
    desk, model = telling.by("service:helpdesk"), telling.by("agent:refunds")
    letter = artifact("refund", "ticket.txt", "ticket")
    rule = artifact("refund", "handbook-3.md")
    ticket = desk.record("ticket", outputs=[letter])
    source = link("used", "ticket:helpdesk/PAY-7")
    began = desk.workflow_start("refund-7781", links=[source, link("used", ticket)])
    found = model.retrieval(
        "handbook",
        documents=[{"id": "refunds#3", "digest": rule["digest"], "used": True}],
        links=[link("informedBy", began)],
    )
    order = model.tool_call(
        "orders.lookup",
        side_effect="read",
        args=artifact("refund", "order-asked.json"),
        result=artifact("refund", "order.json"),
        links=[link("informedBy", began)],
    )
    asked = model.inference(
        {"provider": "example", "request_name": "claims-7b", "version": "2026-09"},
        inputs=[artifact("refund", "messages.json", "messages")],
        outputs=[artifact("refund", "proposal.txt", "proposal")],
        params={"temperature": "0.2", "max_tokens": 512},
        usage={"input": 812, "output": 21},
        links=[link("used", ticket), link("used", found), link("used", order)],
    )
    return [ticket, began, found, order, asked]


def _agreed(telling: Telling, asked: dict[str, Any]) -> Story:
    """From the rule that wants a person to the money."""
    desk, model = telling.by("service:helpdesk"), telling.by("agent:refunds")
    lead, bank = telling.by("person:7f3c"), telling.by("service:payments")
    proposal = artifact("refund", "proposal.txt")
    ruled = model.policy_decision(
        "refunds.rego",
        "require_review",
        version="12",
        rule="R3",
        action="escalated",
        bundle_digest=artifact("refund", "refunds.rego")["digest"],
        links=[link("evaluates", asked)],
    )
    wanted = model.review_request(
        [proposal], view="full", links=[link("informedBy", ruled)]
    )
    agreed = lead.review_decision(
        "approved",
        shown=[proposal],
        role="team lead",
        links=[link("reviews", asked), link("informedBy", wanted)],
    )
    order = artifact("refund", "payment.txt")
    planned = bank.effect("planned", request=order, links=[link("informedBy", agreed)])
    paid = bank.effect(
        "confirmed",
        request=order,
        response=artifact("refund", "confirmation.txt"),
        confirmed_by="bank.example",
        links=[link("informedBy", planned)],
    )
    ended = desk.workflow_end("refund-7781", links=[link("informedBy", paid)])
    return [ruled, wanted, agreed, planned, paid, ended]


def change() -> Story:
    """A model writes a change; its commits are squashed, and it is deployed."""
    telling = Telling(2, "change-412")
    written = _written(telling)
    return written + _delivered(telling, written[-2:])


def _written(telling: Telling) -> Story:
    """From the requirement to two commits."""
    owner, agent = telling.by("person:2b11"), telling.by("agent:coder")
    need = owner.record(
        "requirement", outputs=[artifact("change", "REQ-12.md", "requirement")]
    )
    ticket = owner.record(
        "ticket",
        outputs=[artifact("change", "ticket.txt", "ticket")],
        links=[link("implements", need)],
    )
    session = agent.record(
        "code.session",
        session_id="s-19",
        code={"repo": REPO, "base": commit("base"), "ai_lines": 41, "human_lines": 7},
        model={"provider": "example", "request_name": "coder-30b"},
        links=[link("implements", ticket)],
    )
    asked = agent.inference(
        "coder-30b",
        inputs=[artifact("change", "messages.json", "messages")],
        outputs=[artifact("change", "limit.patch", "patch")],
        session_id="s-19",
        links=[link("informedBy", session)],
    )
    commits = [
        agent.record(
            "code.change",
            code={"repo": REPO, "head": head, "patch_id": head, "sessions": ["s-19"]},
            links=[link("derivedFrom", asked), link("implements", ticket)],
        )
        for head in (commit("first"), commit("second"))
    ]
    return [need, ticket, session, asked, *commits]


def _delivered(telling: Telling, commits: Story) -> Story:
    """From the tests of the commits, which a squash leaves behind, to production."""
    dev, ci = telling.by("person:9d40"), telling.by("service:ci")
    squashed = commit("squashed")
    tested = ci.record(
        "test.result",
        evaluation={"name": "unit tests", "label": "412 passed"},
        result={"status": "ok"},
        links=[link("evaluates", commits[-1])],
    )
    scanned = ci.record(
        "scan.result",
        evaluation={"name": "dependencies", "label": "clean"},
        result={"status": "ok"},
        links=[link("evaluates", commits[-1])],
    )
    agreed = dev.review_decision(
        "approved",
        shown=[artifact("change", "merged.patch")],
        role="maintainer",
        links=[link("reviews", each) for each in (*commits, tested, scanned)],
    )
    # The two commits are gone from the branch; what they were stays to be found.
    merged = dev.record(
        "merge",
        code={"repo": REPO, "head": squashed, "branch": "main", "sessions": ["s-19"]},
        links=[
            *(link("squashes", each) for each in commits),
            *(
                link("squashes", f"git:{REPO}@{each['code']['head']}")
                for each in commits
            ),
            link("informedBy", agreed),
        ],
    )
    image = artifact("change", "refunds-1.5.oci", "image")
    built = ci.record(
        "build",
        inputs=[artifact("change", "refunds-1.5.txt", "source")],
        outputs=[image],
        result={"status": "ok"},
        links=[link("derivedFrom", merged), link("used", f"git:{REPO}@{squashed}")],
    )
    released = ci.record("release", outputs=[image], links=[link("derivedFrom", built)])
    deployed = ci.record(
        "deploy",
        env="production",
        inputs=[image],
        result={"status": "ok"},
        links=[link("deploys", released)],
    )
    return [tested, scanned, agreed, merged, built, released, deployed]


def model() -> Story:
    """A model is made, becomes the champion, does harm, and is taken back."""
    telling = Telling(3, "claims-7b-v4")
    made = _made(telling)
    return made + _used(telling, made[-1])


def _made(telling: Telling) -> Story:
    """From the dataset to a model that is known."""
    data, tuner = telling.by("service:data"), telling.by("agent:tuner")
    ops, weights = telling.by("service:ops"), artifact("model", *WEIGHTS)
    rows = artifact("model", "claims-2026.csv", "dataset")
    dataset = data.record("dataset.version", outputs=[rows])
    ran_in = tuner.record(
        "environment.snapshot",
        environment={
            "digest": artifact("model", "gpu-node.txt")["digest"],
            "runtime": "python 3.11.7",
        },
    )
    derived = tuner.record(
        "model.derive",
        model={
            "base": f"hf:example/base-7b@{commit('base-7b')}",
            "digest": weights["digest"],
            "method": "finetune",
        },
        inputs=[rows],
        outputs=[weights],
        env_ref=ran_in["environment"]["digest"],
        links=[link("used", dataset), link("used", ran_in)],
    )
    measured = tuner.record(
        "evaluation",
        evaluation={"name": "claims-eval", "score": "0.91", "evaluator": "suite-3"},
        links=[link("evaluates", derived)],
    )
    registered = ops.record(
        "model.register",
        model={
            "request_name": "claims-7b",
            "version": "4",
            "digest": weights["digest"],
        },
        links=[link("derivedFrom", derived), link("informedBy", measured)],
    )
    return [dataset, ran_in, derived, measured, registered]


def _used(telling: Telling, registered: dict[str, Any]) -> Story:
    """From the approval to the day on which it is taken back."""
    ops, risk = telling.by("service:ops"), telling.by("person:51ac")
    weights = artifact("model", *WEIGHTS)
    agreed = risk.review_decision(
        "approved",
        shown=[artifact("model", "model-card.md")],
        role="risk",
        links=[link("approves", registered)],
    )
    champion = ops.record(
        "model.alias",
        model={"alias": "champion", "version": "4"},
        links=[link("supersedes", "mlflow:claims-7b/3"), link("informedBy", agreed)],
    )
    deployed = ops.record(
        "deploy",
        env="production",
        inputs=[weights],
        result={"status": "ok"},
        links=[link("deploys", registered), link("informedBy", champion)],
    )
    incident = risk.record(
        "incident",
        inputs=[artifact("model", "incident.txt", "report")],
        links=[link("derivedFrom", "ticket:pager/INC-3"), link("informedBy", deployed)],
        risk={"risk_tier": "high", "substantial_modification": False},
    )
    back = ops.record(
        "rollback",
        env="production",
        result={"status": "ok"},
        links=[link("rollsBack", deployed), link("informedBy", incident)],
    )
    again = ops.record(
        "model.alias",
        model={"alias": "champion", "version": "3"},
        links=[link("supersedes", champion), link("informedBy", back)],
    )
    retired = ops.record(
        "model.retire",
        model={"request_name": "claims-7b", "version": "4"},
        links=[link("invalidated", registered), link("informedBy", again)],
    )
    return [agreed, champion, deployed, incident, back, again, retired]


STORIES = {"refund": refund, "change": change, "model": model}


def lines(story: Story) -> str:
    """The records of a story, one a line, as provlog append --lines takes them."""
    return "".join(json.dumps(each, separators=(",", ":")) + "\n" for each in story)


def make(folder: Path) -> None:
    """Write the stories, each to a folder of its own."""
    for name, story in STORIES.items():
        here = folder / name
        here.mkdir(parents=True, exist_ok=True)
        (here / RECORDS).write_text(lines(story()))
        for file, text in FILES[name].items():
            (here / file).write_text(text)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
