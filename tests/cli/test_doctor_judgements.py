"""What `maild doctor` makes of what it sees of this machine: tables, and the probes once on the machine itself."""

import errno
import os
import re
import shutil
import socket
import ssl
import subprocess
import zoneinfo
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiosmtplib
import pytest

from maild.cli.doctor_certificate import SOON, ends_at, judge_end
from maild.cli.doctor_clock import judge_clock, judge_rules, probe_clock
from maild.cli.doctor_disk import Disk, judge_disk, kind_of, probe_disk
from maild.cli.doctor_names import judge_name, probe_names
from maild.cli.doctor_permissions import (
    judge_config,
    judge_data_dir,
    judge_file,
    judge_secret,
    judge_socket,
    judge_user,
    probe_permissions,
)
from maild.cli.doctor_words import amount, fault
from maild.config import load

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DESK = '[desk]\naddress = "csm@desk.example"\ntime_zone = "Europe/Berlin"\ndata_dir = "data"\n'
HERE = Path("/var/lib/maild")


@pytest.fixture
def configured(tmp_path):
    def put(more="", desk=DESK):
        (tmp_path / "maild.toml").write_text(desk + more)
        (tmp_path / "maild.toml").chmod(0o640)
        return load(tmp_path / "maild.toml", {}, secrets=True)

    return put


def told(findings):
    return {finding.name: (finding.verdict, finding.words) for finding in findings}


# Time


@pytest.mark.parametrize(
    ("now", "error", "verdict"),
    [
        (NOW, 2_000, "ok"),
        (NOW, 15_999_999, "ok"),
        (NOW, 16_000_000, "warn"),
        (NOW, None, "ok"),
        (datetime(1970, 1, 1, tzinfo=UTC), 2_000, "fail"),
        (datetime(2025, 12, 31, tzinfo=UTC), None, "fail"),
    ],
)
def test_clocks(now, error, verdict):
    assert judge_clock(now, error).verdict == verdict


@pytest.mark.parametrize(
    ("release", "verdict"), [("2026a", "ok"), ("2024b", "ok"), ("2023d", "warn"), ("", "ok"), ("unknown", "ok")]
)
def test_rules_of_zones(release, verdict):
    assert judge_rules(["Europe/Berlin"], release, 2026).verdict == verdict


def test_the_zones_of_this_machine(configured):
    agent = '[[agent]]\nid = "ann"\naddress = "ann@staff.example"\ntime_zone = "Asia/Tokyo"\n'
    calendar = '[calendar.west]\ntime_zone = "America/Denver"\nhours = { mon-fri = ["09:00-17:00"] }\n'
    found = told(probe_clock(configured(agent + calendar)))
    assert found["clock"][0] in ("ok", "warn")
    assert found["time zones"][1].startswith("America/Denver, Asia/Tokyo, Europe/Berlin, UTC; rules of 20")


def test_zones_out_of_the_package(configured):
    config = configured()
    zoneinfo.reset_tzpath(())
    try:
        found = told(probe_clock(config))
    finally:
        zoneinfo.reset_tzpath()
    assert re.fullmatch(r"Europe/Berlin, UTC; rules of 20\d\d[a-z](: .*)?", found["time zones"][1])


def test_a_zone_that_went_away(configured):
    agent = '[[agent]]\nid = "ann"\naddress = "ann@staff.example"\ntime_zone = "Asia/Tokyo"\n'
    config = configured(agent)
    (ann,) = config.agents
    config.agents = (ann.model_copy(update={"time_zone": "Asia/Atlantis"}),)
    found = told(probe_clock(config))
    assert found["time zones"][0] == "fail"
    assert "Asia/Atlantis" in found["time zones"][1]


# Disk


@pytest.mark.parametrize(
    ("change", "sqlite", "expected"),
    [
        ({}, True, ["ok"]),
        ({"free": 299}, True, ["warn"]),
        ({"free": 300}, True, ["ok"]),
        ({"free": 99}, True, ["fail"]),
        ({"readonly": True}, True, ["fail"]),
        ({"inodes": 999}, True, ["ok", "warn"]),
        ({"inodes": 0}, True, ["ok", "fail"]),
        ({"inodes": None}, True, ["ok"]),
        ({"kind": "nfs4"}, True, ["ok", "warn"]),
        ({"kind": "fuse.sshfs"}, True, ["ok", "warn"]),
        ({"kind": "nfs4"}, False, ["ok"]),
        ({"kind": "tmpfs"}, False, ["ok", "warn"]),
    ],
)
def test_disks(change, sqlite, expected):
    disk = Disk(**{"free": 10_000, "inodes": 5000, "readonly": False, "kind": "ext4", **change})
    assert [finding.verdict for finding in judge_disk("disk", disk, 100, sqlite=sqlite)] == expected


MOUNTS = """22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
30 22 0:40 / /var/lib rw,relatime shared:5 master:2 - nfs4 nas:/export rw
31 22 0:41 / /var/lib/maild\\040two rw - cifs //nas/x rw
32 22 0:42 / /srv rw - ext4 /dev/vdb rw
33 22 0:43 / /srv rw - xfs /dev/vdc rw
nonsense
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/", "ext4"),
        ("/home/x", "ext4"),
        ("/var/lib", "nfs4"),
        ("/var/lib/maild", "nfs4"),
        ("/var/library", "ext4"),
        ("/var/lib/maild two/x", "cifs"),
        ("/srv/mail", "xfs"),
    ],
)
def test_kinds_of_file_systems(folder, kind):
    assert kind_of(folder, MOUNTS) == kind
    assert kind_of(folder, "") == ""


def test_the_disks_of_this_machine(configured, tmp_path):
    found = told(probe_disk(configured(f'[database]\nurl = "sqlite://{tmp_path}/ledger/maild.db"\n')))
    assert {"disk of desk.data_dir", "disk of database.url"} <= set(found)
    full = told(probe_disk(configured(f"[smtp]\nmin_free_bytes = {10**17}\n")))
    assert full["disk of desk.data_dir"][0] == "fail"
    assert "disk of database.url" not in full
    assert not (tmp_path / "data").exists()


# Permissions


@pytest.mark.parametrize(
    ("finding", "verdict"),
    [
        (judge_user(0), "warn"),
        (judge_user(1000), "ok"),
        (judge_data_dir(HERE, 0o700, writable=True), "ok"),
        (judge_data_dir(HERE, 0o750, writable=True), "warn"),
        (judge_data_dir(HERE, 0o701, writable=True), "warn"),
        (judge_data_dir(HERE, 0o700, writable=False), "fail"),
        (judge_file(HERE / "maild.db", 0o600), "ok"),
        (judge_file(HERE / "maild.db", 0o640), "warn"),
        (judge_file(HERE / "maild.db", 0o604), "warn"),
        (judge_secret("k", HERE, 0o600, granted=False), "ok"),
        (judge_secret("k", HERE, 0o400, granted=False), "ok"),
        (judge_secret("k", HERE, 0o640, granted=False), "warn"),
        (judge_secret("k", HERE, 0o640, granted=True), "ok"),
        (judge_secret("k", HERE, 0o660, granted=True), "warn"),
        (judge_secret("k", HERE, 0o644, granted=True), "warn"),
        (judge_config(HERE, 0o644, password=False), "ok"),
        (judge_config(HERE, 0o644, password=True), "warn"),
        (judge_config(HERE, 0o640, password=True), "ok"),
        (judge_config(HERE, 0o646, password=False), "warn"),
        (judge_socket(HERE, there=True, writable=True), "ok"),
        (judge_socket(HERE, there=True, writable=False), "warn"),
        (judge_socket(HERE, there=False, writable=False), "warn"),
    ],
)
def test_permissions(finding, verdict):
    assert finding.verdict == verdict, finding.words


def test_files_of_this_machine(configured, tmp_path):
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    for name, mode in (("maild.db", 0o600), ("maild.db-wal", 0o644), ("maild.db.before-0002", 0o640)):
        (data / name).touch()
        (data / name).chmod(mode)
    (tmp_path / "relay-password").write_text("open sesame\n")
    (tmp_path / "relay-password").chmod(0o644)
    (tmp_path / "imap-password").write_text("open sesame\n")
    (tmp_path / "imap-password").chmod(0o600)
    config = configured(
        '[relay]\nusername = "csm"\npassword_file = "relay-password"\n'
        '[[imap]]\nmailbox = "csm@desk.example"\nhost = "imap.desk.example"\npassword_file = "imap-password"\n'
        f'[lmtp]\nlisten = "{tmp_path}/none/lmtp.sock"\n'
    )
    findings = list(probe_permissions(config))
    found = told(findings)
    assert found["data_dir"] == ("ok", f"{data} has mode 0700")
    loose = {finding.words.partition(" ")[0] for finding in findings if finding.name == "files"}
    assert loose == {f"{data}/maild.db-wal", f"{data}/maild.db.before-0002"}
    assert found["secret relay.password_file"][0] == "warn"
    assert found["secret imap[1].password_file"][0] == "ok"
    assert found["config"][0] == "ok"
    assert found["lmtp folder"][0] == "warn"
    assert "open sesame" not in str(found)


def test_a_credential_of_systemds_is_left_to_it(configured, tmp_path, monkeypatch):
    (tmp_path / "credentials").mkdir()
    for folder in (tmp_path, tmp_path / "credentials"):
        (folder / "relay-password").write_text("open sesame\n")
        (folder / "relay-password").chmod(0o644)
    config = configured('[relay]\nusername = "csm"\npassword_file = "relay-password"\n')
    assert "secret relay.password_file" in told(probe_permissions(config))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    assert "secret relay.password_file" not in told(probe_permissions(config))


def test_a_data_dir_that_is_a_file(configured, tmp_path):
    (tmp_path / "data").touch()
    assert told(probe_permissions(configured()))["data_dir"][0] == "fail"


# Names


@pytest.mark.parametrize(
    ("addresses", "verdict", "words"),
    [
        ((), "warn", "desk.example has no address (gone): set smtp.hostname"),
        (("127.0.1.1", "::1"), "ok", "desk.example is this machine to itself only (127.0.1.1, ::1)"),
        (("192.0.2.1", "fe80::1%eth0"), "ok", "desk.example is 192.0.2.1, fe80::1%eth0"),
    ],
)
def test_names(addresses, verdict, words):
    finding = judge_name("desk.example", addresses, "gone")
    assert finding.verdict == verdict
    assert finding.words.startswith(words)


@pytest.mark.parametrize(("name", "verdict"), [("localhost", "ok"), ("desk.invalid", "warn")])
def test_the_name_of_this_machine(configured, name, verdict):
    found = told(probe_names(configured(f'[smtp]\nhostname = "{name}"\n')))
    assert found["smtp.hostname"][0] == verdict


# Certificates


@pytest.mark.parametrize(
    ("left", "verdict"),
    [(-1, "fail"), (0, "fail"), (1, "warn"), (SOON - 1, "warn"), (SOON, "ok"), (400 * 86_400, "ok")],
)
def test_ends_of_certificates(left, verdict):
    (finding,) = judge_end("c", NOW.timestamp() + left, NOW.timestamp())
    assert finding.verdict == verdict


@pytest.fixture
def openssl():
    found = shutil.which("openssl")
    if found is None:
        missing = "openssl is missing: apt install openssl"
        (pytest.fail if os.environ.get("MAILD_REQUIRE_SERVERS") == "1" else pytest.skip)(missing)
    return found


@pytest.mark.parametrize("days", [2, 400, 365 * 40])
@pytest.mark.parametrize("kind", ["-x509 -set_serial 7", "-x509 -subj /CN=other"])
def test_the_end_is_read(openssl, tmp_path, days, kind):
    # Beyond 2049 the time is written in another form (RFC 5280 section 4.1.2.5).
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = [
        openssl,
        "req",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-subj",
        "/CN=desk.test",
    ]
    command += ["-days", str(days), "-keyout", key, "-out", cert, *kind.split()]
    before = datetime.now(UTC).replace(microsecond=0)
    subprocess.run(command, check=True, capture_output=True)
    end = ends_at(f"a comment\n{key.read_text()}{cert.read_text()}{cert.read_text()}")
    assert before <= end - timedelta(days=days) <= datetime.now(UTC)
    shown = subprocess.run(
        [openssl, "x509", "-in", cert, "-noout", "-enddate"], check=True, capture_output=True, text=True
    )
    assert end.timestamp() == ssl.cert_time_to_seconds(shown.stdout.strip().removeprefix("notAfter="))
    whole = ssl.PEM_cert_to_DER_cert(cert.read_text())
    odd = whole.replace(b"\x17\x0d", b"\x04\x0d").replace(b"\x18\x0f", b"\x04\x0f")
    with pytest.raises(ValueError, match="names no end"):
        ends_at(ssl.DER_cert_to_PEM_cert(odd))
    for cut in range(0, 60, 7):
        with pytest.raises(ValueError, match="damaged"):
            ends_at(ssl.DER_cert_to_PEM_cert(whole[:cut]))


@pytest.mark.parametrize("text", ["", "-----BEGIN CERTIFICATE-----", "no PEM"])
def test_no_certificate_is_told(text):
    with pytest.raises(ValueError, match="no certificate in PEM"):
        ends_at(text)


# Words


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (3 * 10**15, "3000.0 TB"),
    ],
)
def test_amounts(octets, words):
    assert amount(octets) == words


def _caused(error, cause):
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 9)"), "Connection refused"),
        (_caused(aiosmtplib.SMTPConnectError("x"), OSError(errno.EHOSTUNREACH, "x")), "No route to host"),
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
        (_caused(aiosmtplib.SMTPServerDisconnected("it went"), ssl.SSLError(1, "[SSL] odd")), "no TLS: [SSL] odd"),
        (TimeoutError("no answer within 5 s"), "no answer within 5 s"),
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_faults(error, words):
    assert words in fault(error)
