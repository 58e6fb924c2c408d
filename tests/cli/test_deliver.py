"""`maild deliver`: durable and 0, or a code by which a mail server does the right thing."""

import asyncio
import contextlib
import hashlib
import io
import os
import resource
import socket
import sqlite3
import subprocess
import sys
import textwrap

import pytest

from maild import __main__ as module
from maild.config import load
from maild.store import Ledger, LedgerError

ONE = '[desk]\naddress = "csm@desk.example"\ndata_dir = "."\n'
TWO = f"""{ONE}
[[mailbox]]
address = "csm@desk.example"
aliases = ["help@desk.example"]
[[mailbox]]
address = "sales@desk.example"
subaddress = ""
"""
DESK = "csm@desk.example"
MAIL = b"From: carol@acme.example\nSubject: hello\n\nIs anybody there?\n"
STORED = MAIL.replace(b"\n", b"\r\n")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "maild.toml"
    path.write_text(ONE, "utf-8")
    asyncio.run(made(path))
    return path


async def made(path):
    ledger = await Ledger.open(load(path, {}).database_url)
    await ledger.close()


@pytest.fixture
def deliver(path, maild, monkeypatch):
    """Pipe a mail into the command, in this process."""

    def run(*words, mail=MAIL, config=path):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(mail)))
        return maild("deliver", "-c", config, *words)

    return run


@pytest.fixture
def rows(tmp_path):
    """Give what was received: sender, recipient, way in, digest."""

    def asked():
        with contextlib.closing(sqlite3.connect(tmp_path / "maild.db")) as con:
            return con.execute("SELECT mail_from, rcpt, via, peer, digest FROM received ORDER BY id").fetchall()

    return asked


def test_it_stores_what_smtp_would_have_brought(deliver, rows):
    assert deliver("--from=carol@acme.example", "--rcpt=csm+t0ken@desk.example").code == 0
    digest = hashlib.sha256(STORED).hexdigest()
    assert rows() == [("carol@acme.example", "csm+t0ken@desk.example", "pipe", "", digest)]
    # The same again, with other line ends: nobody read our exit code the first time.
    assert deliver("-f", "<carol@acme.example>", "-r", "CSM+t0ken@desk.example", mail=STORED).code == 0
    assert len(rows()) == 1


@pytest.mark.parametrize("sender", ["", "<>", "MAILER-DAEMON"])
def test_the_null_path(deliver, rows, sender):
    assert deliver("-f", sender).code == 0
    assert rows()[0][0] == ""


def test_what_is_not_said_is_read_from_what_the_delivery_wrote(path, deliver, rows):
    path.write_text(TWO, "utf-8")
    trace = b"From x@y.example Wed Mar 11 09:00:00 2026\nReturn-Path: <carol@acme.example>\n"
    to = b"X-Original-To: list@elsewhere.example\nDelivered-To: help+t0ken@desk.example\n"
    assert deliver(mail=trace + to + MAIL).code == 0
    assert rows()[0][:2] == ("carol@acme.example", "help+t0ken@desk.example")


def test_the_only_mailbox_is_meant_where_nothing_names_one(deliver, rows):
    assert deliver(mail=b"Delivered-To: elsewhere@desk.example\n" + MAIL).code == 0
    assert rows()[0][:2] == ("", "csm@desk.example")


def test_many_recipients_each_once(deliver, rows, path):
    path.write_text(TWO, "utf-8")
    words = ["-r", "csm@desk.example", "-r", "<sales@desk.example>", "-r", "CSM@desk.example"]
    assert deliver(*words).code == 0
    assert [row[1] for row in rows()] == ["csm@desk.example", "sales@desk.example"]


@pytest.mark.parametrize(
    "rcpts",
    [
        ["nobody@desk.example"],
        ["csm@elsewhere.example"],
        ["sales+detail@desk.example"],
        [""],
        ["csm@desk.example", "nobody@desk.example"],
        ["csm+a\r\nX@desk.example"],
        ["csm+a b@desk.example"],
    ],
)
def test_an_unknown_recipient_is_67_and_nothing_is_stored(deliver, rows, path, rcpts):
    path.write_text(TWO, "utf-8")
    done = deliver(*(f"--rcpt={rcpt}" for rcpt in rcpts))
    assert (done.code, done.out) == (67, "")
    assert done.err.startswith("5.1.1 no such mailbox here: ")
    assert rows() == []


@pytest.mark.parametrize("more", [1, 3_000_000])
def test_what_is_too_big_is_69_and_says_how_big_it_may_be(path, deliver, rows, more):
    path.write_text(ONE + "[smtp]\nmax_message_bytes = 65536\n", "utf-8")
    largest = STORED[:-2] + b"x" * (65_536 - len(STORED)) + b"\r\n"
    assert deliver(mail=largest).code == 0
    done = deliver(mail=largest[:-2] + b"x" * more + b"\r\n")
    assert (done.code, done.err) == (69, "5.3.4 the mail is larger than 65536 octets\n")
    assert len(rows()) == 1


def test_line_ends_count_as_on_the_wire(path, deliver, rows):
    path.write_text(ONE + "[smtp]\nmax_message_bytes = 65536\n", "utf-8")
    assert deliver(mail=MAIL + b"\n" * 40_000).code == 69
    assert rows() == []


FAULTS = [
    (ONE.replace("address", "adress"), (), MAIL, "desk.adress: unknown key, did you mean address?"),
    (ONE, ("--rcpt",), MAIL, "Option '--rcpt' requires an argument"),
    (ONE, ("--nope",), MAIL, "No such option: --nope"),
    (ONE, ("csm@desk.example",), MAIL, "unexpected extra argument"),
    (ONE, (), b"", "4.3.0 there was no mail on stdin"),
    (ONE, (), b"\r\n \n", "4.3.0 there was no mail on stdin"),
    (TWO, (), MAIL, "4.3.5 there are several mailboxes"),
    (ONE.replace('"."', '"elsewhere"'), (), MAIL, "4.3.0 there is no ledger at "),
    (f"{ONE}[smtp]\nmin_free_bytes = {2**62}\n", (), MAIL, "4.3.1 less than smtp.min_free_bytes is free"),
    (f'{ONE}[database]\nurl = "postgres://nobody@127.0.0.1:1/none"\n', (), MAIL, "4.3.0 "),
]


@pytest.mark.parametrize(("config", "words", "mail", "told"), FAULTS)
def test_any_doubt_is_75_and_nothing_is_stored(path, deliver, rows, config, words, mail, told):
    path.write_text(config, "utf-8")
    done = deliver(*words, mail=mail)
    assert (done.code, done.out) == (75, "")
    assert told in done.err
    assert rows() == []


def test_no_configuration_is_75(deliver, tmp_path):
    done = deliver(config=tmp_path / "none.toml")
    assert done.code == 75
    assert done.err.startswith("4.3.0 ")
    assert "maild init" in done.err


def test_a_ledger_of_another_version_is_75_and_left_alone(deliver, tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / "maild.db")) as con:
        con.execute("DELETE FROM schema_version WHERE version > 1")
        con.commit()
    done = deliver()
    assert done.code == 75
    assert "run `maild migrate`" in done.err
    with contextlib.closing(sqlite3.connect(tmp_path / "maild.db")) as con:
        assert con.execute("SELECT max(version) FROM schema_version").fetchone() == (1,)


def test_a_damaged_ledger_is_75(deliver, tmp_path):
    for name in ("maild.db-wal", "maild.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / "maild.db").write_bytes(b"no database at all" * 1000)
    assert deliver().code == 75


def test_what_nobody_expected_is_75(deliver, monkeypatch):
    def out_of_memory(*_, **__):
        raise MemoryError

    monkeypatch.setattr(Ledger, "open", out_of_memory)
    done = deliver()
    assert (done.code, done.err) == (75, "4.3.0 MemoryError: \n")


def test_what_a_fault_says_stays_on_one_line(deliver, monkeypatch):
    def refuse(*_, **__):
        raise LedgerError("broken\r\n5.0.0 pretend\x1b[31m")

    monkeypatch.setattr(Ledger, "open", refuse)
    assert deliver().err == "4.3.0 broken  5.0.0 pretend [31m\n"


def test_the_daemon_is_nudged(deliver, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "wake"))
        sock.settimeout(5)
        assert deliver().code == 0
        assert sock.recv(1) == b""


def test_help_is_no_failure(deliver):
    done = deliver("--help")
    assert done.code == 0
    assert "--rcpt" in done.out


async def received(url):
    ledger = await Ledger.open(url)
    try:
        return await ledger.received()
    finally:
        await ledger.close()


def test_into_postgresql(path, deliver, postgres):
    with postgres.database() as url:
        path.write_text(f'{ONE}[database]\nurl = "{url}"\n', "utf-8")
        assert "run `maild migrate`" in deliver().err
        asyncio.run(made(path))
        for _ in range(2):
            assert deliver("-f", "carol@acme.example").code == 0
        (line,) = asyncio.run(received(url))
        assert (line.mail_from, line.rcpt, line.via, line.state) == ("carol@acme.example", DESK, "pipe", "waiting")


# As a process of its own


def test_without_stdin_it_is_75(path):
    script = f'exec "{sys.executable}" -m maild deliver -c "{path}" <&-'
    done = subprocess.run(["sh", "-c", script], capture_output=True, timeout=60, check=False)
    assert done.returncode == 75, done.stderr


@pytest.mark.parametrize(
    ("shell", "code"),
    [
        ("PYTHONPATH={broken} {python} -m maild deliver -c {path}", 75),
        ("{python} -m maild deliver -c {path} -r nobody@desk.example 2>/dev/full", 67),
    ],
    ids=["an upgrade under way", "nobody hears it"],
)
def test_it_ends_with_no_code_that_bounces_a_mail(path, rows, tmp_path, shell, code):
    (tmp_path / "typer.py").write_text("raise ImportError('half of an upgrade')", "utf-8")
    command = shell.format(python=sys.executable, path=path, broken=tmp_path)
    done = subprocess.run(["sh", "-c", command], input=MAIL, capture_output=True, timeout=60, check=False)
    assert done.returncode == code, done.stderr
    assert rows() == []


def test_a_mail_server_that_died_may_not_have_written_all_of_it(path, rows, tmp_path):
    giver = f"""
        import os, subprocess, sys
        read, write = os.pipe()
        taker = subprocess.Popen(
            [sys.executable, "-m", "maild", "deliver", "-c", {str(path)!r}],
            stdin=read, stderr=open({str(tmp_path / "said")!r}, "wb"),
        )
        os.write(write, {MAIL[:30]!r})
        # It has read its first octets when nothing is left in the pipe: by then it knows who its parent is.
        import array, fcntl, termios, time
        left = array.array("i", [1])
        while left[0]:
            time.sleep(0.05)
            fcntl.ioctl(read, termios.FIONREAD, left)
        os.kill(os.getpid(), 9)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(giver)], timeout=60, check=False)
    until = 600
    while not (tmp_path / "said").read_bytes() and until:
        until -= 1
        subprocess.run(["sleep", "0.1"], check=True)
    assert (tmp_path / "said").read_bytes() == b"4.3.0 whoever piped the mail is gone, so it may not be whole\n"
    assert rows() == []


def test_it_imports_no_other_command(path):
    code = (
        "import sys; sys.argv = ['maild', 'deliver', '-c', sys.argv[1]]\n"
        "from maild.__main__ import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "loud = {'maild.daemon', 'maild.desk', 'jinja2', 'aiosmtpd', 'mailparser'} & set(sys.modules)\n"
        "assert not loud, loud\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], input=MAIL, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()


def test_the_script_of_an_installation_is_this_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["maild", "--version"])
    with pytest.raises(SystemExit) as end:
        module.main()
    assert not end.value.code
    assert capsys.readouterr().out.startswith("maild ")


def test_it_costs_less_than_a_second_of_processor(path):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "maild", "deliver", "-c", str(path)]
    subprocess.run(command, input=MAIL, capture_output=True, timeout=60, check=True, env=dict(os.environ))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2
