"""`maild alarm test`, and what `maild doctor` says of [alarm]."""

import json
import socket
import sys

import pytest

from maild.cli.doctor_alarm import judge_program, probe_alarm
from maild.config import load

DESK = '[desk]\naddress = "csm@desk.example"\nname = "Desk"\ndata_dir = "."\n'


@pytest.fixture
def configured(tmp_path):
    def put(more=""):
        path = tmp_path / "maild.toml"
        path.write_text(DESK + more, "utf-8")
        return path

    return put


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "page"
    path.write_text(
        f"#!{sys.executable} -I\nimport sys\nopen({str(tmp_path / 'told')!r}, 'a').write(sys.stdin.read())\n"
    )
    path.chmod(0o755)
    return path


@pytest.fixture
def closed():
    """A port of this machine on which nobody listens."""
    with socket.socket() as ours:
        ours.bind(("127.0.0.1", 0))
        yield ours.getsockname()[1]


def test_a_test_is_said_and_what_came_back(maild, configured, program, tmp_path):
    done = maild("alarm", "test", "-c", configured(f'[alarm]\ncommand = ["{program}"]\n'))
    assert (done.code, done.out) == (0, f"ok    alarm.command: {program}: ended with 0\n")
    told = json.loads((tmp_path / "told").read_text())
    assert (told["what"], told["desk"], told["waiting"]) == ("test", "csm@desk.example", None)


def test_both_ways_are_tried(maild, configured, program, tmp_path, closed):
    (tmp_path / "hook").write_text(f"http://127.0.0.1:{closed}/very-secret\n")
    path = configured(f'[alarm]\ncommand = ["{program}"]\nurl_file = "hook"\n')
    done = maild("alarm", "test", "-c", path)
    assert done.code == 69
    one, two = done.out.splitlines()
    assert one.startswith("ok    alarm.command: ")
    assert two.startswith("fail  alarm.url_file: 127.0.0.1: 127.0.0.1 cannot be reached: ConnectionRefusedError")
    assert done.err == f"{path}: 1 of 2 failed\n"
    assert "secret" not in done.out + done.err


def test_no_way_at_all(maild, configured):
    done = maild("alarm", "test", "-c", configured())
    assert (done.code, done.out) == (78, "")
    assert "set alarm.command or alarm.url_file" in done.err


def found(path):
    return [(one.name, one.verdict, one.words) for one in probe_alarm(load(path, {}))]


def test_the_doctor_looks_and_sounds_nothing(configured, program, tmp_path, closed):
    ((name, verdict, words),) = found(configured())
    assert (name, verdict) == ("alarm", "ok")
    assert "the log and the status line alone" in words
    (tmp_path / "hook").write_text(f"http://127.0.0.1:{closed}/very-secret\n")
    path = configured(f'[alarm]\ncommand = ["{program}"]\nurl_file = "hook"\n')
    command, url = found(path)
    assert command == ("alarm.command", "ok", f"{program} may be run by us; `maild alarm test` sounds it")
    assert url == ("alarm.url_file", "fail", f"127.0.0.1 port {closed}: Connection refused")
    assert not (tmp_path / "told").exists()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        (tmp_path / "hook").write_text(f"http://127.0.0.1:{port}/very-secret\n")
        assert found(path)[1][1] == "ok"
        (tmp_path / "hook").write_text(f"https://127.0.0.1:{port}/very-secret\n")
        assert found(path)[1][1] == "fail"


def test_programs(program, tmp_path):
    assert judge_program(tmp_path / "none").verdict == "fail"
    assert judge_program(tmp_path).verdict == "fail"
    assert judge_program(tmp_path / ("x" * 300)).verdict == "fail"
    program.chmod(0o644)
    assert "chmod +x" in judge_program(program).words
