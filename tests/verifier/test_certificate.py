"""A certificate is believed when its chain leads to one that somebody has pinned.

Everything that RFC 5280 lets an authority say about what it issues holds, or the
chain is refused; nobody but the pinned ones is asked.
"""

import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from tests.authority import (
    FROM,
    NOW,
    TO,
    Issued,
    ed25519_key,
    issue,
    ml_dsa_key,
    p256_key,
    p384_key,
    usage,
)
from verifier.certificate import MAX_BYTES, MAX_CHAIN, Certificate, verify_chain
from verifier.errors import CertificateError, MalformedError
from verifier.keys import Algorithm

RSA = rsa.generate_private_key(65537, 2048)
ROOT = issue("CN=root", p384_key(1), authority=True, allowed=usage("key_cert_sign"))
MIDDLE = issue("CN=middle", p256_key(2), ROOT, authority=True)
LEAF_KEY = ed25519_key(3)
LEAF = issue("CN=leaf", LEAF_KEY, MIDDLE, allowed=usage("digital_signature"))
CHAIN = (LEAF, MIDDLE)


def parsed(issued: Issued) -> Certificate:
    return Certificate.parse(issued.der)


def verify(*chain, anchors=(ROOT,), at=NOW):
    return verify_chain(
        [each.der for each in chain], [parsed(each) for each in anchors], at=at
    )


def refuse(*chain, words, **options):
    with pytest.raises(CertificateError, match=words):
        verify(*chain, **options)


# What is read


def test_a_certificate_is_read_with_its_names_and_its_times():
    names = [
        x509.RFC822Name("build@ci.example"),
        x509.UniformResourceIdentifier("https://ci.example/run/7"),
        x509.DNSName("ci.example"),
        x509.RegisteredID(x509.ObjectIdentifier("1.2.3")),
    ]
    read = parsed(issue("CN=build,O=Example", LEAF_KEY, ROOT, names=names))
    assert read.subject == "CN=build,O=Example"
    assert read.names == ("build@ci.example", "https://ci.example/run/7", "ci.example")
    assert (read.not_before, read.not_after) == (FROM, TO)
    assert not read.is_authority
    assert parsed(ROOT).is_authority


@pytest.mark.parametrize(
    "name",
    [
        x509.DNSName("build@ci.example"),
        x509.DNSName("https://ci.example"),
        x509.RFC822Name("https://x@ci.example"),
        x509.RFC822Name("ci.example"),
        x509.UniformResourceIdentifier("ci.example"),
        x509.UniformResourceIdentifier("build@ci.example"),
        x509.DNSName("a b"),
    ],
    ids=repr,
)
def test_what_could_be_a_name_of_another_kind_is_no_name(name):
    assert parsed(issue("CN=a", LEAF_KEY, ROOT, names=[name])).names == ()


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ed25519_key(), Algorithm.ED25519),
        (p256_key(), Algorithm.ECDSA_P256),
        (p384_key(), Algorithm.ECDSA_P384),
        (ml_dsa_key(), Algorithm.ML_DSA_44),
    ],
    ids=["Ed25519", "P-256", "P-384", "ML-DSA-44"],
)
def test_a_leaf_of_each_of_our_algorithms_is_verified(key, algorithm):
    leaf = verify(issue("CN=leaf", key, MIDDLE), MIDDLE)
    assert leaf.key.algorithm is algorithm


def test_a_key_that_is_none_of_ours_is_none():
    assert parsed(issue("CN=a", RSA)).key is None
    unknown = LEAF.der.replace(bytes.fromhex("06032b6570"), bytes.fromhex("06032b6579"))
    assert Certificate.parse(unknown).key is None
    with pytest.raises(CertificateError, match="none of our algorithms"):
        verify_chain([unknown], [parsed(ROOT)], at=NOW)


def test_a_certificate_for_a_key_that_anybody_can_sign_for_is_refused():
    low = ed25519.Ed25519PublicKey.from_public_bytes(bytes([1]) + bytes(31))
    with pytest.raises(MalformedError, match="small order"):
        parsed(issue("CN=a", low, ROOT))


@pytest.mark.parametrize(
    "der",
    [b"", b"\x30\x00", LEAF.der[:-1], LEAF.der + b"\0", LEAF.pem.encode()],
    ids=["nothing", "empty", "cut", "longer", "PEM"],
)
def test_what_is_no_certificate_is_refused(der):
    with pytest.raises(MalformedError, match=r"not an X\.509"):
        Certificate.parse(der)


def test_a_certificate_has_a_bound():
    with pytest.raises(MalformedError, match="16384 are read"):
        Certificate.parse(bytes(MAX_BYTES + 1))


@given(st.data())
def test_whatever_is_changed_nothing_else_is_ever_raised(data):
    der = bytearray(LEAF.der)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(der) - 1))
        der[at] = data.draw(st.integers(0, 255))
    try:
        verify_chain([bytes(der), MIDDLE.der], [parsed(ROOT)], at=NOW)
    except (MalformedError, CertificateError):
        return
    assert bytes(der) == LEAF.der


# Where a chain leads


def test_a_chain_leads_to_the_anchor_that_issued_its_last_certificate():
    assert verify(*CHAIN) == parsed(LEAF)


def test_an_anchor_may_stand_in_the_chain_and_what_is_behind_it_is_not_looked_at():
    for chain in ((*CHAIN, ROOT), (*CHAIN, ROOT, issue("CN=x", RSA))):
        assert verify(*chain) == parsed(LEAF)


def test_an_anchor_may_be_any_authority_on_the_way():
    assert verify(*CHAIN, anchors=[MIDDLE])
    assert verify(LEAF, anchors=[MIDDLE])


def test_an_authority_with_two_keys_of_one_name_is_tried_with_both():
    other = issue("CN=root", p384_key(9), authority=True)
    assert verify(*CHAIN, anchors=[other, ROOT])
    refuse(*CHAIN, anchors=[other], words="certificate 2 of the chain was not issued")


@pytest.mark.parametrize("anchors", [[], [issue("CN=other", RSA, authority=True)]])
def test_a_chain_that_leads_nowhere_is_refused(anchors):
    refuse(*CHAIN, anchors=anchors, words="none of the pinned")


def test_a_chain_that_leaves_out_a_certificate_is_refused():
    refuse(LEAF, words="none of the pinned")
    refuse(LEAF, ROOT, words="certificate 1 of the chain was not issued")


def test_a_chain_in_another_order_is_refused():
    refuse(MIDDLE, LEAF, words="an authority's")
    lower = issue("CN=lower", p256_key(5), MIDDLE, authority=True)
    leaf = issue("CN=leaf", LEAF_KEY, lower)
    assert verify(leaf, lower, MIDDLE)
    refuse(leaf, MIDDLE, lower, words=r"pinned|not issued")


def test_who_only_has_the_name_of_an_authority_has_issued_nothing():
    mine = issue("CN=middle", p256_key(7), authority=True)
    refuse(issue("CN=leaf", LEAF_KEY, mine), MIDDLE, words="1 of the chain was not")
    own = issue("CN=root", p384_key(7), authority=True)
    middle = issue("CN=middle", p256_key(2), own, authority=True)
    refuse(LEAF, middle, words="2 of the chain was not issued")
    refuse(LEAF, middle, own, words="3 of the chain was not issued")


@pytest.mark.parametrize("count", [0, MAX_CHAIN + 1])
def test_a_chain_has_one_to_eight_certificates(count):
    with pytest.raises(MalformedError, match="1 to 8"):
        verify(*[LEAF] * count)


# A leaf that was pinned itself


def test_a_pinned_leaf_is_believed_whenever_and_whatever_follows_it():
    for at in (FROM - 1, NOW, TO + 1):
        assert verify(LEAF, anchors=[LEAF], at=at) == parsed(LEAF)
        assert verify(*CHAIN, anchors=[LEAF], at=at) == parsed(LEAF)


def test_a_pinned_leaf_may_be_what_openssl_makes_for_oneself(tmp_path):
    made = issue("CN=mine", LEAF_KEY, authority=True)
    assert verify(made, anchors=[made]).key == parsed(made).key
    other = issue("CN=mine", ed25519_key(4), authority=True)
    refuse(other, anchors=[made], words="an authority's")


# Dates


@pytest.mark.parametrize("at", [FROM, TO])
def test_a_certificate_is_valid_from_its_first_second_to_its_last(at):
    assert verify(*CHAIN, at=at)


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize(
    "dates", [{"start": NOW + 1}, {"end": NOW - 1}], ids=["not yet", "no more"]
)
def test_every_certificate_has_to_be_valid_at_that_time(number, dates):
    dated = [dates if number == each else {} for each in (1, 2, 3)]
    root = issue("CN=root", p384_key(1), authority=True, **dated[2])
    middle = issue("CN=middle", p256_key(2), root, authority=True, **dated[1])
    leaf = issue("CN=leaf", LEAF_KEY, middle, **dated[0])
    refuse(
        leaf, middle, anchors=[root], words=f"certificate {number} of .* not valid at"
    )


# What a certificate is for


@pytest.mark.parametrize(
    "options",
    [{}, {"authority": True, "allowed": usage("digital_signature")}],
    ids=["no authority", "a key usage without key_cert_sign"],
)
def test_only_an_authority_issues(options):
    middle = issue("CN=middle", p256_key(2), ROOT, **options)
    refuse(
        issue("CN=leaf", LEAF_KEY, middle), middle, words="2 .* may not issue certific"
    )
    refuse(
        issue("CN=leaf", LEAF_KEY, middle), anchors=[middle], words="2 .* may not issue"
    )


def test_a_certificate_that_says_nothing_of_it_is_no_authoritys():
    bare = (
        x509.CertificateBuilder(
            ROOT.certificate.subject,
            x509.Name.from_rfc4514_string("CN=middle"),
            p256_key(2).public_key(),
            1,
        )
        .not_valid_before(ROOT.certificate.not_valid_before_utc)
        .not_valid_after(ROOT.certificate.not_valid_after_utc)
        .sign(ROOT.key, hashes.SHA256())
    )
    middle = Issued(bare, p256_key(2))
    assert not parsed(middle).is_authority
    refuse(issue("CN=leaf", LEAF_KEY, middle), middle, words="may not issue")


def test_an_authority_allows_so_many_below_it():
    for allowed, holds in ((0, False), (1, True)):
        root = issue("CN=root", RSA, authority=True, path_length=allowed)
        middle = issue("CN=middle", p256_key(2), root, authority=True)
        leaf = issue("CN=leaf", LEAF_KEY, middle)
        if holds:
            assert verify(leaf, middle, anchors=[root])
        else:
            refuse(leaf, middle, anchors=[root], words="allows 0 .* and there are 1")
        assert verify(issue("CN=leaf", LEAF_KEY, root), anchors=[root])


def test_a_leaf_has_to_be_allowed_to_sign():
    leaf = issue("CN=leaf", LEAF_KEY, ROOT, allowed=usage("key_agreement"))
    refuse(leaf, words="does not allow it to sign")
    refuse(leaf, anchors=[leaf], words="does not allow it to sign")


def test_an_authority_signs_no_statement_unless_it_is_pinned_for_it():
    refuse(MIDDLE, words="an authority's")


PURPOSE = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
CONSTRAINED = x509.NameConstraints([x509.DNSName("ci.example")], None)


@pytest.mark.parametrize("extension", [PURPOSE, UNKNOWN, CONSTRAINED])
def test_a_critical_extension_that_is_not_evaluated_is_refused(extension):
    leaf = issue("CN=leaf", LEAF_KEY, ROOT, more=[(extension, True)])
    refuse(leaf, words="certificate 1 .* critical extension .*: (2.5|1.2)")
    middle = issue("CN=m", p256_key(2), ROOT, authority=True, more=[(extension, True)])
    refuse(issue("CN=a", LEAF_KEY, middle), middle, words="2 .* critical extension")


@pytest.mark.parametrize("extension", [PURPOSE, UNKNOWN])
def test_what_is_not_critical_may_be_passed_over(extension):
    assert verify(issue("CN=leaf", LEAF_KEY, ROOT, more=[(extension, False)]))


def test_name_constraints_are_not_passed_over_in_any_case():
    middle = issue(
        "CN=middle", p256_key(2), ROOT, authority=True, more=[(CONSTRAINED, False)]
    )
    refuse(issue("CN=leaf", LEAF_KEY, middle), middle, words="2 .* name constraints")


# What authorities sign with


@pytest.mark.parametrize(
    "key",
    [
        *(RSA, p256_key(), p384_key(), ec.derive_private_key(5, ec.SECP521R1())),
        *(ed25519_key(), ml_dsa_key()),
    ],
    ids=["RSA", "P-256", "P-384", "P-521", "Ed25519", "ML-DSA-44"],
)
def test_an_authority_may_have_any_algorithm_that_is_not_broken(key):
    root = issue("CN=root", key, authority=True)
    assert verify(issue("CN=leaf", LEAF_KEY, root), anchors=[root])


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(65537, 1024),  # noqa: S505 - that is the point
        ec.derive_private_key(5, ec.SECP224R1()),
    ],
    ids=["RSA of 1024 bits", "P-224"],
)
def test_an_authority_with_a_short_key_is_refused(key):
    root = issue("CN=root", key, authority=True)
    refuse(
        issue("CN=leaf", LEAF_KEY, root), anchors=[root], words="with what is broken"
    )


def test_a_signature_over_sha_1_is_refused():
    root = issue("CN=root", RSA, authority=True)
    leaf = issue("CN=leaf", LEAF_KEY, root)
    sha256, sha1 = "06092a864886f70d01010b", "06092a864886f70d010105"
    der = leaf.der.replace(bytes.fromhex(sha256), bytes.fromhex(sha1))
    with pytest.raises(CertificateError, match="broken: SHA-1"):
        verify_chain([der], [parsed(root)], at=NOW)


# A stranger's certificates


def test_certificates_that_openssl_has_made_are_verified(tmp_path):
    def openssl(line):
        done = subprocess.run(
            ["openssl", *line.split()], cwd=tmp_path, capture_output=True, check=False
        )
        if done.returncode:
            pytest.skip("there is no openssl here that makes certificates of Ed25519")

    ca, own = "-addext basicConstraints=critical,CA:", "-nodes -days 20000 -outform DER"
    openssl(f"req -x509 -newkey ed25519 -keyout k -out a {own} -subj /CN=a {ca}TRUE")
    openssl(
        f"req -x509 -newkey ed25519 -keyout l -out b {own} -subj /CN=b {ca}FALSE "
        "-addext subjectAltName=URI:spiffe://ci.example/b -CA a -CAkey k"
    )
    anchor = Certificate.parse((tmp_path / "a").read_bytes())
    chain = [(tmp_path / "b").read_bytes()]
    at = (anchor.not_before + anchor.not_after) // 2
    assert verify_chain(chain, [anchor], at=at).names == ("spiffe://ci.example/b",)
