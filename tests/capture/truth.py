"""What a log answers that is true, for a test to spoil one thing of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from tests.loopback import Behave, Handler, answer
from tests.reference.rfc6962 import Tree
from tests.testlog import (
    LOG,
    TIME,
    Signer,
    b64,
    checkpoint_text,
    note,
    policy_text,
    receipt_text,
)
from verifier.entry import Entry
from verifier.record import MEDIA_TYPE

OTHERS = [b"other %d" % number for number in range(6)]
INDEX, SIZE = 3, 7
WALL = float(TIME)
"""What a clock on the wall says when a test begins."""
POLICY = policy_text(witnesses=(), quorum=0)
DESCRIPTION = answer(
    body=json.dumps({"paths": {"/v1/lookup/record/{id}": {}}}).encode()
)
"""What a log of records says of itself, as far as a client looks."""
OF_BYTES = answer(body=json.dumps({"paths": {"/add": {}}}).encode())


class Posting(Handler):
    """Answers a POST as it does a GET, and keeps what was posted."""

    def do_POST(self) -> None:  # noqa: N802 - http.server finds it by this name
        length = int(self.headers.get("Content-Length", 0))
        self.server.bodies.append(self.rfile.read(length))  # type: ignore[attr-defined]
        self.do_GET()


def wrapped(data: bytes, **members: Any) -> bytes:
    """The entry that a log of records makes of `data`."""
    given: dict[str, Any] = {
        "at": TIME * 1000,
        "by": "s-1",
        "type": MEDIA_TYPE,
        "body": data,
    }
    return Entry(**given | members).encode()


def true_result(
    entry: bytes,
    *,
    log: Signer = LOG,
    witnesses: Sequence[Signer] = (),
    index: int = INDEX,
    more: int = 0,
    line: Callable[[bytes], str] = lambda _: "",
) -> dict[str, Any]:
    """The result for `entry`, which stands among others, `more` of them behind it.

    What is answered to one client has to be of differing sizes, or of one tree. `line`
    makes one more line under the checkpoint, of its root.
    """
    behind = [b"more %d" % number for number in range(more)]
    tree = Tree([*OTHERS[:index], entry, *OTHERS[index:], *behind])
    size = SIZE + more
    root = tree.mth(0, size)
    text = checkpoint_text(size, root, log.name)
    lines = [each.line(text) for each in (log, *witnesses)]
    signed = note(text, *lines, line(root))
    return {
        "index": index,
        "size": size,
        "repeated": False,
        "witnessed": False,
        "entry": b64(entry),
        "receipt": receipt_text(index, tree.path(index, size), signed).decode(),
    }


def posted(make: Callable[[bytes], bytes], status: int = 201) -> Behave:
    """Answer with what `make` makes of the body that was posted."""

    def behave(handler: Handler) -> None:
        data = handler.server.bodies[-1]  # type: ignore[attr-defined]
        answer(status, make(data), Content_Type="application/json")(handler)

    return behave


def truly(*, records: bool = False, **options: Any) -> Behave:
    """Answer truly."""
    return posted(
        lambda data: json.dumps(
            true_result(wrapped(data) if records else data, **options)
        ).encode()
    )


def problem(status: int, kind: str, **more: Any) -> Behave:
    """Answer with a problem of ours; `Retry_After` is a header."""
    headers = {name: more.pop(name) for name in ("Retry_After",) if name in more}
    document = {
        "type": f"/v1/problems#{kind}",
        "title": "A title",
        "status": status,
        "detail": "what has happened",
        "check": kind,
        **more,
    }
    return answer(status, json.dumps(document).encode(), **headers)


def hang_up(handler: Handler) -> None:
    """Read the request, and end the connection."""
    handler.close_connection = True
