"""A report cannot be bent by what it reports, and its JSON is a contract."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.report import Finding, Report, escape, path_text

HOSTILE = {
    "escape": "\x1b[2J",
    "hyperlink": "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "bell": "\x07",
    "c1": "\x9b31m",
    "nel": "a\x85b",
    "delete": "\x7f\x7f",
    "nul": "\x00",
    "newline": "a\nquorum      holds",
    "return": "BROKEN\rholds ",
    "tab": "a\tb",
    "override": "\u202egnp.exe",
    "isolate": "\u2066a\u2069",
    "zero width": "a\u200bb",
    "byte order mark": "\ufeffa",
    "line separator": "a\u2028b",
    "no-break space": "a\u00a0b",
    "surrogate": "\ud800",
    "private use": "\ue000",
    "tag": "\U000e0041",
    "unassigned": "\U0010ffff",
}


def report() -> Report:
    """One finding of each kind."""
    found = Report()
    found.holds("log", "log.example signed size 3", size=3)
    found.notes("closed", "user/email is withheld or erased", path=["user", "email"])
    found.fails("inclusion", "the proof leads elsewhere")
    found.fails("entry", "and this is wrong as well")
    return found


# For people


def test_a_finding_is_one_line_check_word_sentence():
    assert report().text().split("\n") == [
        "log         holds   log.example signed size 3",
        "closed              user/email is withheld or erased",
        "inclusion   BROKEN  the proof leads elsewhere",
        "entry       BROKEN  and this is wrong as well",
    ]


def test_an_empty_report_is_empty():
    assert not Report().text()


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_a_terminal_would_obey_is_escaped(text):
    shown = escape(text)
    assert shown.isprintable()
    assert shown.isascii()
    assert "\\" in shown


@given(st.text(st.characters()))
def test_whatever_comes_the_text_is_one_printable_line(text):
    line = Finding(check="entry", holds=True, says=text).text()
    assert line.isprintable()


@given(st.text(st.characters()), st.text(st.characters()))
def test_two_texts_never_look_the_same_once_escaped(one, other):
    assert (escape(one) == escape(other)) == (one == other)


def test_a_backslash_is_escaped_so_that_nobody_can_fake_an_escape():
    assert escape("\\x1b") == "\\\\x1b"
    assert escape("\x1b") == "\\x1b"


@pytest.mark.parametrize("text", ["", "plain text", "Zoë, 東京, ☂", "a'b\"c"])
def test_what_is_plainly_visible_stays(text):
    assert escape(text) == text


UNSEEN = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180f\u2800\u3164\ufe00\ufe0f\uffa0"
UNSEEN += "\U00016fe4\U0001d159\U000e0001\U000e0100\U000e01ef"


@pytest.mark.parametrize("blank", UNSEEN, ids=ascii)
def test_a_letter_or_mark_that_is_blank_is_not_plainly_visible(blank):
    assert blank not in escape(f"by{blank}log")
    assert escape(f"by{blank}log").isascii()


@pytest.mark.parametrize("each", "\u034e\u0350\u1161\ufe10", ids=ascii)
def test_their_visible_neighbours_stay(each):
    assert escape(f"a{each}") == f"a{each}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a b c", "a b c"),
        ("a  b", "a \\x20b"),
        ("a   b", "a \\x20\\x20b"),
        ("  ", " \\x20"),
        ("\\x20", "\\\\x20"),
    ],
)
def test_no_run_of_spaces_can_be_wrapped_into_a_line_of_its_own(text, shown):
    assert escape(text) == shown


STEPS = st.one_of(st.integers(0, 99), st.text(max_size=4), st.sampled_from('/"0a-'))


@given(st.lists(STEPS, max_size=4), st.lists(STEPS, max_size=4))
def test_no_two_paths_are_written_alike(one, other):
    assert (path_text(one) == path_text(other)) == (one == other)
    assert (escape(path_text(one)) == escape(path_text(other))) == (one == other)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (("outputs", 0, "digest"), "outputs/0/digest"),
        (("outputs", "0", "digest"), 'outputs/"0"/digest'),
        (("a/b",), '"a/b"'),
        (("a", "b"), "a/b"),
        (("user-id", "_x1"), "user-id/_x1"),
        (("", "-a", "é", 'a"'), r'""/"-a"/"\u00e9"/"a\""'),
    ],
)
def test_a_step_of_a_path_is_bare_only_if_it_can_be_nothing_else(path, shown):
    assert path_text(path) == shown


# For programs


def test_the_json_has_this_shape():
    assert json.loads(report().json(command="verify")) == {
        "holds": False,
        "check": "inclusion",
        "command": "verify",
        "findings": [
            {
                "check": "log",
                "holds": True,
                "says": "log.example signed size 3",
                "size": 3,
            },
            {
                "check": "closed",
                "holds": None,
                "says": "user/email is withheld or erased",
                "path": ["user", "email"],
            },
            {
                "check": "inclusion",
                "holds": False,
                "says": "the proof leads elsewhere",
            },
            {"check": "entry", "holds": False, "says": "and this is wrong as well"},
        ],
    }


def test_a_report_without_a_broken_check_holds():
    found = Report()
    found.holds("log", "signed")
    document = json.loads(found.json())
    assert (document["holds"], document["check"]) == (True, None)


def test_a_report_without_a_conclusion_neither_holds_nor_does_not():
    found = Report()
    found.holds("log", "signed")
    document = json.loads(found.json(concluded=False))
    assert (document["holds"], document["check"]) == (None, None)


def test_what_is_broken_is_broken_without_a_conclusion():
    document = json.loads(report().json(concluded=False))
    assert (document["holds"], document["check"]) == (False, "inclusion")


def test_broken_findings_are_kept_in_their_order():
    assert [each.check for each in report().broken] == ["inclusion", "entry"]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_the_json_carries_hostile_text_as_ascii_and_gives_it_back(text):
    found = Report()
    found.notes("record", text, record={text: [text]})
    written = found.json()
    assert written.isascii()
    assert all(each.isprintable() or each == "\n" for each in written)
    [finding] = json.loads(written)["findings"]
    assert finding["says"] == text
    assert finding["record"] == {text: [text]}


@given(st.text(st.characters()))
def test_no_text_leaves_a_control_character_in_the_json(text):
    found = Report()
    found.fails("entry", text)
    written = found.json(error=text)
    assert all(each.isprintable() or each == "\n" for each in written)
    assert json.loads(written)["error"] == text
