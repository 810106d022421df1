"""Where the log is, and who calls: as it was given, and checked before it is used."""

import pytest

from capture import Client
from tests.capture.truth import POLICY, truly

DATA = b"what happened"


def test_every_path_is_under_the_prefix_and_every_request_has_the_token(client, server):
    client(truly(), token="provlog_secret").submit(DATA)
    ((path, headers),) = server.requests
    assert path == "/log/v1/records"
    assert headers["Authorization"] == "Bearer provlog_secret"


@pytest.mark.parametrize(
    "url",
    [
        "log.example",
        "ftp://log.example",
        "http://",
        "http://me:secret@log.example",
        "http://log.example/?a=b",
        "http://log.example/#a",
        "http://log.example/ a",
        "http://log.example:99999",
        "http://log.example\r\nX: y",
    ],
)
def test_what_is_no_address_of_a_log_is_said_at_once(url):
    with pytest.raises(ValueError, match="is not the http or https address") as caught:
        Client(url, None, POLICY)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("path", ["/v1/records", "/v1/records:batch/"])
def test_an_address_that_a_log_has_below_its_own_is_said_to_be_one(path):
    with pytest.raises(ValueError, match=r"own; give http://log.example/a$"):
        Client(f"http://log.example/a{path}", None, POLICY)


def test_a_log_may_stand_below_any_other():
    Client("http://log.example/v1", None, POLICY)


def test_a_policy_that_is_not_there_is_said_at_once():
    with pytest.raises(FileNotFoundError, match="absent"):
        Client("http://log.example", None, "absent")


def test_a_token_that_cannot_be_one_is_said_and_not_shown():
    with pytest.raises(ValueError, match="the token has") as caught:
        Client("http://log.example", "secret\r\nX: y", POLICY)
    assert "secret" not in str(caught.value)
