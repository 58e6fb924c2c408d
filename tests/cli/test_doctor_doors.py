"""What `maild doctor` says of the doors: a real daemon behind them, another program, nobody."""

import asyncio
import os
import shutil
import socket
import subprocess
import threading

import pytest

from maild.cli.doctor_doors import judge_greeting, probe_doors
from maild.config import load
from maild.daemon import running

DESK = """
[desk]
address = "csm@desk.example"
data_dir = "."
[smtp]
listen = "{place}"
"""


@pytest.fixture
def configured(tmp_path):
    def put(place="", more=""):
        (tmp_path / "maild.toml").write_text(DESK.format(place=place) + more)
        return load(tmp_path / "maild.toml", {}, secrets=True)

    return put


@pytest.fixture
def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def told(config):
    return {finding.name: (finding.verdict, finding.words) for finding in probe_doors(config)}


@pytest.mark.parametrize("more", ["", 'proxy_from = ["127.0.0.1/32"]\n'])
@pytest.mark.parametrize("place", ["127.0.0.1", "0.0.0.0"])  # noqa: S104 - it is only asked for there
def test_a_daemon_answers(configured, tmp_path, free_port, place, more):
    lmtp = f'[lmtp]\nlisten = "{tmp_path}/lmtp.sock"\n'
    config = configured(f"127.0.0.1:{free_port}", f"{more}{lmtp}")

    async def beside():
        async with running(config):
            return await asyncio.to_thread(told, configured(f"{place}:{free_port}", f"{more}{lmtp}"))

    assert asyncio.run(beside()) == {
        "smtp.listen": ("ok", f"maild answers at {place}:{free_port}: 220 desk.example maild"),
        "lmtp.listen": ("ok", f"maild answers at {tmp_path}/lmtp.sock: 220 desk.example maild"),
    }


def test_nobody_answers(configured, tmp_path, free_port):
    found = told(configured(f"127.0.0.1:{free_port}", f'[lmtp]\nlisten = "{tmp_path}/lmtp.sock"\n'))
    assert found["smtp.listen"][0] == "warn"
    assert found["smtp.listen"][1].startswith(f"nobody answers at 127.0.0.1:{free_port} (Connection refused): ")
    assert found["lmtp.listen"][0] == "warn"
    assert "(No such file or directory)" in found["lmtp.listen"][1]


@pytest.mark.parametrize(
    ("says", "verdict", "words"),
    [
        (b"220 mx.desk.example ESMTP Postfix\r\n", "fail", "another program has "),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "fail", "another program has "),
        (b"220 desk.example maild\r\n", "ok", "maild answers at "),
        (b"421 4.7.0 too many connections\r\n", "warn", ""),
        (b"x" * 512, "fail", "another program has "),
        (b"", "fail", "somebody listens at "),
    ],
)
def test_somebody_answers(configured, says, verdict, words):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            peer, _ = server.accept()
            with peer:
                peer.sendall(says)
                peer.shutdown(socket.SHUT_WR)
                peer.settimeout(30)
                while peer.recv(100):
                    pass

        thread = threading.Thread(target=answer)
        thread.start()
        found = told(configured(f"127.0.0.1:{server.getsockname()[1]}"))
        thread.join()
    assert found["smtp.listen"][0] == verdict
    assert found["smtp.listen"][1].startswith(words)


def test_no_way_in(configured):
    found = told(configured(""))
    assert list(found) == ["doors"]
    assert found["doors"][0] == "warn"


def test_a_port_that_the_system_chooses(configured):
    assert told(configured("127.0.0.1:0"))["smtp.listen"][0] == "ok"


@pytest.mark.parametrize(("days", "verdict"), [(2, "warn"), (90, "ok")])
def test_the_certificate(configured, tmp_path, days, verdict):
    openssl = shutil.which("openssl")
    if openssl is None:
        missing = "openssl is missing: apt install openssl"
        (pytest.fail if os.environ.get("MAILD_REQUIRE_SERVERS") == "1" else pytest.skip)(missing)
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-days", str(days), "-subj", "/CN=desk.example"]
    command += ["-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"]
    subprocess.run(command, check=True, capture_output=True)
    found = told(configured("127.0.0.1:0", 'tls_certificate = "cert.pem"\ntls_key = "key.pem"\n'))
    assert found["smtp.tls_certificate"][0] == verdict


def test_greetings():
    assert judge_greeting("smtp.listen", "x:25", "", "Connection reset by peer").verdict == "fail"
    assert judge_greeting("smtp.listen", "x:25", "220 y maild").verdict == "ok"
