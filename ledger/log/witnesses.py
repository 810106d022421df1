"""Asking the witnesses: has anybody cosigned a newer tree of ours, or another one?

A folder that is put back whole looks right from inside; those who cosigned what came
after know better. Each is sent the checkpoint of the tree that is anchored, as its
own newest one, and what it answers says where it stands.

Who has cosigned less shows what, and has it held against our tree: a log that somebody
has gone on with elsewhere, from a clone of its machine, may be the larger one by now.

The log is held if those who are silent could be a quorum by themselves. As long as
they could not, every quorum that ever cosigned has a member who has answered now.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from hashlib import sha256
from shlex import quote

from ledger.errors import Held, Refused
from ledger.outbound import Line, NoAnswer, Reply
from verifier.checkpoint import Checkpoint
from verifier.cosignature import verify_cosignature
from verifier.errors import VerificationError
from verifier.note import Note
from verifier.policy import Policy, Witness, name_text
from verifier.witnessing import (
    MAX_ANSWER_BYTES,
    Addition,
    conflict_size,
    parse_answer,
)


def ask_witnesses(
    policy: Policy,
    *,
    held_note: bytes,
    root_at: Callable[[int], bytes],
    reach: Sequence[str],
    without: Collection[str],
    timeout_s: float,
) -> None:
    """Return if no witness is ahead of the tree in `held_note`, and enough answer.

    `held_note` is signed, and about the anchored tree; `root_at` has the roots of the
    trees that it begins with. Who is named in `without`, by the name in the policy,
    is not asked.
    """
    note = Note.parse(held_note)
    tree = Checkpoint.parse(note.text)
    asked = _asked(policy, without)
    if not asked:
        return
    # Of an empty tree as well: what was put back to its beginning is as old as can be.
    body = Addition(old=tree.size, proof=(), checkpoint=held_note).encode()
    lines = {url: _line(url, reach, timeout_s, asked[url][0]) for url in asked}
    with ThreadPoolExecutor(len(lines)) as threads:
        asking = {
            url: threads.submit(_replies, lines[url], body, tree) for url in lines
        }
        replies = {url: each.result() for url, each in asking.items()}
    silent: dict[bytes, str] = {}
    for url, (reply, shown) in replies.items():
        silent |= _silent(reply, asked[url], note.text, tree)
        if shown:
            _check_shown(shown.body, asked[url], tree, root_at)
    if policy.asks_witnesses and policy.satisfied_by(silent.keys()):
        why = "; ".join(f"{name_text(name)}: {says}" for name, says in silent.items())
        names = " ".join(f"--without {quote(name_text(name))}" for name in silent)
        says = f"witnesses that could be a quorum have not said what they have: {why}"
        mend = f"bring them back, or start with {names}"
        raise Held("witness_silent", says, mend=mend)


def _asked(policy: Policy, without: Collection[str]) -> Mapping[bytes, list[Witness]]:
    """Who is to be asked, by address."""
    asked: dict[bytes, list[Witness]] = {}
    for witness in policy.witnesses.values():
        if witness.url and name_text(witness.name) not in without:
            asked.setdefault(witness.url, []).append(witness)
    return asked


def _line(url: bytes, reach: Sequence[str], timeout_s: float, who: Witness) -> Line:
    try:
        return Line(
            url.decode(errors="surrogateescape"),
            reach=reach,
            patience_s=timeout_s,
            most=MAX_ANSWER_BYTES,
        )
    except Refused as error:
        says = f"the witness {name_text(who.name)} of the policy: {error}"
        mend = "put its address right in the log's policy.txt"
        raise Held("config", says, mend=mend) from None


def _replies(
    line: Line, body: bytes, tree: Checkpoint
) -> tuple[Reply | NoAnswer, Reply | None]:
    """What it answers; and what it shows, where that is less than we have."""
    shown = None
    try:
        reply = line.post("add-checkpoint", body)
        if reply.status == 409:
            # Nobody has to show it, so who does not is as good as one who does.
            with suppress(NoAnswer):
                digest = sha256(tree.origin.encode()).hexdigest()
                shown = line.get(f"{digest}/checkpoint")
    except NoAnswer as error:
        return error, None
    finally:
        line.close()
    return reply, shown if shown and shown.status == 200 else None


def _check_shown(
    data: bytes,
    who: Sequence[Witness],
    tree: Checkpoint,
    root_at: Callable[[int], bytes],
) -> None:
    """Held if what one of these keys has cosigned is no part of `tree`."""
    for witness in who:
        try:
            note = Note.parse(data)
            seen = Checkpoint.parse(note.text)
            [(key, signature)] = note.of_known([witness.key])
            verify_cosignature(key, note.text, seen, signature)
        except (VerificationError, ValueError):
            continue  # nothing that anybody could hold it to
        if seen.origin != tree.origin:
            continue
        if seen.size > tree.size:
            raise _rollback(name_text(witness.name), seen.size, tree)
        if root_at(seen.size) != seen.root:
            raise _forked(name_text(witness.name), seen.size)


def _silent(
    reply: Reply | NoAnswer, who: Sequence[Witness], text: str, tree: Checkpoint
) -> dict[bytes, str]:
    """Which of these keys have said nothing, and why; Held if they are ahead of us."""
    names = ", ".join(name_text(each.name) for each in who)
    if isinstance(reply, NoAnswer):
        return {each.name: str(reply) for each in who}
    match reply.status:
        case 200:
            return {
                each.name: wrong
                for each in who
                if (wrong := _wrong(reply, each, text, tree))
            }
        case 404:
            return {}  # it has never heard of this log, so it has cosigned nothing
        case 409:
            try:
                size = conflict_size(reply.headers.get("content-type", ""), reply.body)
            except VerificationError as error:
                return {each.name: str(error) for each in who}
            if size < tree.size:
                return {}
            if size > tree.size:
                raise _rollback(names, size, tree)
            # Until 2026 this was how the next one was said.
            raise _forked(names, tree.size)
        case 422 if tree.size:  # every history begins with the empty tree
            raise _forked(names, tree.size)
    return {each.name: f"it answers {reply.status}" for each in who}


def _wrong(reply: Reply, who: Witness, text: str, tree: Checkpoint) -> str:
    """Why this is no cosignature, or nothing: a portal answers 200 to everything."""
    try:
        for line in parse_answer(reply.body):
            if (line.name, line.key_id) == (who.key.name, who.key.id):
                verify_cosignature(who.key, text, tree, line.signature)
                return ""
    except VerificationError as error:
        return str(error)
    return f"no line in its answer is by {who.key.name}"


def _rollback(names: str, size: int, tree: Checkpoint) -> Held:
    return Held(
        "rollback",
        f"the witness {names} has cosigned size {size}, and this log has {tree.size}: "
        "it was put back to an older state, or somebody else signs with its key",
    )


def _forked(names: str, size: int) -> Held:
    return Held(
        "forked",
        f"the witness {names} has cosigned another tree of size {size} than this "
        "log has: there are two histories under one key",
    )
