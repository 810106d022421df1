"""A statement, and a proof, is one to scitt-cose where it is one to us, and else not.

The same bytes are given to both, true and spoiled. Where the verdicts differ it is
said here, with the reason.
"""

import cbor2
import pytest
import scitt_cose
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.rfc6962 import Tree
from tests.statements import CI, ISSUER, Maker, sign1, signed
from tests.strangers.foreignkeys import ed25519_key, keys_in, p256_key
from verifier.errors import VerificationError
from verifier.pem import key_text
from verifier.proof import verify_consistency, verify_inclusion
from verifier.statement import Statement

KEYS = {"EdDSA": ed25519_key(), "ES256": p256_key()}
PEM = key_text(CI.public).encode()
P256 = Maker("p-256")


def theirs(data: bytes, pem: bytes = PEM):
    found = scitt_cose.parse_signed_statement(data, public_key_pem=pem)
    return found["signature_verified"]


def ours(data: bytes, pem: bytes = PEM) -> bool:
    try:
        return bool(Statement.parse(data).signers(keys_in(pem)))
    except VerificationError:
        return False


def built(alg: str, **said):
    return scitt_cose.build_signed_statement(
        b"a payload",
        alg=alg,
        private_key_pem=KEYS[alg].pem,
        issuer=ISSUER,
        subject="a subject",
        content_type="text/plain",
        **said,
    )


# What it builds


@pytest.mark.parametrize("alg", KEYS)
@pytest.mark.parametrize("kid", [None, b"k"])
def test_we_read_what_it_builds_and_it_reads_what_we_make(alg, kid):
    extra = {6: 1_790_000_000, "a name": [1, {"x": b"y"}]}
    data = built(alg, kid=kid, extra_cwt_claims=extra)
    assert ours(data, KEYS[alg].public_pem)
    claims = Statement.parse(data).claims
    assert (claims.issuer, claims.subject) == (ISSUER, "a subject")
    assert (claims.content_type, claims.kid) == ("text/plain", kid)
    for maker, number in ((CI, -8), (P256, -7)):
        assert theirs(sign1(maker=maker, alg=number), key_text(maker.public))


@pytest.mark.parametrize("alg", KEYS)
def test_a_flipped_bit_has_the_same_verdict(alg):
    true, pem = built(alg, kid=b"k"), KEYS[alg].public_pem
    for at in range(len(true)):
        spoiled = true[:at] + bytes([true[at] ^ 1 << at % 8]) + true[at + 1 :]
        assert theirs(spoiled, pem) == ours(spoiled, pem), spoiled.hex()


@given(st.data())
def test_what_is_cut_put_in_or_repeated_has_the_same_verdict(data):
    true, pem = built("EdDSA"), KEYS["EdDSA"].public_pem
    at = data.draw(st.integers(0, len(true)))
    end = data.draw(st.integers(at, len(true)))
    put = data.draw(st.binary(max_size=3) | st.just(true[at:end] * 2))
    spoiled = true[:at] + put + true[end:]
    assert theirs(spoiled, pem) == ours(spoiled, pem), spoiled.hex()


def old(headers=None, **said) -> bytes:
    return sign1(**{"alg": -8, "headers": headers} | said)


SAME = {
    "a_true_one": (old(), True),
    "a_hint_that_nobody_signed": (old(unprotected={4: b"k", 99: 1}), True),
    "no_claims": (old({15: None}), True),
    "no_content_type": (old({3: None}), True),
    "a_content_type_that_is_a_number": (old({3: 50}), True),
    "what_is_understood_marked_as_critical": (old({2: [1, 3, 15]}), True),
    "something_else_marked_as_critical": (old({2: [99], 99: 1}), False),
    "a_certificate_s_hash_marked_as_critical": (
        old({2: [34], 34: [-16, b"x"]}),
        False,
    ),
    "nothing_marked_as_critical": (old({2: []}), False),
    "critical_and_not_there": (old({2: [4]}), False),
    "critical_that_is_a_map": (old({2: {1: 1}}), False),
    "another_key": (old(maker=Maker(number=2)), False),
    "the_algorithm_of_another_key": (old(alg=-7), False),
    "the_algorithm_where_nobody_signs": (old({1: None}, unprotected={1: -8}), False),
    "an_algorithm_that_is_text": (old(alg="EdDSA"), False),
    "an_algorithm_without_a_public_key": (old(alg=5), False),
    "a_payload_that_is_elsewhere": (old(payload=None, detached=b"x"), False),
    "a_payload_that_is_text": (
        cbor2.dumps(cbor2.CBORTag(18, [b"", {}, "x", b""])),
        False,
    ),
    "another_payload": (old().replace(b"a payload", b"b payload"), False),
    "no_signature": (old(signature=b""), False),
    "a_byte_behind_it": (old() + b"\0", False),
    "no_tag": (old()[1:], False),
    "no_definite_length": (b"\xd2\x9f" + old()[2:] + b"\xff", False),
    "a_header_twice": (signed(b"\xa2\x01\x27\x01\x27", b"x"), False),
    "an_empty_header": (signed(b"", b"x"), False),
    "nothing": (b"", False),
}


@pytest.mark.parametrize("case", SAME)
def test_the_verdict_is_the_same(case):
    data, good = SAME[case]
    assert (theirs(data), ours(data)) == (good, good)


def test_a_p256_signature_in_der_is_one_to_neither():
    true = Statement.parse(sign1(maker=P256, alg=-7)).message
    der = P256.sign(true.message(), der=True)
    data = signed(true.protected, true.payload, signature=der)
    pem = key_text(P256.public).encode()
    assert not theirs(data, pem)
    assert not ours(data, pem)


IT, WE = (True, False), (False, True)
DIFFERENT = {
    # The numbers of RFC 9864, which it does not know.
    "ed25519_by_its_new_number": (WE, sign1()),
    # Headers of statements that we know, and it does not (RFC 9360, 9995).
    "a_hash_algorithm_marked_as_critical": (
        WE,
        old({2: [258], 258: -16, 3: None}, payload=bytes(32)),
    ),
    # What was signed is never written again by us, so it may be spelled as it was.
    "a_number_wider_than_it_needs": (WE, signed(b"\xa1\x01\x38\x07", b"x")),
    # RFC 9942: what has a tree's label is a receipt, and no statement.
    "a_receipt_of_a_statement": (IT, old({395: 1})),
    # RFC 9943 has these as text, a map and bytes; who reads them here can rely on it.
    "an_issuer_that_is_a_number": (IT, old({15: {1: 5, 2: "x"}})),
    "an_empty_subject": (IT, old({15: {1: "x", 2: ""}})),
    "claims_that_are_a_list": (IT, old({15: [1]})),
    "a_key_id_that_is_text": (IT, old({4: "k"})),
    # RFC 9995: a digest is of a stated size, and has the content type of nothing.
    "a_digest_of_another_size": (IT, old({3: None, 258: -16})),
    "a_digest_with_a_content_type": (IT, old({258: -16}, payload=bytes(32))),
    # RFC 9052, section 3: a label is in one of the two headers.
    "a_label_in_both_headers": (IT, old({4: b"k"}, unprotected={4: b"l"})),
    # It keeps what it does not read; what nobody signed is in our data model here.
    "a_label_that_is_bytes": (IT, old(unprotected={b"x": 1})),
    "one_of_more_than_1_MiB": (IT, old(unprotected={99: bytes(1 << 20)})),
}


@pytest.mark.parametrize("case", DIFFERENT)
def test_the_verdict_differs_as_it_is_said(case):
    verdicts, data = DIFFERENT[case]
    assert (theirs(data), ours(data)) == verdicts


def test_a_key_of_ml_dsa_is_one_that_it_does_not_know():
    maker = Maker("ml-dsa-44")
    pem = key_text(maker.public).encode()
    assert ours(sign1(maker=maker), pem)
    assert not theirs(sign1(maker=maker), pem)


# Proofs


ENTRIES = [b"entry %d" % number for number in range(9)]
TREE = Tree(ENTRIES)


def spoiled(path: list[bytes]) -> list[list[bytes]]:
    """The path, and with one thing wrong each."""
    cut = [path[:at] + path[at + 1 :] for at in range(len(path))]
    return [path, *cut, path[::-1], [*path, bytes(32)], [bytes(32), *path], path * 2]


def included(index: int, size: int, path: list[bytes], root: bytes) -> list[bool]:
    hexes = [each.hex() for each in path]
    its = scitt_cose.verify_inclusion(ENTRIES[3].hex(), index, size, hexes, root.hex())
    try:
        verify_inclusion(TREE.mth(3, 4), index=index, size=size, proof=path, root=root)
    except VerificationError:
        return [its, False]
    return [its, True]


def test_a_proof_of_inclusion_has_the_same_verdict():
    verdicts = set()
    for size in range(4, 10):
        root = TREE.mth(0, size)
        for path in spoiled(TREE.path(3, size)):
            for index, other in ((3, size), (2, size), (size, size), (3, size + 1)):
                its, here = included(index, other, path, root)
                assert its == here, (index, other, path)
                verdicts.add(here)
    assert verdicts == {True, False}


def grown(first: int, second: int, path: list[bytes], root: bytes) -> list[bool]:
    hexes = [each.hex() for each in path]
    last = TREE.mth(0, 9)
    its = scitt_cose.verify_consistency(root.hex(), last.hex(), first, second, hexes)
    try:
        verify_consistency(
            first=first, first_root=root, second=second, second_root=last, proof=path
        )
    except VerificationError:
        return [its, False]
    return [its, True]


def test_a_proof_of_consistency_has_the_same_verdict():
    verdicts = set()
    for first in range(1, 10):
        roots = TREE.mth(0, first), TREE.mth(1, 2)
        for path in spoiled(TREE.consistency(first, 9)):
            for sizes in ((first, 9), (first, 8), (first, 10), (first + 1, 9)):
                for root in roots:
                    its, here = grown(*sizes, path, root)
                    assert its == here, (sizes, path)
                    verdicts.add(here)
    assert verdicts == {True, False}


def test_the_beginning_of_nothing_is_one_to_it_and_no_proof_here():
    assert grown(0, 9, [], TREE.mth(0, 0)) == [True, False]
