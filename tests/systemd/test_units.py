"""The units as systemd reads them: without a fault, closed to what maild does not need, and in step with the code."""

import configparser
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from maild.cli.ending import Exit
from maild.daemon import FAREWELL, GRACE

UNITS = Path(__file__).resolve().parents[2] / "systemd"

MOST_EXPOSED = 1.5


def read(name):
    unit = configparser.RawConfigParser(strict=False, comment_prefixes=("#",), delimiters=("=",), interpolation=None)
    unit.optionxform = str
    unit.read(UNITS / name, "utf-8")
    return unit


@pytest.mark.parametrize("name", ["maild.service", "maild.socket", "maild-lmtp.socket"])
def test_verify_finds_nothing(tmp_path, need, name):
    need("systemd-analyze", "systemd")
    need("kill", "procps")
    for unit in ("maild.service", "maild.socket", "maild-lmtp.socket"):
        text = (UNITS / unit).read_text("utf-8")
        # It looks for the program, which may not be installed for all.
        (tmp_path / unit).write_text(text.replace("/usr/bin/maild", sys.executable), "utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / name)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_how_much_is_exposed(need):
    need("systemd-analyze", "systemd")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--json=short", str(UNITS / "maild.service")],
        capture_output=True,
        text=True,
        check=True,
    )
    open_still = {row["json_field"] for row in json.loads(done.stdout) if float(row["exposure"] or 0) > 0}
    assert not {field for field in open_still if field.startswith(("SystemCallFilter", "CapabilityBoundingSet"))}
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNITS / "maild.service")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(re.search(r"Overall exposure level for maild.service: ([0-9.]+)", done.stdout)[1]) <= MOST_EXPOSED


def test_the_service_is_in_step_with_the_code():
    service = read("maild.service")["Service"]
    assert service["RestartPreventExitStatus"] == str(int(Exit.CONFIG))
    # Mails on their way in, then three loops: SIGKILL comes well after.
    assert float(service["TimeoutStopSec"]) >= 1.5 * (GRACE + 3 * FAREWELL)
    assert float(service["WatchdogSec"]) > GRACE + 3 * FAREWELL
    assert service["Type"] == "notify"
    assert service["StateDirectory"] == service["ConfigurationDirectory"] == service["RuntimeDirectory"] == "maild"


def test_the_user_of_the_unit_is_the_one_that_is_made():
    user = read("maild.service")["Service"]["User"]
    assert re.search(rf"^u {user} - ", (UNITS / "sysusers.d" / "maild.conf").read_text("utf-8"), re.MULTILINE)
    assert re.search(
        rf"^d /etc/maild 0750 root {user} ", (UNITS / "tmpfiles.d" / "maild.conf").read_text("utf-8"), re.MULTILINE
    )
