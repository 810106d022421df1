"""What is asked is what the operator meant: an address that is read in one way, and
IPs of the public internet, or those that the setting reach has."""

import pytest

from ledger.errors import Refused
from ledger.outbound import NoAnswer
from ledger.outbound.address import Address, Reach, parse_ip

PUBLIC = Address.parse("https://witness.example/a")
CLEAR = Address.parse("http://witness.example/a")

NOT_PUBLIC = [
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",  # noqa: S104 - nobody listens
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "168.63.129.16",
    "192.0.0.192",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::8.8.8.8",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2001:0:808:808::80ff:fffe",
    "2001:db8::1",
    "fe80::1",
    "fe80::1%1",
    "fec0::1",
    "fd00:ec2::254",
    "ff0e::1",
    "5f00::1",
]


@pytest.mark.parametrize(
    ("url", "host", "port", "authority", "path"),
    [
        ("https://log.example", "log.example", 443, "log.example", ""),
        ("http://log.example/a/b", "log.example", 80, "log.example", "/a/b"),
        ("HTTPS://LOG.example:8443/A/", "log.example", 8443, "log.example:8443", "/A/"),
        ("https://[2001:DB8:0::1]:1/", "2001:db8::1", 1, "[2001:db8::1]:1", "/"),
        ("https://bücher.example", "xn--bcher-kva.example", 443, None, ""),
        ("https://①②⑦.0.0.1", "127.0.0.1", 443, "127.0.0.1", ""),
        ("https://h/%7ea@b:c", "h", 443, "h", "/%7ea@b:c"),
    ],
)
def test_an_address_is_read_into_its_parts(url, host, port, authority, path):
    read = Address.parse(url)
    assert (read.host, read.port, read.path) == (host, port, path)
    assert read.authority == (authority or host)
    assert read.secure is url.lower().startswith("https")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "log.example",
        "//log.example",
        "ftp://log.example",
        "file:///etc/passwd",
        "gopher://log.example",
        "https://",
        "https:///a",
        "https://user@log.example",
        "https://user:word@log.example",
        "https://log.example\\@127.0.0.1",
        "https://log.example?q",
        "https://log.example/a?q",
        "https://log.example/#f",
        "https://log.example/\r\nX: y",
        "https://log.example\n",
        " https://log.example",
        "https://log\t.example",
        "https://log.example/ü",
        "https://log.example/%0",
        "https://log.example:",
        "https://log.example:0",
        "https://log.example:65536",
        "https://log.example:٣",
        "https://log.example.",
        "https://log..example",
        "https://-log.example",
        "https://127.0.0.1%2f.example",
        "https://[fe80::1%1]",
        "https://[127.0.0.1]",
        "https://[::1",
        "https://::1",
        "https://" + "a" * 64 + ".example",
        "https://" + "a." * 127 + "example",
        "https://" + "ü" * 64 + ".example",
    ],
)
def test_what_can_be_read_in_two_ways_is_no_address(url):
    with pytest.raises(Refused) as caught:
        Address.parse(url)
    assert caught.value.check == "address"


@pytest.mark.parametrize(
    "host",
    [
        *["2130706433", "0x7f000001", "017700000001", "127.1", "0x7f.1", "127.0.1"],
        *["0177.0.0.1", "127.0.0.01", "127.0.0.0x1", "0x7f.0.0.0x1", "256.0.0.1"],
    ],
)
def test_a_number_that_only_a_resolver_takes_for_an_ip_is_no_host(host):
    assert Address.parse("https://127.0.0.1").host == "127.0.0.1"
    with pytest.raises(Refused):
        Address.parse(f"https://{host}/")


@pytest.mark.parametrize(
    "url",
    [
        "https://me:secret@log.example",
        "https://log.example/secret?b",
        "https://log.example?key=secret",
        "https://log.example/a\nsecret",
        "ftp:///secret",
    ],
)
def test_an_error_shows_no_more_of_an_address_than_its_host(url):
    with pytest.raises(Refused) as caught:
        Address.parse(url)
    assert "secret" not in str(caught.value)


def test_an_address_as_text_is_without_its_path():
    assert str(Address.parse("https://log.example:1/secret")) == "https://log.example:1"


@pytest.mark.parametrize(
    "text", ["8.8.8.8", "2a00:1450::1", "64:ff9b::8.8.8.8", "2002:808:808::1"]
)
def test_what_is_public_is_asked_over_tls(text):
    Reach([]).check(PUBLIC, [parse_ip(text)])


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_what_is_not_public_is_not_asked(text):
    with pytest.raises(NoAnswer, match="setting reach"):
        Reach([]).check(PUBLIC, [parse_ip(text)])


def test_one_that_is_not_public_is_enough():
    with pytest.raises(NoAnswer, match=r"127\.0\.0\.1 into the setting reach"):
        Reach([]).check(PUBLIC, [parse_ip("8.8.8.8"), parse_ip("127.0.0.1")])


def test_without_tls_not_even_what_is_public_is_asked():
    with pytest.raises(NoAnswer, match="without TLS"):
        Reach([]).check(CLEAR, [parse_ip("8.8.8.8")])


@pytest.mark.parametrize("address", [PUBLIC, CLEAR], ids=["https", "http"])
@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("10.1.0.0/16", "10.1.2.3"),
        ("10.1.0.0/16", "::ffff:10.1.2.3"),
        ("fd00::/8", "fd00::1"),
        ("::1", "::1"),
        ("witness.example", "10.1.2.3"),
        ("Witness.Example", "8.8.8.8"),
    ],
)
def test_what_reach_has_is_asked_with_tls_or_without(address, entry, text):
    Reach([entry]).check(address, [parse_ip(text)])


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ("10.1.2.4", "10.1.2.3"),
        ("10.2.0.0/16", "10.1.2.3"),
        ("example", "10.1.2.3"),
        ("a.witness.example", "10.1.2.3"),
        ("10.0.0.0/8", "64:ff9b::10.0.0.1"),
    ],
)
def test_what_is_only_near_to_it_is_not(entry, text):
    with pytest.raises(NoAnswer):
        Reach([entry]).check(PUBLIC, [parse_ip(text)])


@pytest.mark.parametrize("entry", ["10.1.2.3/8", "10.1", "http://a", "*.example", ""])
def test_an_entry_of_reach_that_means_nothing_is_refused(entry):
    with pytest.raises(Refused, match="reach") as caught:
        Reach([entry])
    assert caught.value.check == "reach"
