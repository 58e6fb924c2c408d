"""What is told to systemd, word for word, and when a loop counts as hanging."""

import socket

import pytest

from maild import notify
from maild.pulse import AWAY, Pulse


@pytest.mark.parametrize(
    ("listeners", "note", "line"),
    [
        (["smtp=127.0.0.1:25"], "", "STATUS=listening on smtp=127.0.0.1:25; 3 waiting, 2 owed"),
        (["smtp=a:1", "smtp=b:2"], "", "STATUS=listening on smtp=a:1 smtp=b:2; 3 waiting, 2 owed"),
        ([], "", "STATUS=listening on nothing; 3 waiting, 2 owed"),
        (["x"], "odd\nREADY=1", "STATUS=listening on x; 3 waiting, 2 owed; odd READY=1"),
    ],
)
def test_the_status_is_one_line(listeners, note, line):
    assert notify.status(listeners, 3, 2, note) == line


def test_the_words_of_a_life():
    assert notify.ready("STATUS=x") == "READY=1\nSTATUS=x"
    assert notify.reloading(1_234_567_899).splitlines()[:2] == ["RELOADING=1", "MONOTONIC_USEC=1234567"]
    assert notify.stopping().splitlines()[:2] == ["STOPPING=1", "WATCHDOG=1"]


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "7"}, 3.0),
        ({"WATCHDOG_USEC": "1500000"}, 1.5),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "-5"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "²"}, None),
        ({}, None),
    ],
)
def test_who_is_watched(environment, seconds):
    assert notify.watchdog_seconds(environment, 7) == seconds


@pytest.mark.parametrize(
    ("environment", "numbers"),
    [
        ({"LISTEN_FDS": "2", "LISTEN_PID": "7"}, [3, 4]),
        ({"LISTEN_FDS": "2", "LISTEN_PID": "8"}, []),
        ({"LISTEN_FDS": "2"}, []),
        ({"LISTEN_FDS": "some", "LISTEN_PID": "7"}, []),
        ({"LISTEN_PID": "7"}, []),
    ],
)
def test_which_sockets_are_ours(environment, numbers):
    assert list(notify.passed_sockets(environment, 7)) == numbers


@pytest.mark.parametrize("abstract", [False, True])
def test_telling(tmp_path, abstract):
    name = f"@{tmp_path.name}-{id(tmp_path)}" if abstract else str(tmp_path / "n")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind("\0" + name[1:] if abstract else name)
        ear.settimeout(10)
        notify.tell("READY=1\nSTATUS=ü", {"NOTIFY_SOCKET": name})
        assert ear.recv(100).decode() == "READY=1\nSTATUS=ü"
    with pytest.raises(OSError, match="refused"):
        notify.tell("READY=1", {"NOTIFY_SOCKET": name})


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1"}])
def test_nobody_asked(environment):
    notify.tell("READY=1", environment)


def test_a_pulse():
    now = [100.0]
    pulse = Pulse(10, lambda: now[0])
    for moment, pause, late_at in [(100, 0, 110.1), (200, 300, 510.1), (600, 0, 610.1)]:
        now[0] = moment
        pulse.beat(pause)
        now[0] = late_at - 0.2
        assert not pulse.late
        now[0] = late_at
        assert pulse.late
    pulse.beat(AWAY)
    now[0] = 1e9
    assert not pulse.late


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        ({"LISTEN_FDNAMES": "maild.socket:lmtp"}, ["maild.socket", "lmtp"]),
        ({"LISTEN_FDNAMES": ""}, []),
        ({}, []),
    ],
)
def test_what_our_sockets_are_called(environment, names):
    assert notify.names_of_sockets(environment) == names
