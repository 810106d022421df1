"""What is submitted is logged as it is, or refused; an identity is logged once."""

import json
import socket

import pytest

from tests.livelog import FIRST
from tests.service.standing import RECORD, standing
from verifier import cbor
from verifier.record import encode_record

JSON = "application/json"
CBOR = "application/cbor"


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """An opaque log, without identities."""
    with standing(tmp_path_factory.mktemp("opaque")) as made:
        yield made


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """A record log."""
    with standing(tmp_path_factory.mktemp("records"), kind="record") as made:
        yield made


def logged(service, index):
    return service.get(f"/v1/entries/{index}").body


# POST /add


@pytest.mark.parametrize(
    "body", [b"", b"\n", b"\0", b"x" * 65_535], ids=["empty", "line", "nul", "largest"]
)
def test_add_logs_any_bytes_and_answers_with_bare_digits(service, body):
    got = service.post("/add", body)
    assert got.status == 200
    assert got.body.isdigit()
    assert got.body == b"%d" % int(got.body)
    assert logged(service, int(got.body)) == body


@pytest.mark.parametrize("type_", ["text/html", "multipart/form-data", "no type", ""])
def test_add_does_not_care_what_the_bytes_are(service, type_):
    assert service.post("/add", b"x", Content_Type=type_).status == 200


@pytest.mark.parametrize("kind", ["image/png", "application/json", "*/*;q=0"])
def test_add_does_not_care_what_somebody_accepts(service, kind):
    assert service.post("/add", b"x", Accept=kind).status == 200


def test_add_gives_equal_bytes_an_index_each(service):
    first, second = (int(service.post("/add", b"same").body) for _ in range(2))
    assert second == first + 1


def test_add_keeps_the_index_where_the_log_knows_what_it_has(new_service):
    service = new_service(dedupe=True)
    first, other, again = (service.post("/add", body) for body in (b"a", b"b", b"a"))
    assert (first.body, other.body, again.body) == (b"0", b"1", b"0")
    assert {each.status for each in (first, other, again)} == {200}


def test_a_record_log_has_no_add(records):
    assert records.post("/add", b"x").status == 404


# Size


@pytest.mark.parametrize("path", ["/add", "/v1/records"])
def test_one_byte_more_than_an_entry_can_have_is_refused(service, path):
    got = service.post(path, b"x" * 65_536)
    assert (got.status, got.problem) == (413, "size")


@pytest.mark.parametrize("path", ["/add", "/v1/records"])
def test_a_body_that_says_it_is_huge_is_refused_before_it_comes(service, path):
    connection = service.connect(timeout=10)
    connection.putrequest("POST", path)
    connection.putheader("Content-Length", str(99 << 30))
    connection.endheaders()
    response = connection.getresponse()
    assert response.status == 413
    assert json.loads(response.read())["type"].endswith("#size")
    connection.close()


@pytest.mark.parametrize("path", ["/add", "/v1/records"])
def test_a_body_that_does_not_say_is_refused_when_it_is_too_large(service, path):
    connection = service.connect(timeout=10)
    pieces = (b"x" * 65_536 for _ in range(4))
    connection.request("POST", path, pieces, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


def test_a_body_in_chunks_is_one_body(service):
    connection = service.connect(timeout=10)
    connection.request("POST", "/add", iter([b"one ", b"entry"]), encode_chunked=True)
    assert logged(service, int(connection.getresponse().read())) == b"one entry"
    connection.close()


def test_who_waits_for_leave_to_send_gets_it(service):
    host, port = service.url.removeprefix("http://").split(":")
    head = "POST /add HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
    with socket.create_connection((host, int(port)), timeout=10) as made:
        made.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
        assert made.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        made.sendall(b"entry")
        assert made.recv(1_000).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_record_is_as_large_as_it_is_when_it_is_logged(records):
    """In JSON it may be twice that: here each of its characters is an escape."""

    def of(characters):
        return (RECORD % 9).replace(b"run", rb"\n" * characters)

    most = 65_000 - len(encode_record(json.loads(of(300)))) + 300
    assert len(encode_record(json.loads(of(most)))) == 65_000
    assert records.submit(of(most), Content_Type=JSON).status == 201
    got = records.post("/v1/records", of(most + 1), Content_Type=JSON)
    assert (got.status, got.problem) == (413, "size")


# Identity


def test_a_record_that_is_repeated_keeps_its_index_and_its_bytes(records):
    first = records.submit(RECORD % 1)
    records.submit(RECORD % 2)
    again = records.submit(RECORD % 1)
    assert (first.status, again.status) == (201, 200)
    assert (first.json["repeated"], again.json["repeated"]) == (False, True)
    assert again.json["index"] == first.json["index"]
    assert again.json["entry"] == first.json["entry"]
    assert again.headers["Location"] == f"/v1/entries/{first.json['index']}"


def test_the_same_record_in_cbor_is_the_same(records):
    first = records.submit(RECORD % 3, Content_Type=JSON)
    body = encode_record(json.loads(RECORD % 3))
    again = records.submit(body, Content_Type=CBOR)
    assert (again.status, again.json["index"]) == (200, first.json["index"])


def test_another_record_of_the_same_id_is_told_where_the_first_one_is(records):
    first = records.submit(RECORD % 4)
    got = records.post("/v1/records", (RECORD % 4).replace(b"run", b"walk"))
    assert (got.status, got.problem) == (409, "conflict")
    assert got.json["index"] == first.json["index"]
    assert got.json["check"] == "conflict"


# Form


NO_RECORD = {"id": "01a0c54a-5ad0-4aa2-bf0c-000000000001"}


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b" ", b"{", b'{"id":', b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf{}"),
        *(b'{"a":"\xff"}', b"text", b"\xa1", b"\xa1aa", b"\xbf\xff"),
        b"\xa1\x61a\x18\x01",
    ],
)
def test_what_cannot_be_read_is_400(records, body):
    got = records.post("/v1/records", body)
    assert (got.status, got.problem) == (400, "form")


@pytest.mark.parametrize(
    "body",
    [
        *(b"{}", b"[]", b'{"id":1}', b'{"id":null}', b'{"id":1.5}'),
        *(json.dumps(NO_RECORD).encode(), cbor.encode(NO_RECORD), b"\xa0"),
        (RECORD % 5).replace(b'"run"', b"1e9"),
        (RECORD % 5).replace(b'"run"', b"9007199254740992"),
        (RECORD % 5).replace(b'"run"', rb'"\ud800"'),
        (RECORD % 5).replace(b'"run"', b"[" * 20 + b"]" * 20),
        (RECORD % 5).replace(b'"kind"', b'"id"'),
    ],
)
def test_what_can_be_read_and_is_no_record_is_422(records, body):
    got = records.post("/v1/records", body)
    assert (got.status, got.problem) == (422, "meaning")
    assert got.json["check"] in ("form", "schema")
    assert bool(got.json.get("faults")) == (got.json["check"] == "schema")


@pytest.mark.parametrize(
    ("type_", "body"),
    [(JSON, encode_record(json.loads(RECORD % 6))), (CBOR, RECORD % 6)],
    ids=["json", "cbor"],
)
def test_a_media_type_is_meant(records, type_, body):
    got = records.post("/v1/records", body, Content_Type=type_)
    assert (got.status, got.problem) == (400, "form")


@pytest.mark.parametrize("type_", ["text/html", "application/x-ndjson", "x"])
def test_another_media_type_is_no_record(records, type_):
    got = records.post("/v1/records", RECORD % 7, Content_Type=type_)
    assert (got.status, got.problem) == (415, "media-type")


@pytest.mark.parametrize(
    "type_", ["application/json; charset=utf-8", "APPLICATION/JSON"]
)
def test_a_media_type_has_more_than_one_spelling(records, type_):
    assert records.submit(RECORD % 8, Content_Type=type_).status in (200, 201)


@pytest.mark.parametrize("path", ["/add", "/v1/records", "/v1/records:batch"])
@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "deflate", "x", ""])
def test_no_body_is_compressed(service, path, encoding):
    got = service.post(path, b"x", Content_Encoding=encoding)
    assert (got.status, got.problem) == (415, "media-type")


@pytest.mark.parametrize("name", ["Content-Type", "Accept", "Authorization", "Host"])
def test_a_header_that_decides_is_there_once(service, name):
    connection = service.connect(timeout=10)
    connection.putrequest("POST", "/v1/records", skip_host=True)
    connection.putheader("Host", "localhost")
    for _ in range(1 if name == "Host" else 2):
        connection.putheader(name, "a")
    connection.putheader("Content-Length", "1")
    connection.endheaders(b"x")
    response = connection.getresponse()
    assert response.status == 400
    response.read()
    connection.close()


def test_nothing_of_what_was_refused_is_logged(new_service):
    service = new_service(kind="record")
    service.post("/v1/records", b"{}")
    service.post("/v1/records", RECORD % 1, Content_Encoding="gzip")
    service.post("/v1/records", RECORD % 1, Accept="image/png")
    assert service.submit(RECORD % 1).json["index"] == FIRST
