"""The two ways to people that are no mail, with real programs and a real server."""

import asyncio
import contextlib
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from maild.pager import MOST_SAID, host_of, post_to, run, surroundings, without
from maild.posting import post

PATIENCE = 30.0


@pytest.fixture
def program(tmp_path):
    def written(text, mode=0o755):
        path = tmp_path / "page"
        path.write_text(f"#!{sys.executable} -I\nimport os, sys, time\n{text}\n")
        path.chmod(mode)
        return str(path)

    return written


def lives(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def gone(pid):
    """Wait until a process is no more than a name."""
    until = time.monotonic() + PATIENCE
    while lives(pid):
        assert time.monotonic() < until, f"{pid} lives on"
        await asyncio.sleep(0.02)


async def number_in(file):
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with contextlib.suppress(OSError, ValueError):
            return int(file.read_text())
        await asyncio.sleep(0.02)
    raise AssertionError(f"nobody wrote {file}")


async def test_a_program_gets_the_object_and_nothing_of_our_environment(program, tmp_path, monkeypatch):
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/maild")
    monkeypatch.setenv("PGPASSWORD", "hunter22")
    out = tmp_path / "out"
    text = f"import json; json.dump([sys.stdin.read(), sys.argv, dict(os.environ)], open({str(out)!r}, 'w')); print('paged')"
    path = program(text)
    outcome = await run((path, "$HOME", "a b"), b'{"what": "stuck"}\n')
    assert outcome.taken
    assert outcome.words == "ended with 0: paged"
    stdin, argv, environment = json.loads(out.read_text())
    assert stdin == '{"what": "stuck"}\n'
    assert argv == [path, "$HOME", "a b"]
    assert not {"CREDENTIALS_DIRECTORY", "PGPASSWORD"} & set(environment)
    assert environment["PATH"] == os.environ["PATH"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sys.exit('no such \\x1b[31m pager')", "ended with 1: no such [31m pager"),
        ("os.kill(os.getpid(), 9)", "was ended by signal 9"),
    ],
)
async def test_a_program_that_fails(program, text, words):
    outcome = await run((program(text),), b"{}\n")
    assert not outcome.taken
    assert outcome.words == words


@pytest.mark.parametrize(
    ("name", "mode", "words"), [("page", 0o644, "Permission denied"), ("none", 0o755, "No such file or directory")]
)
async def test_a_program_that_cannot_be_run(program, name, mode, words):
    path = Path(program("", mode)).with_name(name)
    assert await run((str(path),), b"{}\n") == type(await run((str(path),), b""))(False, f"cannot be run: {words}")


async def test_one_that_does_not_read_and_says_too_much(program):
    outcome = await run((program("os.close(0); sys.stdout.write('x' * 3_000_000)"),), b"{}\n" * 1000)
    assert outcome.taken
    assert len(outcome.words) < MOST_SAID


CHILD = "import subprocess; child = subprocess.Popen(['sleep', '600']); open({file!r}, 'w').write(str(child.pid))"


async def test_what_it_leaves_behind_is_ended_and_not_waited_for(program, tmp_path):
    file = tmp_path / "pid"
    started = time.monotonic()
    outcome = await run((program(CHILD.format(file=str(file))),), b"{}\n", seconds=PATIENCE * 2)
    assert outcome.taken
    assert time.monotonic() - started < PATIENCE
    await gone(await number_in(file))


async def test_one_that_hangs_is_killed_with_its_children(program, tmp_path):
    file = tmp_path / "pid"
    text = f"print('ringing', flush=True); {CHILD.format(file=str(file))}; time.sleep(600)"
    path = program(text)
    going = asyncio.create_task(run((path,), b"{}\n", seconds=3))
    outcome = await going
    assert not outcome.taken
    assert outcome.words == "was not done within 3 s, and is killed: ringing"
    await gone(await number_in(file))


async def test_when_we_stop_it_is_killed_with_its_children(program, tmp_path):
    file = tmp_path / "pid"
    going = asyncio.create_task(run((program(f"{CHILD.format(file=str(file))}; time.sleep(600)"),), b"{}\n"))
    child = await number_in(file)
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going
    await gone(child)


def descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_no_descriptor_is_left_open(program):
    path = program("")
    await run((path,), b"{}\n")
    before = descriptors()
    for _ in range(3):
        await run((path,), b"{}\n")
        await run(("/nowhere/page",), b"{}\n")
    assert descriptors() <= before


def test_what_is_passed_on():
    assert surroundings({"PATH": "/bin", "CREDENTIALS_DIRECTORY": "/run/x", "NOTIFY_SOCKET": "@x"}) == {"PATH": "/bin"}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    openssl = shutil.which("openssl")
    if openssl is None:
        missing = "openssl is missing: apt install openssl"
        (pytest.fail if os.environ.get("MAILD_REQUIRE_SERVERS") == "1" else pytest.skip)(missing)
    folder = tmp_path_factory.mktemp("certificate")
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-out", folder / "cert.pem", "-keyout", folder / "key.pem"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return folder


@pytest.fixture
def hook(certificate):
    """A webhook over TLS: gives its URL, what it answers, what came, and who trusts it."""
    answers, came = [(200, b"ok")], []

    class Door(BaseHTTPRequestHandler):
        def do_POST(self):
            came.append(
                (self.path, dict(self.headers), json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            )
            status, body = answers[-1]
            self.send_response(status)
            self.send_header("Location", "https://127.0.0.1:9/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words):
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request, client_address):
            pass

    server = Server(("127.0.0.1", 0), Door)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    trusting = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
    yield (
        f"https://127.0.0.1:{server.server_address[1]}/services/T0/very-secret?token=hushhush",
        answers,
        came,
        trusting,
    )
    server.shutdown()
    thread.join(PATIENCE)
    server.server_close()


async def test_a_url_gets_the_object(hook):
    url, _, came, trusting = hook
    outcome = await post_to(url, b'{"what": "stuck"}\n', trusting)
    assert outcome.taken
    assert outcome.words == "127.0.0.1 answered 200: ok"
    ((path, headers, body),) = came
    assert path == "/services/T0/very-secret?token=hushhush"
    assert headers["Content-Type"] == "application/json"
    assert body == {"what": "stuck"}


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (400, b"invalid \x1b payload for very-secret", "answered 400: invalid payload for ***"),
        (302, b"", "answered 302: it redirects, and nobody follows; name the new URL"),
        (500, b"x" * 100_000, "answered 500: xxx"),
    ],
)
async def test_other_answers(hook, status, body, words):
    url, answers, came, trusting = hook
    answers.append((status, body))
    outcome = await post_to(url, b"{}\n", trusting)
    assert not outcome.taken
    assert words in outcome.words
    assert len(outcome.words) < MOST_SAID
    assert len(came) == 1


async def test_a_certificate_that_does_not_verify_ends_it(hook):
    url, _, came, _ = hook
    outcome = await post_to(url, b"{}\n")
    assert not outcome.taken
    assert outcome.words.startswith("the certificate of 127.0.0.1 does not verify: self")
    assert came == []


async def test_nobody_there():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        outcome = await post_to(f"http://127.0.0.1:{closed.getsockname()[1]}/very-secret", b"{}\n")
    assert outcome == type(outcome)(
        False, "127.0.0.1 cannot be reached: ConnectionRefusedError: [Errno 111] Connection refused"
    )


@pytest.mark.parametrize("drips", [False, True])
async def test_a_server_that_never_ends_its_answer(drips):
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def answer():
            client, _ = server.accept()
            with client, contextlib.suppress(OSError):
                while drips and not stop.wait(0.1):
                    client.sendall(b"H")
                stop.wait(PATIENCE)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        outcome = await post_to(url, b"{}\n", seconds=1)
        assert outcome == type(outcome)(False, "127.0.0.1 did not answer within 1 s")
        stop.set()
        thread.join(PATIENCE)


def test_the_line_is_hung_up_on_whoever_sends_an_octet_now_and_then():
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def answer():
            client, _ = server.accept()
            with client, contextlib.suppress(OSError):
                while not stop.wait(0.1):
                    client.sendall(b"H")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        with pytest.raises((OSError, http.client.HTTPException)):
            post(f"http://127.0.0.1:{server.getsockname()[1]}/", b"", {}, seconds=1, most=10)
        stop.set()
        thread.join(PATIENCE)


def test_what_is_said_of_a_url():
    url = "https://hooks.example.com/services/T0123456/abc?key=topsecret"
    assert host_of(url) == "hooks.example.com"
    assert (
        without(url, f"no {url}; no /services/T0123456/abc; no T0123456, topsecret; abc")
        == "no ***; no ***; no ***, ***; abc"
    )
