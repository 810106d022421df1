"""The words of a record: texts, numbers, times, digests and targets, and their rules.

Each is a type with its rule; `mend` says to whoever broke the rule what to write
instead. What a pattern can say it says, so that a JSON Schema says it as well.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, TypeAlias, TypeVar

from msgspec import UNSET, Meta, UnsetType

from verifier.document import MAX_INTEGER

T = TypeVar("T")
Maybe: TypeAlias = T | UnsetType
"""What may be left out. It is never null."""
LEFT_OUT: Final[Any] = UNSET

_END: Final = r"$(?![\s\S])"
"""The end of a text: a bare $ would let a line feed behind it."""
_CONTROLS: Final = (
    r"\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
)
"""What moves the cursor, or the words around it, and is not seen."""
_DAY: Final = (
    r"(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    r"|(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])"
    r"|(?:[02468][048]|[13579][26])00)-02-29)"
)
_UUID7: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_SHA256: Final = r"sha256:[0-9a-f]{64}"
_PART: Final = r"[^\s" + _CONTROLS + "]+"
_NAMED: Final = r"[^\s/" + _CONTROLS + "]+"


def text(
    pattern: str, mend: str, *, least: int | None = None, most: int | None = None
) -> Meta:
    """The rule of a text."""
    return Meta(
        pattern=f"^(?:{pattern}){_END}",
        min_length=least,
        max_length=most,
        extra={"mend": mend},
    )


Id = Annotated[str, text(_UUID7, "a new UUIDv7 in lower case, as provlog id prints it")]
Name = Annotated[
    str,
    text(
        f"[^{_CONTROLS}]+",
        "1 to 256 characters, none of which is a control character",
        least=1,
        most=256,
    ),
]
Time = Annotated[
    str,
    text(
        rf"{_DAY}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{{1,6}})?Z",
        "a time in UTC with Z and at most six digits behind the point, as "
        "2026-11-30T12:00:00.000001Z",
    ),
]
Digest = Annotated[
    str,
    text(_SHA256, "sha256: and 64 hex digits in lower case, as sha256sum prints them"),
]
Decimal = Annotated[
    str,
    text(
        r"-?(?:0|[1-9][0-9]{0,29})(?:\.[0-9]{1,30})?",
        'a decimal as text, as "0.7": floats have no one spelling',
    ),
]
Count = Annotated[
    int, Meta(ge=0, le=MAX_INTEGER, extra={"mend": "a whole number from 0 to 2^53-1"})
]
Integer = Annotated[
    int,
    Meta(
        ge=-MAX_INTEGER,
        le=MAX_INTEGER,
        extra={"mend": "a whole number within 2^53-1 of 0"},
    ),
]
MediaType = Annotated[
    str,
    text(
        r"[a-z0-9!#$&^_.+-]+/[a-zA-Z0-9!#$&^_.+; =\"-]+",
        "a media type, as text/plain",
        most=255,
    ),
]
Currency = Annotated[str, text("[A-Z]{3}", "three letters, as EUR (ISO 4217)")]
Hex16 = Annotated[
    str, text("(?!0{16})[0-9a-f]{16}", "16 hex digits in lower case, not all 0")
]
Hex32 = Annotated[
    str, text("(?!0{32})[0-9a-f]{32}", "32 hex digits in lower case, not all 0")
]
Commit = Annotated[
    str, text("[0-9a-f]{40}|[0-9a-f]{64}", "a commit's whole hash, 40 or 64 hex digits")
]
PathStep = (
    Annotated[str, Meta(max_length=256)] | Annotated[int, Meta(ge=0, le=MAX_INTEGER)]
)

TARGETS: Final = {
    "rec:": (_UUID7, "another record, by its id"),
    "sha256:": ("[0-9a-f]{64}", "bytes, by their digest"),
    "git:": (f"{_PART}@(?:[0-9a-f]{{40}}|[0-9a-f]{{64}})", "a commit: repository@hash"),
    "patch:": ("[0-9a-f]{40}|[0-9a-f]{64}", "a change, as git patch-id names it"),
    "ticket:": (f"{_NAMED}/{_PART}", "a ticket: system/key"),
    "oci:": (f"{_PART}@{_SHA256}", "an image: reference@digest"),
    "hf:": (f"{_NAMED}/{_NAMED}@[0-9a-f]{{40}}", "a model or dataset: org/name@hash"),
    "mlflow:": (f"{_NAMED}/{_NAMED}", "a registered model: name/version"),
    "ol:": (f"{_NAMED}/{_PART}", "an OpenLineage run: namespace/job/run"),
    "otel:": ("[0-9a-f]{32}/[0-9a-f]{16}", "a span: trace/span"),
    "a2a:": (_PART, "a task between agents"),
    "log:": (f"{_PART}/(?:0|[1-9][0-9]{{0,18}})", "an entry of a log: origin/index"),
}
"""What a link can lead to: each form by its beginning."""

Target = Annotated[
    str,
    text(
        "|".join(f"{start}(?:{rest})" for start, (rest, _) in TARGETS.items()),
        "one of the forms "
        + ", ".join(f"{start}… ({says})" for start, (_, says) in TARGETS.items()),
        most=1_024,
    ),
]
Relation = Literal[
    "used",
    "generated",
    "derivedFrom",
    "informedBy",
    "associatedWith",
    "onBehalfOf",
    "invalidated",
    "implements",
    "reviews",
    "approves",
    "fixes",
    "introduces",
    "deploys",
    "rollsBack",
    "supersedes",
    "squashes",
    "evaluates",
    "corrects",
]
Phase = Literal["instant", "start", "end", "intent", "effect"]
Status = Literal["ok", "error", "refused", "timeout"]
