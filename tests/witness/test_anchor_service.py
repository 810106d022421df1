"""An anchor service holds of each log the newest head, which only goes forward.

Only who has a log's token is told, and can change it; and what is answered with 200
is durable.
"""

import json
from hashlib import sha256

import pytest
from click.testing import CliRunner

import cli.anchor
from ledger.errors import Held, Refused
from ledger.log.kept import MAX_BYTES
from ledger.witness.anchorhome import AnchorHome, add_log, make
from tests.livelog import ORIGIN
from tests.witness.anchors import AnchorService
from tests.witness.serving import ask

PATH = f"/v1/anchor/{sha256(ORIGIN.encode()).hexdigest()}"
ROOTS = [f"{number:064x}" for number in range(10)]


def head(batch, size, root=None, **more):
    """A head, whose root goes with its size."""
    root = ROOTS[size] if root is None else root
    return {"batch": batch, "size": size, "root": root, **more}


def old(before):
    return before and {name: before[name] for name in ("size", "root")}


HELD = head(3, 5)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A service, and another log that anchors there."""
    service = AnchorService(tmp_path_factory.mktemp("one") / "service", ORIGIN)
    service.stranger = add_log(service.home, "log.example/other")
    with service.up():
        yield service


@pytest.fixture
def fresh(running, tmp_path):
    """Asks about a log of its own, which nothing is held of."""
    origin = f"log.example/{tmp_path.name}"
    token = add_log(running.home, origin)
    path = f"/v1/anchor/{sha256(origin.encode()).hexdigest()}"
    return Asker(running.port, path, token, origin)


class Asker:
    def __init__(self, port, path, token, origin):
        self.port, self.path, self.token, self.origin = port, path, token, origin

    def ask(self, method="GET", document=None, token=None, path=None):
        shown = self.token if token is None else token
        headers = {"Authorization": f"Bearer {shown}"} if shown else {}
        body = document
        if not isinstance(document, bytes | None):
            body = json.dumps(document).encode()
        return ask(self.port, method, path or self.path, body, headers)

    def put(self, before, after):
        """Try to have `after` held; the status, and what is held then."""
        answer = self.ask("POST", {"old": old(before), "new": after})
        told = json.loads(answer.body)
        assert told == json.loads(self.ask().body)
        assert told.pop("origin") == self.origin
        return answer.status, told

    def begin(self, at=HELD):
        assert self.put(None, at) == (200, {"frozen": False} | at)
        return self


def test_of_a_log_that_is_new_nothing_is_held(fresh):
    assert fresh.ask().status == 404


def test_what_was_put_is_held(fresh):
    fresh.begin()
    answer = fresh.ask()
    assert answer.headers["Content-Type"] == "application/json"
    held = {"origin": fresh.origin, "frozen": False, **HELD}
    assert json.loads(answer.body) == held
    assert fresh.ask("HEAD").status == 200


FORWARD = {
    "larger": head(4, 6),
    "some batches later": head(9, 9),
    "ended": head(4, 5, frozen=True),
}


@pytest.mark.parametrize("name", FORWARD)
def test_it_goes_forward(fresh, name):
    after = FORWARD[name]
    assert fresh.begin().put(HELD, after) == (200, {"frozen": False} | after)


BACK = {
    "smaller": (HELD, head(4, 4)),
    "another root of the same size": (HELD, head(4, 5, ROOTS[9])),
    "the same batch": (HELD, head(3, 6)),
    "an earlier batch": (HELD, head(2, 6)),
    "from another root": (head(3, 5, ROOTS[9]), head(4, 6)),
    "from another size": (head(3, 4), head(4, 6)),
    "from nothing": (None, head(4, 6)),
    "itself": (HELD, HELD),
}


@pytest.mark.parametrize("name", BACK)
def test_it_never_goes_back_nor_aside(fresh, name):
    assert fresh.begin().put(*BACK[name]) == (409, {"frozen": False} | HELD)


def test_nothing_follows_an_end(fresh):
    end = head(3, 5, frozen=True)
    assert fresh.begin(end).put(end, head(4, 6)) == (409, end)


def test_where_nothing_is_held_nothing_can_be_continued(fresh):
    answer = fresh.ask("POST", {"old": old(HELD), "new": head(4, 6)})
    assert answer.status == 404
    assert fresh.ask().status == 404


WRONG = {
    "nothing": b"",
    "no JSON": b"new",
    "a list": [],
    "no old": {"new": HELD},
    "no new": {"old": None},
    "too much": {"old": None, "new": HELD | {"more": 1}},
    "a size below 0": {"old": None, "new": HELD | {"size": -1}},
    "a size that is text": {"old": None, "new": HELD | {"size": "5"}},
    "a size beyond all": {"old": None, "new": HELD | {"size": 1 << 53}},
    "a root that is short": {"old": None, "new": HELD | {"root": "00"}},
    "a root in capitals": {"old": None, "new": HELD | {"root": "A" * 64}},
    "a root with a line's end": {"old": None, "new": HELD | {"root": "0" * 64 + "\n"}},
    "nested without end": b'{"old":' + b"[" * 3000,
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_change_is_400(fresh, name):
    assert fresh.ask("POST", WRONG[name]).status == 400
    assert fresh.ask().status == 404


def test_a_long_body_is_413(fresh):
    assert fresh.ask("POST", b" " * (MAX_BYTES + 1)).status == 413


TOKENS = {"none": "", "a wrong one": "provlog_" + "A" * 43, "no token": "x y"}


@pytest.mark.parametrize("name", TOKENS)
def test_without_the_token_nothing_is_said(fresh, name):
    answer = fresh.begin().ask(token=TOKENS[name])
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    put = fresh.ask("POST", {"old": old(HELD), "new": head(4, 6)}, token=TOKENS[name])
    assert put.status == 401
    assert json.loads(fresh.ask().body)["size"] == 5


def test_the_token_of_another_log_is_a_wrong_one(fresh, running):
    stranger = fresh.begin().ask(token=running.stranger)
    unknown = fresh.ask(path=f"/v1/anchor/{'0' * 64}")
    assert (stranger.status, stranger.body) == (unknown.status, unknown.body)
    assert stranger.status == 401


def test_a_token_counts_from_the_next_request_on_and_no_longer_when_it_is_out(
    fresh, running
):
    second = add_log(running.home, fresh.origin)
    assert fresh.begin().ask(token=second).status == 200
    path = running.home.logs
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-1]))
    assert fresh.ask(token=second).status == 401
    assert fresh.ask().status == 200


@pytest.mark.parametrize("path", ["/", "/v1/anchor/", PATH.upper(), f"{PATH}?a"])
def test_elsewhere_there_is_nothing(fresh, path):
    assert fresh.ask(path=path).status == 404


def test_another_method_is_405(fresh):
    assert fresh.ask("DELETE").status == 405


def test_what_was_held_is_held_by_the_next_process(tmp_path):
    service = AnchorService(tmp_path / "service", ORIGIN)
    asker = Asker(0, PATH, service.token, ORIGIN)
    with service.up() as asker.port:
        asker.begin()
    with service.up() as asker.port:
        assert asker.put(HELD, head(4, 6))[0] == 200


def test_one_that_was_put_back_does_not_serve(tmp_path):
    service = AnchorService(tmp_path / "service", ORIGIN)
    asker = Asker(0, PATH, service.token, ORIGIN)
    data = service.home.memory / "table" / "data.mdb"
    before = data.read_bytes()
    with service.up() as asker.port:
        asker.begin()
    data.write_bytes(before)
    with pytest.raises(Held) as held, service.up():
        pass
    assert held.value.state == "rollback"


def test_the_commands_make_one_add_a_log_and_list_it(tmp_path):
    folder = tmp_path / "service"

    def give(*words):
        done = CliRunner().invoke(cli.anchor.anchor, words, catch_exceptions=False)
        assert done.exit_code == 0
        return done.stdout

    give("init", str(folder))
    told = json.loads(give("add", str(folder), ORIGIN, "--json"))
    home = AnchorHome(folder)
    assert told["token"] not in home.logs.read_text()
    known = home.known().all()[sha256(ORIGIN.encode()).digest()]
    assert known.knows(told["token"])
    assert give("add", str(folder), ORIGIN).startswith("provlog_")
    listed = json.loads(give("list", str(folder), "--json"))
    assert listed == {"logs": [{"origin": ORIGIN, "tokens": 2}]}


def test_one_is_made_in_an_empty_folder_only(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(Refused):
        make(tmp_path)
    with pytest.raises(Held):
        AnchorHome(tmp_path).known()


@pytest.mark.parametrize("origin", ["", "two words", "a+b", "line\nend"])
def test_what_is_no_origin_is_refused(tmp_path, origin):
    with pytest.raises(Refused):
        add_log(make(tmp_path), origin)
