"""Whichever process of a service is killed, no caller is told what is not so.

A front end is replaced, and its callers do not know. With the writer the service
ends, and says how; the next start finds all that was acknowledged. Without the
supervisor the others end by themselves, and leave the log to the next.
"""

import os
import signal
from itertools import pairwise

import pytest

from ledger.log.lock import is_locked
from tests.records import TEXT
from tests.service.load import Load


def alive(pid):
    """Whether a process runs; one that nobody has waited for yet does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # it ended before, or between
        return False


def gauge(service, name):
    """What /metrics says of one number."""
    text = service.ask("GET", "/metrics", operations=True).body.decode()
    lines = [each.split() for each in text.splitlines() if each.startswith(name)]
    return float(lines[0][-1])


@pytest.mark.exhaustive
def test_a_front_end_that_is_killed_is_replaced_and_nobody_is_lied_to(new_service):
    service = new_service(workers=2)
    _, first, second, _ = service.in_order()
    with Load(service, 6) as load:
        load.until(50)
        os.kill(first, signal.SIGKILL)
        service.until(lambda: not alive(first) and len(service.children()) == 4)
        assert alive(second)
        load.until(50)
        service.until(lambda: gauge(service, "provlog_front_ends") == 2)
        load.until(50)
    assert not load.refused
    assert len(load.unknown) <= 6  # those who were at the one that died
    assert "front_end_died" in service.said()
    assert service.stop() == 0
    load.judge()


@pytest.mark.exhaustive
def test_the_replaced_one_answers_as_well_as_the_other(new_service):
    service = new_service(workers=2)
    receipt = service.submit(b"before").json
    front_ends = service.in_order()[1:3]
    for each in front_ends:
        os.kill(each, signal.SIGKILL)
    service.until(lambda: gauge(service, "provlog_front_ends") == 2)
    assert not any(map(alive, front_ends))
    for number in range(20):  # each connection may come to another of them
        assert service.get("/v1/entries/0").body == b"before"
        assert service.submit(b"after %d" % number).json["index"] == number + 1
    assert service.get("/checkpoint").status == 200
    assert receipt["index"] == 0


@pytest.mark.exhaustive
def test_a_front_end_that_dies_again_and_again_is_not_started_faster(new_service):
    service = new_service(workers=1, settings="index = false\n")
    for _ in range(3):
        writer, front = service.in_order()
        os.kill(front, signal.SIGKILL)
        service.until(lambda front=front: not alive(front))
        service.until(lambda: len(service.children()) == 2)
    # The place of one that died at once is empty for a second; else it is filled.
    died = [each for each in service.said().splitlines() if "front_end_died" in each]
    seconds = [float(each.split("T")[1][6:12]) for each in died]
    assert all((after - before) % 60 >= 0.9 for before, after in pairwise(seconds))
    assert alive(writer)
    assert service.stop() == 0


@pytest.mark.exhaustive
def test_without_its_index_a_service_serves_and_the_index_comes_again(new_service):
    service = new_service(workers=1)
    *_, index = service.in_order()
    os.kill(index, signal.SIGKILL)
    assert service.submit(b"entry").status == 201
    service.until(lambda: not alive(index) and len(service.children()) == 3)
    assert service.stop() == 0


@pytest.mark.exhaustive
@pytest.mark.parametrize("workers", [0, 1], ids=["alone", "front_end"])
def test_a_log_that_has_no_room_says_so_as_soon_as_it_serves(new_service, workers):
    service = new_service(workers=workers, settings="limit_bytes = 300000\n")
    assert service.started["state"] == "full"
    assert "open_to_all listen=127.0.0.1:0 (The log has no tokens: " in service.said()


@pytest.mark.exhaustive
@pytest.mark.parametrize("workers", [2], ids=["two_front_ends"])
def test_without_its_writer_a_service_ends_and_nobody_hears_a_lie(new_service, workers):
    service = new_service(workers=workers)
    with Load(service, 8) as load:
        load.until(60)
        os.kill(service.in_order()[0], signal.SIGKILL)
        service.process.wait(20)
    assert service.stop() == 2
    text = "\n".join(service.lines)
    assert "writer_died how='killed by signal 9'" in text
    assert "(The writer has died; the service stops" in text
    assert "halted" in text
    assert "mend: start it again; it looks at what was left" in text
    for each in load.refused.values():
        assert "nothing was logged" in each.json["detail"]
    load.judge()


@pytest.mark.exhaustive
def test_after_that_the_next_start_has_everything_and_retries_their_index(
    new_service, new_log
):
    live = new_log(kind="record")
    record = TEXT
    service = new_service(live, workers=2)
    told = [service.submit(record % number).json["index"] for number in range(20)]
    os.kill(service.in_order()[0], signal.SIGKILL)
    assert service.stop() == 2
    again = new_service(live, workers=2)
    retried = [again.submit(record % number) for number in range(20)]
    assert [each.json["index"] for each in retried] == told
    assert {each.status for each in retried} == {200}


@pytest.mark.exhaustive
def test_without_its_supervisor_a_service_ends_by_itself_and_frees_the_log(new_service):
    service = new_service(workers=2)
    children = service.children()
    with Load(service, 4) as load:
        load.until(30)
        os.kill(service.process.pid, signal.SIGKILL)
        service.until(lambda: not any(map(alive, children)), within_s=8)
    assert not is_locked(service.live.folder)
    load.judge()
    again = new_service(service.live, workers=2)
    assert again.submit(b"after").status == 201


def test_a_supervisor_that_was_told_to_ignore_its_children_hears_them_all_the_same(
    new_service,
):
    wrapper = ("sh", "-c", "trap '' CHLD; exec \"$@\"", "sh")
    service = new_service(workers=1, wrapper=wrapper)
    os.kill(service.in_order()[0], signal.SIGKILL)
    service.process.wait(20)
    assert service.stop() == 2


@pytest.mark.exhaustive
def test_a_writer_that_dies_while_the_service_stops_is_told_of(new_service):
    service = new_service(workers=1, settings="stop_s = 2\n")
    writer, front, _ = service.in_order()
    os.kill(front, signal.SIGSTOP)  # so that the stop waits for it
    service.process.send_signal(signal.SIGTERM)
    os.kill(writer, signal.SIGKILL)
    assert service.stop() == 2
    assert "while the service stopped" in "\n".join(service.lines)


@pytest.mark.exhaustive
def test_processes_have_no_socket_that_is_not_theirs(new_service):
    service = new_service(workers=2)
    port = int(service.url.rpartition(":")[2])
    processes = service.in_order()  # writer, two front ends, index
    # One that has just been forked closes what is not its own in the next moment.
    service.until(lambda: [listening(pid, port) for pid in processes] == [0, 1, 1, 0])


def listening(pid, port):
    """How many sockets a process has that listen at `port`."""
    found = {os.readlink(each.path) for each in os.scandir(f"/proc/{pid}/fd")}
    with open(f"/proc/{pid}/net/tcp") as file:
        rows = [each.split() for each in file][1:]
    return sum(
        f"socket:[{row[9]}]" in found
        for row in rows
        if row[3] == "0A" and row[1].endswith(f":{port:04X}")
    )
