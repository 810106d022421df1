"""A token goes to the log's own address, and who sends it in the clear is told so."""

import pytest

from tests.testlog import policy_text
from verifier.__main__ import NOT_DONE, main

TOKEN = "provlog_" + "A" * 43


@pytest.mark.parametrize(
    ("address", "warned"),
    [("http://log.example", True), ("https://log.example", False)],
)
def test_a_token_without_tls_is_warned_about(
    tmp_path, monkeypatch, capsys, address, warned
):
    policy = tmp_path / "policy.txt"
    policy.write_bytes(policy_text(witnesses=(), quorum=0))
    monkeypatch.setenv("PROVLOG_TOKEN", TOKEN)
    assert main(["audit", "--policy", str(policy), address]) == NOT_DONE
    said = capsys.readouterr().err
    assert ("the token is sent without TLS" in said) == warned
    assert TOKEN not in said


@pytest.mark.parametrize("text", ["", "two words", "two\nlines", "tökén"])
def test_what_is_no_token_is_told_before_anything_is_asked(tmp_path, capsys, text):
    policy, file = tmp_path / "policy.txt", tmp_path / "token"
    policy.write_bytes(policy_text(witnesses=(), quorum=0))
    file.write_text(text)
    words = ["audit", "--policy", str(policy), "--token-file", str(file)]
    assert main([*words, "https://log.example"]) == NOT_DONE
    said = capsys.readouterr().err
    assert f"{file} has no token, which is one word in one line" in said
