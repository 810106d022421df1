"""What a Recorder makes is a record of its kind, which the log takes."""

from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import Any

import pytest

from capture import (
    Recorder,
    environment,
    link,
    of_bytes,
    of_file,
    of_messages,
    of_text,
    trace_of,
)
from ledger.schema.checking import faults_in
from tests.capture.live import client_of

TEXT = of_text("Is it covered?", "question", "question.txt")
DESK = Recorder(
    actor="agent:refunds",
    producer="refunds-1",
    workflow_id="refund-7781",
    trace=trace_of("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
)
MADE = {
    "workflow.start": DESK.workflow_start("refund-7781"),
    "workflow.end": DESK.workflow_end("refund-7781", status="error"),
    "inference": DESK.inference("claims-7b", inputs=[TEXT], usage={"input": 812}),
    "retrieval": DESK.retrieval("handbook", documents=[{"id": "refunds#3"}]),
    "tool.call": DESK.tool_call("pay", side_effect="write", args=TEXT, result=TEXT),
    "policy.decision": DESK.policy_decision(
        "refunds.rego", "allow", rule="R3", risk={"purpose": "refund"}
    ),
    "review.request": DESK.review_request([TEXT], view="summary"),
    "review.decision": DESK.review_decision("approved", shown=[TEXT], role="lead"),
    "action.effect": DESK.effect("confirmed", request=TEXT, confirmed_by="bank"),
    "handoff": DESK.handoff("person:7f3c"),
    "annotation": DESK.annotation("corrects", "ticket:helpdesk/PAY-7"),
    "environment.snapshot": DESK.environment_snapshot(),
}


@pytest.mark.parametrize("kind", MADE)
def test_it_makes_a_record_of_its_kind_that_keeps_every_rule(kind):
    record = MADE[kind]
    assert record["kind"] == kind
    assert faults_in(record) == []
    assert record["workflow_id"] == "refund-7781"
    assert record["trace"]["span_id"] == "00f067aa0ba902b7"


def test_all_it_makes_is_logged(record_log):
    with client_of(record_log) as client:
        for record in MADE.values():
            assert client.store(record).record == record


def test_what_has_nothing_in_it_is_left_out():
    record = DESK.record("plan", outputs=[TEXT], links=[], env=None, project="")
    assert not {"links", "env", "project"} & record.keys()
    assert DESK.record("x-a.b", count=0, flag=False)["count"] == 0


def test_the_time_is_utc_wherever_the_clock_is():
    noon = datetime(2026, 11, 30, 12, tzinfo=UTC)
    away = noon.astimezone(timezone(timedelta(hours=-8)))
    recorder = Recorder(actor="agent:a", producer="p", now=lambda: away)
    assert recorder.record("plan", outputs=[TEXT])["time"] == (
        "2026-11-30T12:00:00.000000Z"
    )


def test_an_actor_says_of_which_type_it_is_or_is_refused():
    assert Recorder(actor="person:1", producer="p").record("x-a.b")["actor"] == {
        "id": "person:1",
        "type": "human",
    }
    with pytest.raises(ValueError, match="begins with its type"):
        Recorder(actor="somebody", producer="p")


def test_a_link_leads_to_a_record_that_was_made():
    made = MADE["inference"]
    assert link("reviews", made) == {"rel": "reviews", "target": f"rec:{made['id']}"}


# Artifacts


def test_bytes_texts_and_files_of_the_same_bytes_have_one_digest(tmp_path):
    (tmp_path / "question.txt").write_text("Is it covered?")
    digest = f"sha256:{sha256(b'Is it covered?').hexdigest()}"
    made = [of_bytes(b"Is it covered?"), TEXT, of_file(tmp_path / "question.txt")]
    assert {each["digest"] for each in made} == {digest}
    assert {each["size"] for each in made} == {14}
    assert made[2]["name"] == "question.txt"


def test_messages_have_one_digest_however_their_members_are_ordered():
    one = [{"role": "user", "content": "Straße"}]
    other = [{"content": "Straße", "role": "user"}]
    assert of_messages(one) == of_messages(other)
    assert (
        of_messages(one)["digest"]
        == of_text('[{"content":"Straße","role":"user"}]')["digest"]
    )


def test_a_message_with_a_fraction_in_it_is_refused_by_its_place():
    with pytest.raises(TypeError, match=r"messages\[0\].args.amount is 0.5"):
        of_messages([{"args": {"amount": 0.5}}])


def test_an_environment_is_the_same_until_something_in_it_changes():
    assert environment() == environment()


@pytest.mark.parametrize(
    "header", ["", "00-0-0-01", f"00-{'0' * 32}-00f067aa0ba902b7-01", "ff-x"]
)
def test_what_is_no_traceparent_is_refused(header):
    with pytest.raises(ValueError, match="traceparent"):
        trace_of(header)


def test_what_is_the_rules_is_the_rules_and_all_else_the_records():
    made = MADE["policy.decision"]
    assert made["policy"][0]["rule"] == "R3"
    assert made["risk"] == {"purpose": "refund"}


ANY: Any = DESK
LINK: Any = link


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: ANY.tool_call("t", side_effect="read", args={"a": 1}), "args is what"),
        (lambda: ANY.tool_call("t", side_effect="read", result="x"), "and not str"),
        (lambda: ANY.effect("planned", request={"a": 1}), "request is what of_text"),
        (lambda: ANY.inference("m", inputs=TEXT), "inputs is a list of what"),
        (lambda: ANY.inference("m", inputs=["text"]), "in it, and not str"),
        (lambda: ANY.review_decision("approved", shown="x"), "shown is a list of"),
        (lambda: LINK("used", TEXT), "a record that a Recorder has made"),
        (lambda: LINK("used", 7), "and not to int"),
    ],
    ids=["mapping", "text", "effect", "one", "texts", "shown", "artifact", "number"],
)
def test_what_would_be_left_out_or_taken_apart_is_refused_at_once(make, says):
    with pytest.raises(TypeError, match=says):
        make()
