"""A person at a terminal sees how far the work has come; nobody else sees anything."""

import io

import pytest

from verifier.meter import BAR, Meter


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    return Terminal()


@pytest.fixture
def clock():
    return Clock()


def lines(out):
    return out.getvalue().split("\r\x1b[K")[1:]


def test_elsewhere_than_on_a_terminal_nothing_is_written(clock):
    out = io.StringIO()
    meter = Meter(out, clock)
    meter(0, 10)
    meter(10, 10)
    meter.clear()
    assert out.getvalue() == ""


def test_the_bar_grows_with_what_is_done(terminal, clock):
    meter = Meter(terminal, clock)
    for done in (0, 25, 50, 100):
        meter(done, 100)
        clock.now += 10
    assert [line.count("#") for line in lines(terminal)] == [0, 7, 15, BAR]
    assert all(line.count("#") + line.count("-") == BAR for line in lines(terminal))


def test_the_rate_is_that_of_this_run(terminal, clock):
    meter = Meter(terminal, clock)
    meter(1_000_000, 4_000_000)
    clock.now += 10
    meter(2_000_000, 4_000_000)
    first, second = lines(terminal)
    assert first.endswith("1,000,000 of 4,000,000 entries, 0/s")
    assert second.endswith("2,000,000 of 4,000,000 entries, 100,000/s, 20 s left")


def test_what_comes_too_fast_to_be_read_is_left_out_but_for_the_end(terminal, clock):
    meter = Meter(terminal, clock)
    for done in range(11):
        meter(done, 10)
        clock.now += 0.01
    assert [line.split("] ")[1][:8] for line in lines(terminal)] == [
        "0 of 10 ",
        "10 of 10",
    ]


@pytest.mark.parametrize("columns", [1, 20, 60])
def test_a_line_is_never_as_wide_as_the_terminal(terminal, clock, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    meter = Meter(terminal, clock)
    meter(0, 4_000_000_000_000)
    clock.now += 10
    meter(2_000_000, 4_000_000_000_000)
    assert [len(line) for line in lines(terminal)] == [columns - 1] * 2


def test_nothing_to_do_is_all_done(terminal, clock):
    Meter(terminal, clock)(0, 0)
    assert lines(terminal)[0].count("#") == BAR


def test_the_bar_is_taken_away(terminal, clock):
    meter = Meter(terminal, clock)
    meter.clear()
    assert terminal.getvalue() == ""
    meter(1, 2)
    meter.clear()
    assert lines(terminal)[-1] == ""
