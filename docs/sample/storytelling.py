"""Three stories as records: python -m docs.sample.storytelling [FOLDER]

A refund that an AI assists, from the customer's ticket to the confirmed payment; a
change of code that a model writes, from the requirement to the deployment, with a
squash merge; a model, from its dataset to the day on which it is taken back. Each
record leads to what it came from, so that a story can be followed from any of its
ends. Ids and times are the same in every run.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from pathlib import Path
from typing import Any

from capture import Recorder, link, of_messages, of_text

HERE = Path(__file__).resolve().parent / "stories"
BEGAN = datetime(2026, 11, 30, 9, tzinfo=UTC)
Story = list[dict[str, Any]]
PROPOSAL = of_text("Pay back 49.00: sent back within 60 days.", "proposal")
REPO = "https://code.example/refunds"
WEIGHTS = of_text("weights v4", "weights")


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
    letter = of_text("I sent it back after 40 days. May I have my 49.00?", "ticket")
    ticket = desk.record("ticket", outputs=[letter])
    source = link("used", "ticket:helpdesk/PAY-7")
    began = desk.workflow_start("refund-7781", links=[source, link("used", ticket)])
    found = model.retrieval(
        "handbook",
        documents=[
            {"id": "refunds#3", "digest": of_text("60 days")["digest"], "used": True}
        ],
        links=[link("informedBy", began)],
    )
    order = model.tool_call(
        "orders.lookup",
        side_effect="read",
        args=of_text('{"order":"7781"}'),
        result=of_text('{"paid":"49.00","days":40}'),
        links=[link("informedBy", began)],
    )
    asked = model.inference(
        {"provider": "example", "request_name": "claims-7b", "version": "2026-09"},
        inputs=[of_messages([{"role": "user", "content": "May it be paid back?"}])],
        outputs=[PROPOSAL],
        params={"temperature": "0.2", "max_tokens": 512},
        usage={"input": 812, "output": 21},
        links=[link("used", ticket), link("used", found), link("used", order)],
    )
    return [ticket, began, found, order, asked]


def _agreed(telling: Telling, asked: dict[str, Any]) -> Story:
    """From the rule that wants a person to the money."""
    desk, model = telling.by("service:helpdesk"), telling.by("agent:refunds")
    lead, bank = telling.by("person:7f3c"), telling.by("service:payments")
    ruled = model.policy_decision(
        "refunds.rego",
        "require_review",
        version="12",
        rule="R3",
        action="escalated",
        links=[link("evaluates", asked)],
    )
    wanted = model.review_request(
        [PROPOSAL], view="full", links=[link("informedBy", ruled)]
    )
    agreed = lead.review_decision(
        "approved",
        shown=[PROPOSAL],
        role="team lead",
        links=[link("reviews", asked), link("informedBy", wanted)],
    )
    order_text = of_text("pay 49.00 to customer-12")
    planned = bank.effect(
        "planned", request=order_text, links=[link("informedBy", agreed)]
    )
    paid = bank.effect(
        "confirmed",
        request=order_text,
        response=of_text("paid 49.00"),
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
        "requirement", outputs=[of_text("Refund within 60 days", "REQ-12")]
    )
    ticket = owner.record(
        "ticket",
        outputs=[of_text("Raise the limit to 60 days", "ticket")],
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
        inputs=[of_messages([{"role": "user", "content": "Raise the limit."}])],
        outputs=[of_text("-LIMIT = 30\n+LIMIT = 60\n", "patch")],
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
        shown=[of_text("-LIMIT = 30\n+LIMIT = 60\n", name="the whole difference")],
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
    image = of_text("refunds 1.5 image", "image", "refunds-1.5.oci")
    built = ci.record(
        "build",
        inputs=[of_text("sources at the merge", "source")],
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
    ops, rows = telling.by("service:ops"), of_text("claims 2026", "dataset")
    dataset = data.record("dataset.version", outputs=[rows])
    ran_in = tuner.record(
        "environment.snapshot",
        environment={
            "digest": of_text("gpu node")["digest"],
            "runtime": "python 3.11.7",
        },
    )
    derived = tuner.record(
        "model.derive",
        model={
            "base": f"hf:example/base-7b@{commit('base-7b')}",
            "digest": WEIGHTS["digest"],
            "method": "finetune",
        },
        inputs=[rows],
        outputs=[WEIGHTS],
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
            "digest": WEIGHTS["digest"],
        },
        links=[link("derivedFrom", derived), link("informedBy", measured)],
    )
    return [dataset, ran_in, derived, measured, registered]


def _used(telling: Telling, registered: dict[str, Any]) -> Story:
    """From the approval to the day on which it is taken back."""
    ops, risk = telling.by("service:ops"), telling.by("person:51ac")
    agreed = risk.review_decision(
        "approved",
        shown=[of_text("model card v4", name="model-card.md")],
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
        inputs=[WEIGHTS],
        result={"status": "ok"},
        links=[link("deploys", registered), link("informedBy", champion)],
    )
    incident = risk.record(
        "incident",
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


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    folder.mkdir(exist_ok=True)
    for name, story in STORIES.items():
        (folder / f"{name}.jsonl").write_text(lines(story()))
