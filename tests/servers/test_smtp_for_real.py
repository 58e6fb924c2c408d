"""The doors of a real daemon: what is on the disk before the 250, and what it bears."""

import asyncio
import contextlib
import os
import re
import smtplib
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

PATIENCE = 60.0

CONFIG = """
[desk]
address = "csm@example.com"
data_dir = "data"
[[agent]]
id = "ann"
address = "ann@staff.example"
[relay]
port = 1
[lmtp]
listen = "127.0.0.1:0"
[smtp]
listen = "127.0.0.1:0"
"""


def envelope(client, *rcpts, sender="bob@acme.example"):
    client.ehlo_or_helo_if_needed()
    assert client.mail(sender)[0] == 250
    for rcpt in rcpts or ("csm@example.com",):
        assert client.rcpt(rcpt)[0] == 250


def send(port, octets, pause=0.0, **changes):
    """Bring one mail; give the reply. The end of data comes after a pause, so in a packet of its own."""
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
        envelope(client, **changes)
        code, words = client.docmd("DATA")
        if code != 354:
            return f"{code} {words.decode()}"
        client.send(octets)
        time.sleep(pause)
        code, words = client.docmd(".")
        return f"{code} {words.decode()}"


# What is on the disk before the 250


@pytest.mark.parametrize("size", [100, 3_000_000])
def test_write_then_fsync_then_250(make_desk, program, tmp_path, size):
    """The system calls between the end of DATA and its reply: the log of the ledger is written, flushed, and then told."""
    trace = tmp_path / "trace"
    desk = make_desk(CONFIG)
    calls = "trace=recvfrom,sendto,pwrite64,fsync,fdatasync"
    # Detached (-D), so that the process we start, and end, is maild itself.
    watch = [program("strace", "strace"), "-D", "-f", "--seccomp-bpf", "-y", "-s", "200", "-e", calls, "-o", trace]
    desk.command = [*map(str, watch), *desk.command]
    desk.start()
    assert send(desk.port, b"Subject: traced\r\n\r\n" + b"line\r\n" * (size // 6), 1).startswith("250 2.0.0")
    desk.end()
    done = [call for call in finished(trace.read_text("latin-1")) if int(call[2]) >= 0]
    end = next(n for n, (name, words, _) in enumerate(done) if name == "recvfrom" and r'".\r\n"' in words)
    told = next(n for n, (name, words, _) in enumerate(done) if name == "sendto" and "250 2.0.0 accepted" in words)
    log = [name for name, words, _ in done[end:told] if "maild.db-wal" in words]
    assert "pwrite64" in log
    assert log[-1] in {"fsync", "fdatasync"}, log


def finished(text):
    """Give (call, arguments, result) of strace's lines in the order in which the calls came back."""
    begun = {}
    for line in text.splitlines():
        pid, _, rest = line.partition(" ")
        rest = rest.strip()
        if half := re.match(r"(\w+)\((.*) <unfinished \.\.\.>$", rest):
            begun[pid] = half.groups()
        elif half := re.match(r"<\.\.\. (\w+) resumed>(.*)\) += (-?\d+)", rest):
            name, words = begun.pop(pid)
            yield name, words + half[2], half[3]
        elif whole := re.match(r"(\w+)\((.*)\) += (-?\d+)", rest):
            yield whole.groups()


@pytest.mark.timeout(300)
def test_a_ledger_that_another_process_locks_puts_mail_off_and_keeps_it_once(make_desk):
    """The lock is held for longer than the daemon waits for it."""
    desk = make_desk(CONFIG).start()
    port = int(re.search(r"lmtp=127\.0\.0\.1:(\d+)", desk.ready)[1])
    rcpts = [f"csm+n{n}@example.com" for n in range(3)]

    def deliver(octets):
        with smtplib.LMTP("127.0.0.1", port, timeout=100) as client:
            envelope(client, *rcpts)
            assert client.docmd("DATA")[0] == 354
            client.send(octets)
            replies = [client.docmd("."), *(client.getreply() for _ in rcpts[1:])]
            return [f"{code} {words.decode()}" for code, words in replies]

    octets = b"From: bob@acme.example\r\nMessage-ID: <1@acme.example>\r\n\r\nHello.\r\n"
    others = [b"Subject: %d\r\n\r\nHello.\r\n" % n for n in range(20)]
    began = time.monotonic()
    with closing(sqlite3.connect(desk.folder / "data/maild.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with ThreadPoolExecutor(len(others) + 1) as pool:
            refused = [pool.submit(deliver, mail) for mail in (octets, *others)]
            assert {reply[:9] for each in refused for reply in each.result()} == {"451 4.3.0"}
        # They wait for the lock together, and not one after another.
        assert time.monotonic() - began < 60
        other.execute("ROLLBACK")
    assert desk.ask("SELECT count(*) FROM received") == [(0,)]
    assert [reply[:9] for reply in deliver(octets)] == ["250 2.0.0"] * 3
    assert [reply[:9] for reply in deliver(octets)] == ["250 2.0.0"] * 3
    desk.done(3)
    assert desk.ask("SELECT count(*) FROM received") == [(3,)]
    assert len(desk.tickets()) == 1


@pytest.fixture
def small_disk(root, tmp_path, program):
    """A disk of 16 MiB for the data; `fill` leaves so many octets of it."""
    folder = tmp_path / "data"
    folder.mkdir()
    mount = program("mount", "mount")
    done = subprocess.run([mount, "-t", "tmpfs", "-o", "size=16m", "tmpfs", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.decode().strip()}")

    def fill(leave):
        filler = folder / "filler"
        filler.unlink(missing_ok=True)
        found = os.statvfs(folder)
        with filler.open("wb") as file:
            file.write(bytes(max(0, found.f_bavail * found.f_frsize - leave)))

    yield fill
    # The daemon, which make_desk ends later, may still use it.
    subprocess.run(["umount", "--lazy", folder], check=True, timeout=60)


def test_a_full_disk_puts_mail_off_and_loses_none(make_desk, small_disk):
    desk = make_desk(CONFIG + "min_free_bytes = 0\n").start()
    noise = os.urandom(150_000).hex().encode() + b"\r\n"
    assert send(desk.port, b"Subject: before\r\n\r\nHello.\r\n").startswith("250")
    desk.done(1)
    small_disk(64 * 1024)
    # In memory until the ledger says that it is full; spooled, until the disk says so.
    for octets in (b"Subject: during\r\n\r\n" + noise, b"Subject: during\r\n\r\n" + noise * 10):
        assert send(desk.port, octets).startswith("452 4.3.1")
    assert desk.ask("SELECT count(*) FROM received") == [(1,)]
    small_disk(10 * 1024 * 1024)
    for octets in (b"Subject: after\r\n\r\n" + noise, b"Subject: after\r\n\r\n" + noise * 10):
        assert send(desk.port, octets).startswith("250")
    desk.done(3)
    assert len(desk.tickets()) == 3


def test_a_disk_that_is_short_puts_mail_off_before_it_is_sent(make_desk, small_disk):
    desk = make_desk(CONFIG + "min_free_bytes = 8000000\n").start()
    assert send(desk.port, b"Subject: one\r\n\r\nHello.\r\n").startswith("250")
    small_disk(7_000_000)
    with smtplib.SMTP("127.0.0.1", desk.port, timeout=60) as client:
        envelope(client)
        assert client.docmd("DATA") == (452, b"4.3.1 out of storage for the moment, please try again")
    # What begins while there is room, and would leave too little, ends.
    small_disk(8_500_000)
    assert send(desk.port, b"x" * 3_000_000 + b"\r\n").startswith("452 4.3.1")
    small_disk(15_000_000)
    assert send(desk.port, b"Subject: two\r\n\r\nHello.\r\n").startswith("250")


# What it bears


def resident(pid):
    """Give the memory of a process and all it started, in octets."""
    rows = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # After the name, which may hold anything but ends with the last bracket: state, parent, ... (proc(5)).
            words = stat.read_text("utf-8", "replace").rpartition(")")[2].split()
            rows[int(stat.parent.name)] = int(words[1]), int(words[21])
    family = {pid}
    while more := {one for one, (parent, _) in rows.items() if parent in family} - family:
        family |= more
    return sum(rows[one][1] for one in family if one in rows) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def watched(pid):
    """Give a list that ends up with the most memory seen within the block."""
    seen, stop = [0], threading.Event()

    def look():
        while not stop.wait(0.05):
            seen.append(resident(pid))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join(60)
        seen[:] = [max(seen)]


def test_32_mib_of_bare_line_ends_cost_less_than_ten_times_that(make_desk):
    size = 32 * 1024 * 1024
    desk = make_desk(CONFIG + f"max_message_bytes = {size}\n").start()
    with watched(desk.process.pid) as most:
        began = time.monotonic()
        assert send(desk.port, b"\r\n" * (size // 2)).startswith("250 2.0.0")
        assert time.monotonic() - began < 30
        # Decided on, too.
        desk.done(1)
    assert most[0] < 10 * size


def test_fifty_mails_of_ten_megabytes_at_once_wait_on_the_disk(make_desk):
    """Nothing leaves the door while another process locks the ledger: all fifty wait at once."""
    desk = make_desk(CONFIG).start()
    block = b"".join(os.urandom(38).hex().encode() + b"\r\n" for _ in range(12_800))
    sent = threading.Barrier(51)

    def bring():
        with contextlib.suppress(OSError, smtplib.SMTPException), smtplib.SMTP("127.0.0.1", desk.port) as client:
            envelope(client)
            assert client.docmd("DATA")[0] == 354
            for _ in range(10):
                client.send(block)
            client.send(b".\r\n")
            sent.wait(PATIENCE)
            client.getreply()

    with closing(sqlite3.connect(desk.folder / "data/maild.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        before = resident(desk.process.pid)
        threads = [threading.Thread(target=bring) for _ in range(50)]
        with watched(desk.process.pid) as most:
            for thread in threads:
                thread.start()
            sent.wait(PATIENCE)
            time.sleep(1)
        # It would decide on all of them now, which is not what is measured here.
        desk.process.kill()
        desk.process.wait(PATIENCE)
        for thread in threads:
            thread.join(PATIENCE)
    assert most[0] - before < 100 * 1024 * 1024
    assert sorted(one.name for one in (desk.folder / "data").iterdir() if "maild.db" not in one.name) == ["wake"]


def test_a_normal_client_is_served_among_a_thousand_idle_and_a_hundred_slow_ones(make_desk):
    desk = make_desk(CONFIG + "max_connections = 1200\n").start()

    async def crowd():
        idle = [await asyncio.open_connection("127.0.0.1", desk.port) for _ in range(1000)]
        for reader, _ in idle:
            assert (await asyncio.wait_for(reader.readline(), 60)).startswith(b"220 ")
        slow = [asyncio.create_task(drip(n)) for n in range(100)]
        await asyncio.sleep(1)
        seconds = []
        for n in range(5):
            began = time.monotonic()
            assert (await asyncio.to_thread(send, desk.port, b"Subject: %d\r\n\r\nHello.\r\n" % n)).startswith("250")
            seconds.append(time.monotonic() - began)
        assert not any(task.done() for task in slow)
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        for _, writer in idle:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for _, writer in idle), return_exceptions=True)
        return seconds

    async def drip(n):
        _, writer = await asyncio.open_connection("127.0.0.1", desk.port)
        rcpt = f"MAIL FROM:<slow{n}@acme.example>\r\nRCPT TO:<csm@example.com>\r\nDATA\r\n"
        writer.write(f"EHLO slow\r\n{rcpt}".encode())
        try:
            while True:
                writer.write(b"drip\r\n")
                await writer.drain()
                await asyncio.sleep(0.1)
        finally:
            writer.close()

    seconds = asyncio.run(crowd())
    assert sorted(seconds)[len(seconds) // 2] < 2
    assert resident(desk.process.pid) < 400 * 1024 * 1024


# The files and sockets that the configuration names


@pytest.fixture
def certificate(program, tmp_path):
    command = [program("openssl", "openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=mx.example.com"]
    subprocess.run([*command, "-out", tmp_path / "cert.pem", "-keyout", tmp_path / "key.pem"], check=True, timeout=60)


def test_starttls_as_configured(make_desk, certificate):
    more = 'tls_certificate = "cert.pem"\ntls_key = "key.pem"\nrequire_tls = true\ntrusted = []\n'
    desk = make_desk(CONFIG + more).start()
    with smtplib.SMTP("127.0.0.1", desk.port, timeout=60) as client:
        client.ehlo()
        assert client.mail("bob@acme.example") == (530, b"5.7.0 STARTTLS comes first")
        client.starttls()
        client.ehlo()
        assert client.mail("bob@acme.example")[0] == 250
    assert '"lmtp=127.0.0.1:' in desk.log


@pytest.mark.parametrize("protocol", ["smtp", "lmtp"])
def test_openssl_shakes_hands_where_tls_is_offered(make_desk, certificate, program, protocol):
    desk = make_desk(CONFIG + 'tls_certificate = "cert.pem"\ntls_key = "key.pem"\n').start()
    port = re.search(rf"{protocol}=127\.0\.0\.1:(\d+)", desk.ready)[1]
    words = f"-starttls {protocol} -name client.example -connect 127.0.0.1:{port} -CAfile cert.pem -verify_return_error"
    done = subprocess.run(
        [program("openssl", "openssl"), "s_client", *words.split(), "-crlf", "-quiet"],
        input=b"EHLO client.example\nQUIT\n",
        capture_output=True,
        cwd=desk.folder,
        timeout=PATIENCE,
        check=False,
    )
    assert (b"250-SIZE" in done.stdout) is (protocol == "smtp"), done
    assert (b"STARTTLS" in done.stdout) is False


SAID = {
    1: ["--proxy", "TCP4 192.0.2.7 192.0.2.1 1234 25"],
    2: [
        *(
            "--proxy-version",
            "2",
            "--proxy-command",
            "PROXY",
            "--proxy-family",
            "AF_INET",
            "--proxy-protocol",
            "STREAM",
        ),
        *("--proxy-source", "192.0.2.7", "--proxy-source-port", "1234"),
        *("--proxy-dest", "192.0.2.1", "--proxy-dest-port", "25"),
    ],
}


@pytest.mark.parametrize("version", SAID)
def test_swaks_speaks_for_somebody_else(make_desk, program, version):
    desk = make_desk(CONFIG + 'proxy_from = ["127.0.0.1/32"]\n').start()
    command = [program("swaks", "swaks"), "--server", f"127.0.0.1:{desk.port}", "--from", "bob@acme.example"]
    done = subprocess.run(
        [*command, "--to", "csm@example.com", *SAID[version]], capture_output=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stdout
    desk.done(1)
    assert desk.ask("SELECT peer FROM received") == [("192.0.2.7",)]


def test_a_socket_that_cannot_be_had_is_told(make_desk, tmp_path):
    (tmp_path / "precious").write_text("data")
    desk = make_desk(CONFIG.replace('listen = "127.0.0.1:0"\n[smtp]', f'listen = "{tmp_path}/precious"\n[smtp]'))
    command = [sys.executable, "-m", "maild", "serve", "-c", f"{desk.folder}/maild.toml"]
    done = subprocess.run(command, capture_output=True, cwd=desk.folder, timeout=60, check=False)
    assert done.returncode == 69
    assert b"there is a file, which is no socket" in done.stderr
    assert Path(tmp_path / "precious").read_text() == "data"
