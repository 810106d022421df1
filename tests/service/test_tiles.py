"""Auditors read the log as c2sp.org/tlog-tiles lays it out, byte for byte.

Each tile has one address. What is there never changes and says so; what is not
there yet is a problem that nobody keeps.
"""

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

from tests.service.standing import Conversation, standing
from verifier import verify_checkpoint
from verifier.tile import ENTRIES, Tile, parse_entries, tiles_of

ROOT = Path(__file__).resolve().parents[2]
IMMUTABLE = "public, max-age=31536000, immutable"
SIZE = 65_536 + 256 + 88
LOGGED = [b"entry %d" % index for index in range(SIZE)]


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A log with full and partial tiles on three levels."""
    with standing(tmp_path_factory.mktemp("tiles"), LOGGED) as made:
        yield made


@pytest.fixture
def ask(service):
    with Conversation(service) as conversation:
        yield conversation


# The checkpoint


def test_an_empty_log_has_a_checkpoint_that_verifies(new_service):
    service = new_service()
    seen = verify_checkpoint(service.get("/checkpoint").body, service.live.policy)
    assert seen.checkpoint.size == 0


def test_the_checkpoint_is_asked_for_again_each_time(service):
    got = service.get("/checkpoint")
    seen = verify_checkpoint(got.body, service.live.policy)
    assert seen.checkpoint.size == SIZE
    assert got.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert got.headers["Cache-Control"] == "public, no-cache"


# Tiles


def test_every_tile_has_the_bytes_that_an_export_writes(service, ask, tmp_path):
    folder = tmp_path / "out"
    command = (*(sys.executable, "-m", "cli", "export"), service.live.folder, folder)
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    for tile in tiles_of(SIZE):
        assert ask.get(f"/{tile.path()}").body == (folder / tile.path()).read_bytes()


def test_an_auditor_accepts_the_log_over_http(service):
    policy = service.live.folder / "policy.txt"
    command = (sys.executable, "-m", "verifier", "audit", "--policy", policy)
    done = subprocess.run(
        (*command, service.url), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", ["0/000", "0/257.p/88", "1/001.p/1", "entries/000"])
def test_a_tile_says_that_it_never_changes(service, path):
    headers = service.get(f"/tile/{path}").headers
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Cache-Control"] == IMMUTABLE
    assert headers["Access-Control-Allow-Origin"] == "*"


def test_a_tile_can_be_had_as_it_was_at_every_size(ask):
    for level, full in ((0, Tile(0, 0)), (1, Tile(1, 0)), (ENTRIES, Tile(ENTRIES, 0))):
        whole = ask.get(f"/{full.path()}").body
        for width in range(1, 256):
            part = ask.get(f"/{Tile(level, 0, width).path()}").body
            assert whole.startswith(part)
            if level == ENTRIES:
                tile = Tile(ENTRIES, 0, width)
                assert parse_entries(part, tile) == LOGGED[:width]
            else:
                assert len(part) == 32 * width


def test_a_full_tile_is_there_once_it_is_full(new_service):
    service = new_service()
    lines = b"x\n" * 255
    kind = {"Content_Type": "application/x-ndjson"}
    service.post("/v1/records:batch", lines, **kind)
    assert service.get("/tile/0/000").status == 404
    assert service.get("/tile/entries/000.p/255").status == 200
    service.submit(b"the last one")
    assert service.get("/tile/0/000").status == 200
    assert service.get("/tile/entries/000").status == 200
    assert service.get("/tile/1/000.p/1").status == 200
    assert service.get("/tile/entries/000.p/255").status == 200


# Packed, and known already


def test_a_tile_of_entries_is_packed_for_who_takes_that(service):
    plain = service.get("/tile/entries/003")
    packed = service.get("/tile/entries/003", Accept_Encoding="br, gzip;q=0.5")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body)
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert packed.headers["ETag"] != plain.headers["ETag"]


@pytest.mark.parametrize(
    "accepted", ["identity", "gzip;q=0", "br", "gzip;q=0, *", "gzip;q=nan"]
)
def test_it_is_not_packed_for_who_does_not(ask, accepted):
    plain = ask.get("/tile/entries/003", Accept_Encoding=accepted)
    assert "Content-Encoding" not in plain.headers
    assert parse_entries(plain.body, Tile(ENTRIES, 3)) == LOGGED[768:1024]


def test_a_very_large_one_is_not_packed_for_anybody(new_service):
    service = new_service()
    lines = (b"x" * 65_535 + b"\n") * 40
    service.post("/v1/records:batch", lines, Content_Type="application/x-ndjson")
    tile = service.get("/tile/entries/000.p/40", Accept_Encoding="gzip")
    assert "Content-Encoding" not in tile.headers
    assert parse_entries(tile.body, Tile(ENTRIES, 0, 40)) == [b"x" * 65_535] * 40


def test_hashes_are_never_packed(service):
    tile = service.get("/tile/0/003", Accept_Encoding="gzip")
    assert "Content-Encoding" not in tile.headers
    assert "Vary" not in tile.headers


@pytest.mark.parametrize("path", ["checkpoint", "tile/0/000", "tile/entries/000"])
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_what_somebody_has_is_not_sent_again(ask, path, encoding):
    first = ask.get(f"/{path}", Accept_Encoding=encoding)
    tag = first.headers["ETag"]
    again = ask.get(f"/{path}", Accept_Encoding=encoding, If_None_Match=f'"x", W/{tag}')
    assert (again.status, again.body) == (304, b"")
    for name in ("ETag", "Cache-Control", "Vary"):
        assert again.headers[name] == first.headers[name]
    other = ask.get(f"/{path}", Accept_Encoding=encoding, If_None_Match='"x"')
    assert other.body == first.body


@pytest.mark.parametrize("path", ["checkpoint", "tile/0/000", "tile/entries/000"])
def test_head_says_what_get_says(ask, path):
    got, head = ask.get(f"/{path}"), ask.ask("HEAD", f"/{path}")
    assert (head.status, head.body) == (got.status, b"")
    without = {"Date"}
    assert {
        name: value for name, value in head.headers.items() if name not in without
    } == {name: value for name, value in got.headers.items() if name not in without}


# What is not there


@pytest.mark.parametrize(
    "path",
    [
        *("0/258.p/1", "0/257.p/89", "0/257", "1/001", "1/001.p/2", "2/000.p/2"),
        *("3/000.p/1", "63/000.p/1", "entries/257.p/89", "0/999", "0/x001/000"),
    ],
)
def test_what_the_log_does_not_have_yet_is_kept_by_nobody(ask, path):
    got = ask.get(f"/tile/{path}")
    assert (got.status, got.problem) == (404, "not-found")
    assert got.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        *("0/x000/005", "0/5", "0/05", "0/0005", "00/000", "0/000/", "/0/000"),
        *("0/000.p/0", "0/000.p/256", "0/000.p/01", "0/000.p/", "0/000.p/1/"),
        *("0/000.p/+1", "0/000.p/1%20", "0//000", "./0/000", "0/../0/000"),
        *("%30/000", "0/%30%30%30", "0%2f000", "0/000%2ep/1", "64/000", "-1/000"),
        *(
            "entries/x000/000",
            "Entries/000",
            "0/" + "\u0660".encode().decode("latin-1"),
        ),
        *("0/000#", "0/000;a", "0/x000", "0/x001/x002/003/004", "0/" + 40 * "x001/"),
        "0/x999/x999/x999/x999/x999/x999/999",
    ],
)
def test_an_address_has_one_spelling(service, path):
    raw = f"GET /tile/{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    connection = service.connect()
    connection.connect()
    connection.sock.sendall(raw.encode("latin-1"))
    said = b""
    while data := connection.sock.recv(65_536):
        said += data
    connection.close()
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.split()[1] in (b"400", b"404"), said
    assert b"application/problem+json" in head
    assert b"no-store" in head
    assert b"aiohttp" not in said
    assert body.startswith(b"{")


@pytest.mark.parametrize("query", ["?", "?x", "?x=1"])
def test_a_question_mark_is_refused(ask, query):
    got = ask.get(f"/tile/0/000{query}")
    assert (got.status, got.problem) == (400, "query")
