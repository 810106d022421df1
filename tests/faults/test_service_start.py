"""One log has one service, and one port; whoever comes second is told in words.

Whatever two starts do to each other, one of them serves, and the other says which
process is in its way; the first does not notice.
"""

import socket
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

SERVE = (sys.executable, "-m", "cli", "serve", "--json")
ANY = ("--listen", "127.0.0.1:0", "--operations", "127.0.0.1:0")
WORKERS = pytest.mark.parametrize(
    "workers",
    [
        pytest.param(0, id="alone", marks=pytest.mark.exhaustive),
        pytest.param(2, id="two_front_ends"),
    ],
)


def serve(folder, *arguments):
    """A start that comes to an end: its status, and what it said."""
    ended = subprocess.run(
        [*SERVE, str(folder), *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return ended.returncode, ended.stderr


@WORKERS
def test_a_second_service_of_one_log_is_refused_by_name(new_service, workers):
    service = new_service(workers=workers)
    writer = service.children()[0] if workers else service.process.pid
    status, said = serve(service.live.folder, *ANY, "--workers", str(workers))
    assert status == 2
    assert "locked" in said
    assert f"process {writer}" in said
    assert service.submit(b"undisturbed").status == 201


@pytest.mark.exhaustive
@WORKERS
def test_so_is_one_that_wants_the_same_port_as_well(new_service, workers):
    service = new_service(workers=workers)
    same = ["--listen", urlsplit(service.url).netloc, *ANY[2:]]
    status, said = serve(service.live.folder, *same, "--workers", str(workers))
    assert status == 2
    assert "locked" in said


def test_appending_to_a_log_that_is_served_is_refused(new_service, tmp_path):
    service = new_service(workers=1)
    (tmp_path / "file").write_bytes(b"entry")
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "cli", "append"),
            *(str(service.live.folder), str(tmp_path / "file")),
        ],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 2
    assert "locked" in ended.stderr
    assert service.submit(b"entry").json["index"] == 0


@pytest.mark.exhaustive
@WORKERS
@pytest.mark.parametrize("setting", ["listen", "operations"])
def test_a_port_that_somebody_has_is_refused_in_words(
    new_log, new_service, workers, setting
):
    first = new_service(new_log("first"), workers=workers)
    taken = first.url if setting == "listen" else first.operations
    others = {"listen": "127.0.0.1:0", "operations": "127.0.0.1:0"}
    others[setting] = urlsplit(taken).netloc
    arguments = [f"--{name}={value}" for name, value in others.items()]
    second = new_log("second")
    status, said = serve(second.folder, *arguments, "--workers", str(workers))
    assert status == 2
    assert "somebody listens there" in said
    assert f"set another {setting}" in said
    assert first.submit(b"undisturbed").status == 201
    assert second.check().size == 0


@pytest.mark.parametrize(
    ("workers", "rounds"),
    [
        pytest.param("2", 4, marks=pytest.mark.exhaustive),
        pytest.param("0", 4, marks=pytest.mark.exhaustive),
        pytest.param("2", 20, marks=pytest.mark.soak),
        pytest.param("0", 20, marks=pytest.mark.soak),
    ],
)
def test_of_two_that_start_at_once_exactly_one_serves(new_log, workers, rounds):
    live = new_log()
    for number in range(rounds):
        command = [*SERVE, str(live.folder), *ANY, "--workers", workers]
        both = [
            subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            for _ in range(2)
        ]
        # A line, or the end of one that will never say any.
        said = [each.stdout.readline() for each in both]
        serving = [each for each, line in zip(both, said, strict=True) if line]
        for each in serving:
            each.terminate()
        ended = [(each.communicate(timeout=30)[1], each.returncode) for each in both]
        assert len(serving) == 1, ended
        assert sorted(status for _, status in ended) == [0, 2], (number, ended)
        (refused,) = [errors for errors, status in ended if status == 2]
        assert "locked" in refused


def test_a_result_that_cannot_be_told_leaves_no_process_behind(new_log):
    live = new_log()
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [*SERVE, str(live.folder), *ANY, "--workers", "2"],
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=30,
            check=False,
        )
    assert ended.returncode == 2
    live.append(b"nobody has the lock")


def test_settings_of_the_command_line_hold_in_every_front_end(new_log, tmp_path):
    live = new_log()
    port = socket.create_server(("127.0.0.1", 0))
    number = port.getsockname()[1]
    port.close()
    command = [
        *SERVE,
        *(str(live.folder), "--listen", f"0.0.0.0:{number}"),
        *("--operations", "127.0.0.1:0", "--workers", "2"),
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout.readline()
        # Other machines reach it, and it has no tokens: then nobody may submit.
        with socket.create_connection(("127.0.0.1", number), timeout=20) as caller:
            caller.sendall(
                b"POST /add HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx"
            )
            assert b" 401 " in caller.recv(100)
        process.terminate()
    assert live.check().size == 0
