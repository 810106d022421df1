"""A policy means one thing: each line is read exactly, and each witness counts once."""

import json
from itertools import product

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from tests.foreign import folder
from tests.testlog import LOG, WITNESSES, Signer, policy_text, signer
from verifier.errors import MalformedError
from verifier.keys import Algorithm, KeyType, PublicKey, VerifierKey
from verifier.policy import MAX_BYTES, MAX_LINES, Policy, name_text

W1, W2, W3 = (f"witness w{n} {each.vkey}" for n, each in enumerate(WITNESSES, 1))


def parse(*lines: str) -> Policy:
    return Policy.parse("".join(f"{line}\n" for line in lines).encode())


def refuse(*lines: str, word: str) -> None:
    """The lines spoil a policy, and what is said of it has `word`."""
    with pytest.raises(MalformedError, match=word):
        parse(W1, W2, W3, *lines, "quorum none")


def test_a_policy_lists_logs_witnesses_groups_and_a_quorum():
    policy = Policy.parse(policy_text())
    assert [each.text() for each in policy.logs] == [LOG.vkey]
    keys = [each.key.text() for each in policy.witnesses.values()]
    assert keys == [each.vkey for each in WITNESSES]
    assert policy.groups[policy.quorum].least == 2
    assert policy.asks_witnesses


def test_a_quorum_is_one_witness_or_nobody_or_a_group():
    nobody, one = parse(W1, W2, "quorum none"), parse(W1, W2, "quorum w2")
    assert (nobody.asks_witnesses, nobody.satisfied_by(set())) == (False, True)
    assert (one.asks_witnesses, one.satisfied_by({b"w2"})) == (True, True)
    assert not one.satisfied_by({b"w1"})


def test_a_policy_without_its_witnesses_asks_nobody_and_trusts_the_same_logs():
    policy = Policy.parse(policy_text())
    alone = policy.without_witnesses()
    assert (alone.logs, alone.witnesses, alone.groups) == (policy.logs, {}, {})
    assert not alone.asks_witnesses
    assert alone.satisfied_by(set())
    assert policy.asks_witnesses


def test_urls_are_kept_and_may_be_left_out():
    policy = parse(
        f"log {LOG.vkey} https://log.example", f"{W1} u#1", W2, "quorum none"
    )
    assert [each.url for each in policy.witnesses.values()] == [b"u#1", None]


# --- lines and bytes ---


def test_words_are_parted_by_spaces_and_tabs_and_by_nothing_else():
    spaced = W1.replace(" ", " \t\t ")
    policy = parse("", "  ", "\t", f" \t{spaced}\t ", "\tquorum  none ")
    assert list(policy.witnesses) == [b"w1"]
    for space in ("\u00a0", "\u2003", "\x85"):
        refuse(W1.replace(" ", space), word="starts with none of")


def test_a_comment_is_a_whole_line():
    assert parse("#", "# c", "\t #c", f"log {LOG.vkey}", "quorum none").logs
    other = signer("witness.example/w4", 0x04).vkey
    for line in (
        f"witness w4 {other} url # c",
        "group g any w1 # c",
        "quorum none # c",
    ):
        refuse(line, word="line 4")


@pytest.mark.parametrize("code", [*range(0x20), 0x7F])
def test_control_characters_are_refused_also_in_comments(code):
    line = f"# a{chr(code)}\n".encode()
    data = line + b"quorum none\n"
    if chr(code) in "\t\n":
        assert Policy.parse(data).quorum == b"none"
        return
    with pytest.raises(MalformedError, match="control character"):
        Policy.parse(data)


@pytest.mark.parametrize("data", [b"", b"quorum none", b"quorum none\n# end"])
def test_the_last_line_ends_in_a_newline(data):
    with pytest.raises(MalformedError, match="newline"):
        Policy.parse(data)


def test_bytes_and_lines_are_bounded():
    end = b"quorum none\n"
    room = MAX_BYTES - len(end) - 1
    assert Policy.parse(b"#" * room + b"\n" + end).quorum
    with pytest.raises(MalformedError, match="bytes"):
        Policy.parse(b"#" * (room + 1) + b"\n" + end)
    assert Policy.parse(b"\n" * (MAX_LINES - 1) + end).quorum
    with pytest.raises(MalformedError, match="lines"):
        Policy.parse(b"\n" * MAX_LINES + end)


@pytest.mark.parametrize("word", ["Log", "logs", "\ufefflog", "sigsum", "quorum:"])
def test_a_line_starts_with_a_known_word(word):
    refuse(f"{word} {LOG.vkey}", word="line 4: it starts with none of")


OTHER = signer("witness.example/w4", 0x04).vkey


WORDS = [
    ("log", "log VKEY"),
    (f"log {LOG.vkey} url more", "log VKEY"),
    ("witness w4", "witness NAME"),
    (f"witness w4 {OTHER} url more", "witness NAME"),
    (f"witness w4 w4 {OTHER}", "vkey"),
    ("group g", "group NAME"),
    ("group g any", "group NAME"),
    ("quorum", "quorum NAME"),
    ("quorum w1 w2", "quorum NAME"),
]


@pytest.mark.parametrize(("line", "word"), WORDS)
def test_a_line_has_the_words_it_needs_and_no_more(line, word):
    refuse(line, word=f"policy line 4: .*{word}")


def test_a_vkey_is_utf_8():
    with pytest.raises(MalformedError, match="line 1: the vkey is not valid UTF-8"):
        Policy.parse(b"log \xff+00000000+AAAA\nquorum none\n")


# --- names ---


def test_names_are_bytes_and_nothing_is_made_equal():
    names = [b"\xff\xfe", "é".encode(), "e\u0301".encode(), b"W", b"w", b"all", b"any"]
    keys = [signer(f"w{n}", 0x04).vkey.encode() for n in range(len(names))]
    pairs = zip(names, keys, strict=True)
    lines = [b"witness %s %s\n" % pair for pair in pairs]
    group = b"group g all " + b" ".join(names) + b"\n"
    policy = Policy.parse(b"".join(lines) + group + b"quorum g\n")
    assert policy.satisfied_by(set(names))
    for missing in names:
        assert not policy.satisfied_by(set(names) - {missing})


def test_witnesses_and_groups_share_their_names():
    refuse(f"witness w1 {OTHER}", word="'w1' is defined twice")
    refuse("group w1 any w2", word="'w1' is defined twice")
    refuse("group g any w1", "group g any w2", word="'g' is defined twice")
    refuse("group g any w1", f"witness g {OTHER}", word="'g' is defined twice")


def test_none_is_the_name_of_nobody():
    refuse(f"witness none {OTHER}", word='"none"')
    refuse("group none any w1", word='"none"')
    refuse("group g any none", word="'none' is defined on no earlier line")


def test_names_refer_to_earlier_lines_only():
    for lines in (
        ["group g any w4", f"witness w4 {OTHER}"],
        ["group g any h", "group h any w1"],
        ["group g any g"],
        ["quorum g", "group g any w1"],
    ):
        refuse(*lines, word="on no earlier line")


def test_a_name_is_a_member_once():
    refuse("group g any w1 w1", word="'w1' is a member of a group already")
    refuse("group g any w1", "group h any w1", word="'w1' is a member")
    groups = ["group g any w1", "group h any g", "group i all w2 g"]
    refuse(*groups, word="'g' is a member")


@pytest.mark.parametrize(
    "least", ["0", "3", "-1", "+1", "01", "1.0", "ALL", "", "\u0661"]
)
def test_a_threshold_is_from_1_to_the_number_of_members(least):
    assert parse(W1, W2, "group g 2 w1 w2", "quorum g").groups[b"g"].least == 2
    refuse(f"group g {least or '*'} w1 w2", word="threshold")


def test_there_is_exactly_one_quorum():
    with pytest.raises(MalformedError, match='no "quorum"'):
        parse(W1)
    for first, second in product(("none", "w1"), repeat=2):
        with pytest.raises(MalformedError, match="line 3: a second quorum"):
            parse(W1, f"quorum {first}", f"quorum {second}")


# --- keys ---


def test_nobody_is_listed_twice_whatever_name_type_and_id_the_key_is_given():
    for kind in (0x01, 0x04):
        renamed = Signer("other", kind, WITNESSES[0].seed).vkey
        refuse(f"witness w4 {renamed}", word="the key of other is listed already")
    renamed = Signer("other", 0x01, LOG.seed).vkey
    refuse(f"log {LOG.vkey}", f"log {renamed}", word="listed already")


def test_a_witness_line_with_a_key_for_texts_names_the_cosignature_key():
    plain = Signer("w", 0x01, bytes(32))
    policy = parse(f"witness w {plain.vkey}", "quorum w")
    wanted = Signer("w", 0x04, bytes(32)).vkey
    assert policy.witnesses[b"w"].key.text() == wanted
    assert parse(f"log {plain.vkey}", "quorum none").logs[0].type is KeyType.ED25519


def test_ecdsa_is_for_logs_and_not_for_witnesses():
    public = ec.derive_private_key(7, ec.SECP256R1()).public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    vkey = VerifierKey("a", KeyType.ECDSA, PublicKey(Algorithm.ECDSA_P256, der)).text()
    assert parse(f"log {vkey}", "quorum none").logs
    refuse(f"witness w4 {vkey}", word="Ed25519 or ML-DSA-44")


def test_a_hundred_logs_witnesses_and_groups_are_read():
    logs = [f"log {signer(f'log{n}').vkey}" for n in range(100)]
    keys = [signer(f"w{n}", 0x04).vkey for n in range(99)]
    keys.append(signer("w99", 0x06).vkey)
    witnesses = [f"witness w{n} {vkey}" for n, vkey in enumerate(keys)]
    groups = ["group g0 any w0"]
    groups += [f"group g{n} all w{n} g{n - 1}" for n in range(1, 100)]
    policy = parse(*logs, *witnesses, *groups, "quorum g99")
    everybody = {f"w{n}".encode() for n in range(100)}
    assert policy.satisfied_by(everybody)
    assert not policy.satisfied_by(everybody - {b"w50"})


# --- foreign judges ---


def foreign():
    file = folder("transparency-dev-formats") / "witness_policy_cases.json"
    return json.loads(file.read_text())


def mended(policy: str) -> str:
    """The policy without what Go reads and the specification forbids."""
    policy = policy.replace("/    #comment\n", "/\n")
    name, _, rest = policy.partition("witness w3 ")
    return f"{name}witness w3 {OTHER} {rest.split(' ', 1)[1]}" if rest else name


def test_the_policies_that_go_reads_are_read_less_its_exceptions():
    # Go takes trailing comments, and the same key for two witnesses.
    exceptions = {"tidy": "", "whitespace and comments": "witness NAME VKEY"}
    for case in foreign()["accept"]:
        if word := exceptions.get(case["name"], "listed already"):
            with pytest.raises(MalformedError, match=word):
                Policy.parse(case["policy"].encode())
        policy = Policy.parse(mended(case["policy"]).encode())
        # With one member, "any" of the last case is one of one.
        assert policy.groups[b"g1"].least == case.get("threshold", 2)
        assert policy.satisfied_by(policy.witnesses.keys())


def test_the_policies_that_go_refuses_are_refused_also_with_their_last_newline():
    for case in foreign()["reject"]:
        for end in ("", "\n"):
            with pytest.raises(MalformedError):
                Policy.parse((case["policy"] + end).encode())


# Names, as people see them


@given(st.binary(max_size=4), st.binary(max_size=4))
def test_no_two_names_are_shown_alike(one, other):
    assert (name_text(one) == name_text(other)) == (one == other)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"w1", "w1"),
        ("Zoë".encode(), "Zoë"),
        (b"\xff", r"\xff"),
        (rb"\xff", r"\\xff"),
        (b"w\xc3", r"w\xc3"),
    ],
)
def test_a_name_that_is_no_text_is_shown_by_its_bytes(name, shown):
    assert name_text(name) == shown
