"""A key that an ssh-agent holds: it signs for us, and we never see the secret.

The protocol is draft-miller-ssh-agent: frames of a length and a message, over the
socket that SSH_AUTH_SOCK names. Two questions are asked, which keys there are and
for a signature, each over a connection of its own.

What is signed here cannot be taken for a login, nor the other way round: in SSH the
signed bytes begin with the length of a session's id, in COSE with an array, and in
DSSE with its name.
"""

from __future__ import annotations

import contextlib
import socket
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from ledger.errors import Unavailable
from verifier.cose import for_cose
from verifier.errors import MalformedError, SignatureError
from verifier.keys import PublicKey, verify_signature
from verifier.pem import key_id, parse_keys, parse_ssh_key

MAX_FRAME: Final = 256 * 1024
"""What OpenSSH's own agent takes and gives at most."""
_ANSWER_S: Final = 10.0
_SIGNATURE_S: Final = 120.0
"""For a signature somebody may first be asked, or have to touch something."""

_REQUEST_IDENTITIES: Final = b"\x0b"
_IDENTITIES: Final = 12
_SIGN_REQUEST: Final = b"\x0d"
_SIGN_RESPONSE: Final = 14
_MAX_FILE: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class AgentKey:
    """A key in an agent. `public` is what its signatures verify with."""

    public: PublicKey
    comment: str
    _blob: bytes
    _where: str

    @property
    def fingerprint(self) -> str:
        """The name by which `ssh-add -l` shows it."""
        digest = b64encode(sha256(self._blob).digest()).decode().rstrip("=")
        return f"SHA256:{digest}"

    def sign(self, message: bytes) -> bytes:
        """Have `message` signed; with P-256 the signature is r and s, 32 bytes each.

        Unavailable where the agent does not, or gives what does not verify.
        """
        request = _SIGN_REQUEST + _string(self._blob) + _string(message) + bytes(4)
        answer = _asked(self._where, request, _SIGNATURE_S)
        if answer[:1] != bytes([_SIGN_RESPONSE]):
            raise _trouble(
                f"the agent did not sign with {self.fingerprint}: it was refused, or "
                "the key is locked or gone (ssh-add -l)"
            )
        signature = _raw(_strings(_only(answer[1:])))
        try:
            verify_signature(self.public, message, signature)
        except SignatureError:
            raise _trouble("the agent gave a signature that is not its key's") from None
        return signature


def agent_key(where: str | None, which: str | None = None) -> AgentKey:
    """The key in the agent at the socket `where` that `which` means.

    `which` is a fingerprint, as ssh-add -l prints it, a key's comment, or the path
    of a public key; without it there has to be one key only. Unavailable, with
    what there is, where none or several are meant.
    """
    keys = agent_keys(where)
    if not keys:
        raise _trouble(
            "the agent has no Ed25519 key and no P-256 key; add one: ssh-add FILE"
        )
    found = keys if which is None else _meant(keys, which)
    if len(found) == 1:
        return found[0]
    listed = "; ".join(f"{x.fingerprint} {x.comment[:60]}" for x in keys[:8])
    if not found:
        raise _trouble(f"no key in the agent is {which}; it has {listed}")
    raise _trouble(f"several keys in the agent may be meant, say which: {listed}")


def agent_keys(where: str | None) -> list[AgentKey]:
    """The keys that the agent at the socket `where` has, and that sign statements."""
    if not where:
        raise _trouble(
            "there is no agent here: SSH_AUTH_SOCK is not set; start one: "
            'eval "$(ssh-agent)"'
        )
    answer = _asked(where, _REQUEST_IDENTITIES, _ANSWER_S)
    if answer[:1] != bytes([_IDENTITIES]):
        raise _trouble("the agent does not say which keys it has")
    fields = _strings(answer[5:])
    found = []
    for blob, comment in zip(fields[::2], fields[1::2], strict=False):
        # Others, such as RSA, sign nothing here.
        with contextlib.suppress(MalformedError):
            public = for_cose(parse_ssh_key(blob))
            found.append(
                AgentKey(public, comment.decode(errors="replace"), blob, where)
            )
    return found


def _meant(keys: Sequence[AgentKey], which: str) -> list[AgentKey]:
    for found in (
        [each for each in keys if each.fingerprint == which],
        [each for each in keys if each.comment == which],
    ):
        if found:
            return found
    path = Path(which)
    if which.startswith("SHA256:") or not path.is_file():
        return []
    with path.open("rb") as file:
        data = file.read(_MAX_FILE)
    try:
        ids = {key_id(each) for each in parse_keys(data) if isinstance(each, PublicKey)}
    except MalformedError as error:
        raise _trouble(f"{which} is no public key: {error}") from None
    return [each for each in keys if key_id(each.public) in ids]


def _asked(where: str, request: bytes, patience_s: float) -> bytes:
    """What the agent answers."""
    if len(request) > MAX_FRAME:
        raise _trouble(f"an agent signs at most {MAX_FRAME} bytes; sign the digest")
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(patience_s)
            line.connect(where)
            line.sendall(_string(request))
            size = int.from_bytes(_received(line, 4), "big")
            if not 1 <= size <= MAX_FRAME:
                raise _trouble(f"the agent begins an answer of {size} bytes")
            return _received(line, size)
    except TimeoutError:
        raise _trouble(f"the agent has not answered for {patience_s:g} s") from None
    except OSError as error:
        raise _trouble(
            f"the agent at {where} (SSH_AUTH_SOCK) cannot be reached: "
            f"{error.strerror or error}"
        ) from None


def _received(line: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        some = line.recv(size - len(data))
        if not some:
            raise _trouble("the agent ended the connection in the middle of an answer")
        data += some
    return bytes(data)


def _raw(fields: Sequence[bytes]) -> bytes:
    """The signature in an agent's answer, as COSE writes it."""
    match fields:
        case [b"ssh-ed25519", signature]:
            return signature
        case [b"ecdsa-sha2-nistp256", pair]:
            # RFC 5656, section 3.1.2: two numbers, as RFC 4251 writes them.
            numbers = [int.from_bytes(each, "big") for each in _strings(pair)]
            if len(numbers) == 2 and max(numbers) < 1 << 256:
                return b"".join(each.to_bytes(32, "big") for each in numbers)
    raise _trouble("the agent gave something else than the signature of its key")


def _strings(data: bytes) -> list[bytes]:
    """The strings of RFC 4251 that `data` consists of."""
    found, at = [], 0
    while at < len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4], "big")
        if at + 4 > len(data) or end > len(data):
            raise _trouble("the agent gave an answer that cannot be read")
        found.append(data[at + 4 : end])
        at = end
    return found


def _only(data: bytes) -> bytes:
    fields = _strings(data)
    return fields[0] if len(fields) == 1 else b""


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _trouble(says: str) -> Unavailable:
    return Unavailable("agent", says)
