"""Over TLS the log has to be who it says, for those whom the caller trusts."""

import pytest

from capture import Client, Unavailable
from tests.capture.live import policy_path, serving
from tests.capture.truth import POLICY, hang_up, truly
from tests.certificates import LOOPBACK, self_signed

DATA = b"what happened"
SETTINGS = 'tls_certificate = "both.pem"\ntls_key = "both.pem"\n'


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    certificate, private = self_signed("log", LOOPBACK)
    (folder / "log.pem").write_bytes(certificate)
    (folder / "other.pem").write_bytes(self_signed("other", LOOPBACK)[0])

    with serving(
        folder, workers=0, settings=SETTINGS, files={"both.pem": certificate + private}
    ) as service:
        service.folder = folder
        yield service


def test_a_log_with_a_certificate_that_is_trusted_is_submitted_to(tls):
    ca = tls.folder / "log.pem"
    with Client(tls.url, None, policy_path(tls), ca=str(ca)) as client:
        logged = [client.submit(b"entry %d" % number) for number in range(5)]
        assert len(client._wire._idle) == 1
    assert [each.index for each in logged] == [*range(5)]


@pytest.mark.parametrize("ca", [None, "other.pem"], ids=["of the system", "other"])
def test_another_is_given_nothing_and_is_not_asked_again(tls, ticking, ca):
    given = str(tls.folder / ca) if ca else None
    log = Client(tls.url, None, policy_path(tls), ca=given, clock=ticking.clock)
    with pytest.raises(Unavailable, match=r"certificate verify failed.*SSL_CERT_F"):
        log.submit(b"entry")
    assert not ticking.pauses


def test_in_the_clear_it_does_not_answer(tls, ticking):
    url = tls.url.replace("https", "http")
    log = Client(url, None, policy_path(tls), clock=ticking.clock, repeatable=True)
    with pytest.raises(Unavailable, match=r"is it https\?"):
        log.submit(b"entry")


def test_who_has_answered_before_is_not_asked_whether_it_speaks_tls(client, ticking):
    log = client(*[truly(), hang_up], repeatable=True)
    log.submit(DATA)
    with pytest.raises(Unavailable) as caught:
        log.submit(DATA)
    assert "is it https" not in str(caught.value)


def test_a_file_of_certificates_that_cannot_be_used_is_named(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        Client("https://log.example", None, POLICY, ca="absent.pem")
    assert caught.value.filename == "absent.pem"
    (tmp_path / "policy").write_bytes(POLICY)
    with pytest.raises(ValueError, match="policy has no certificate"):
        Client("https://log.example", None, POLICY, ca=str(tmp_path / "policy"))


def test_who_does_not_speak_it_is_unavailable(server, client, ticking):
    log = Client(
        server.prefix.replace("http", "https"),
        None,
        b"quorum none\n",
        clock=ticking.clock,
    )
    with pytest.raises(Unavailable, match=r"no TLS with 127\.0\.0\.1"):
        log.submit(b"entry")
