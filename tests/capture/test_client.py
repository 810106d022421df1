"""One line logs a record, and what it returns is verified; so is what is read again."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest

from capture import (
    AsyncClient,
    Client,
    Conflict,
    NotAllowed,
    NotBelieved,
    Refused,
    Unavailable,
)
from tests.capture.live import (
    client_of,
    policy_path,
    something,
    token_of,
    with_witness,
)
from tests.records import SMALLEST
from tests.testlog import policy_text
from verifier import Policy
from verifier.__main__ import main as verify
from verifier.errors import MalformedError
from verifier.record import check_record, encode_record

# The one line


def test_the_one_line_logs_a_record(record_log):
    url, token, policy = record_log.url, record_log.token, policy_path(record_log)
    logged = Client(url, token, policy).submit(SMALLEST)
    assert logged.record == {**SMALLEST, "id": logged.record["id"]}
    check_record(logged.record)
    assert (logged.by[:2], logged.witnessed, logged.repeated) == ("s-", False, False)


def test_the_one_line_logs_bytes(opaque_log):
    url, policy = opaque_log.url, policy_path(opaque_log)
    assert Client(url, None, policy).submit(b"\x00\n\xff").entry == b"\x00\n\xff"


@pytest.mark.parametrize("form", ["text", "path", "bytes", "policy"])
def test_the_policy_is_a_path_or_its_bytes_or_itself(opaque_log, form):
    path = policy_path(opaque_log)
    text = path.read_bytes()
    forms = {
        "text": str(path),
        "path": path,
        "bytes": text,
        "policy": Policy.parse(text),
    }
    with client_of(opaque_log, policy=forms[form]) as client:
        assert client.submit(b"entry").entry == b"entry"


def test_a_policy_that_cannot_be_read_names_its_file(opaque_log, tmp_path):
    path = tmp_path / "policy.txt"
    path.write_text("log\n")
    with pytest.raises(MalformedError, match=f"{path}: policy line 1"):
        Client(opaque_log.url, None, path)


def test_what_is_saved_is_what_an_auditor_accepts(service, tmp_path, capsys):
    path = tmp_path / "one.bundle"
    with client_of(service) as client:
        client.submit(something(service)).save(path)
    assert verify(["verify", "--policy", str(policy_path(service)), str(path)]) == 0
    assert "inclusion   holds" in capsys.readouterr().out


def test_a_log_that_the_policy_does_not_list_is_not_believed(service):
    with (
        client_of(service, policy=policy_text()) as client,
        pytest.raises(NotBelieved, match="the policy lists"),
    ):
        client.submit(something(service))


def test_a_quorum_that_cannot_have_seen_it_yet_is_not_asked_for(service):
    with client_of(service, policy=with_witness(service)) as client:
        assert not client.submit(something(service)).witnessed


def test_a_record_again_has_its_index_and_another_one_under_its_id_none(record_log):
    with client_of(record_log) as client:
        first = client.submit(SMALLEST)
        again = client.submit(first.record)
        assert (again.index, again.entry) == (first.index, first.entry)
        assert again.repeated
        with pytest.raises(Conflict) as caught:
            client.submit({**first.record, "kind": "x-other.kind"})
    assert caught.value.index == first.index


def test_a_record_that_was_encoded_before_is_the_same(record_log):
    with client_of(record_log) as client:
        first = client.submit(SMALLEST)
        assert client.submit(encode_record(first.record)).index == first.index


def test_bytes_that_are_no_record_are_refused_by_a_log_of_records(record_log):
    with client_of(record_log) as client, pytest.raises(Refused) as caught:
        client.submit(b"no record")
    assert (caught.value.status, caught.value.check) == (400, "form")


def test_who_may_not_submit_is_told_so(record_log):
    for token, status in [(None, 401), (token_of(record_log, "read"), 403)]:
        with client_of(record_log, token=token) as client:
            with pytest.raises(NotAllowed, match="ask who runs the log") as caught:
                client.submit(SMALLEST)
            assert caught.value.status == status


@pytest.mark.parametrize("size", [0, 65_535])
def test_bytes_of_every_size_are_logged(opaque_log, size):
    with client_of(opaque_log) as client:
        assert client.submit(bytes(size)).entry == bytes(size)


def test_any_number_of_threads_may_use_one_client(service):
    with client_of(service) as client, ThreadPoolExecutor(8) as pool:
        made = [something(service, number) for number in range(200)]
        logged = list(pool.map(client.submit, made))
        assert len(client._wire._idle) <= 8
    assert len({each.index for each in logged}) == 200


@pytest.mark.exhaustive
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_has_connections_of_its_own(service):
    with client_of(service) as client:
        client.submit(something(service, 1))
        child = os.fork()
        if child == 0:
            status = 1
            try:
                status = 0 if client.submit(something(service, 2)).size else 1
            finally:
                os._exit(status)
        assert client.submit(something(service, 3)).size
        assert os.waitpid(child, 0)[1] == 0


# Reading


def test_what_was_logged_is_read_again_under_a_published_checkpoint(service):
    with client_of(service) as client:
        logged = client.submit(something(service, 77))
        published = client.wait_published(logged.index, 20)
        assert published.entry == logged.entry == client.get(logged.index).entry
        assert (published.record, published.at) == (logged.record, logged.at)
        assert client.receipt(logged.index).index == logged.index
        assert client.checkpoint().checkpoint.size >= published.size > logged.index


def test_what_is_not_there_yet_is_refused(service):
    with client_of(service) as client:
        with pytest.raises(Refused, match="it may be there later") as caught:
            client.get(10**9)
        assert caught.value.status == 404


def test_and_is_waited_for_no_longer_than_said(service, ticking):
    with (
        client_of(service, clock=ticking.clock) as client,
        pytest.raises(Unavailable, match="in no published checkpoint"),
    ):
        client.wait_published(10**9, 5)
    assert 3 < sum(ticking.pauses) < 5


def test_so_is_a_quorum_that_never_comes(service, ticking):
    with client_of(service) as client:
        index = client.wait_published(client.submit(something(service)).index, 20).index
    policy, clock = with_witness(service), ticking.clock
    with client_of(service, policy=policy, clock=clock) as client:
        assert not client.get(index).witnessed
        with pytest.raises(Unavailable, match="not cosigned"):
            client.wait_published(index, 5)
    assert 3 < sum(ticking.pauses) < 5


def test_entries_are_found_by_id_and_by_digest(record_log, opaque_log):
    with client_of(record_log) as client:
        logged = client.submit(SMALLEST)
        assert client.lookup_record(logged.record["id"]) == (logged.index,)
        assert client.lookup_record("01a0c54a-5ad0-7aa2-bf0c-000000000000") == ()
    with client_of(opaque_log) as client:
        logged = client.submit(b"to be found")
        digest = sha256(b"to be found").hexdigest()
        assert logged.index in client.lookup_digest(digest)
        assert client.lookup_digest("0" * 64) == ()


def test_what_is_no_id_or_digest_is_not_asked_for(opaque_log):
    with client_of(opaque_log) as client:
        with pytest.raises(ValueError, match="an id is a UUID"):
            client.lookup_record("../../checkpoint")
        with pytest.raises(ValueError, match="a digest is 64"):
            client.lookup_digest("0" * 63)
        with pytest.raises(TypeError, match="a mapping or bytes, not str"):
            client.submit("text")


def test_a_log_of_bytes_knows_no_record_ids(opaque_log):
    with client_of(opaque_log) as client, pytest.raises(Refused) as caught:
        client.lookup_record("01a0c54a-5ad0-7aa2-bf0c-000000000000")
    assert caught.value.status == 404


@pytest.mark.parametrize("index", [-1, 2**63, True, "0"])
def test_what_is_no_index_is_not_asked_for(opaque_log, index):
    with client_of(opaque_log) as client, pytest.raises(ValueError, match="an index"):
        client.get(index)


# The twin


def test_the_twin_does_the_same(service):
    async def log():
        policy = policy_path(service)
        async with AsyncClient(service.url, service.token, policy) as client:
            made = [something(service, number) for number in range(20)]
            one = await client.submit(made[0])
            many = await asyncio.gather(*map(client.submit, made))
            more = [each async for each in client.submit_batch(made)]
            published = await client.wait_published(more[-1].index, 20)
            assert published.entry == more[-1].entry
            assert (await client.get(published.index)).entry == published.entry
            assert (await client.receipt(0)).index == 0
            assert (await client.checkpoint()).checkpoint.size >= published.size
            digest = sha256(published.entry).hexdigest()
            assert published.index in await client.lookup_digest(digest)
            if one.record:
                assert await client.lookup_record(one.record["id"]) == (one.index,)
            return [one, *many, *more]

    assert len({each.index for each in asyncio.run(log())}) == 41


def test_what_no_record_can_have_is_named_with_its_place_all_at_once(record_log):
    odd = {
        "inputs": [{"score": 0.5, "none": None}],
        "when": datetime(2026, 11, 30, tzinfo=UTC),
        "raw": b"x",
        "many": (1, 2),
        "large": 2**53,
        "fine": [True, -1, {"a": "b"}],
    }
    with client_of(record_log) as client, pytest.raises(Refused) as refused:
        client.submit(odd)
    assert str(refused.value).endswith(
        "it was not sent: inputs[0].score is 0.5: write decimals as text; "
        "inputs[0].none is null: leave it out; "
        "when is a datetime: write it as text, a time in UTC as 2026-11-30T12:00:00Z; "
        "raw is bytes: give their digest, or base64 as text; "
        "many is a tuple: make it a list; "
        "large is an integer beyond ±(2^53-1): write it as text"
    )


def test_a_record_that_has_itself_in_it_is_refused(record_log):
    odd: dict[str, Any] = {}
    odd["self"] = odd
    with client_of(record_log) as client, pytest.raises(Refused):
        client.submit(odd)
