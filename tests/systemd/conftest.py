"""A whole system under systemd, in a container over the machine's own files; nothing of it is left behind."""

import contextlib
import json
import os
import secrets
import shutil
import stat
import subprocess
import sys
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 45.0
"""Seconds that anything may take: the machine may be busy with other tests."""

BOOT = """set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/work" "$1/root"
cp -a "$2" "$1/upper"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
shift 2
exec systemd-nspawn "$@"
"""

WRAPPER = """#!/bin/sh
LD_LIBRARY_PATH=/opt/python/lib exec /opt/maild/bin/python -P -m maild "$@"
"""


@pytest.fixture(scope="session")
def need():
    """Skip where a program is missing, naming its package; fail where the servers are required."""

    def needed(program, package):
        if shutil.which(program) is None:
            missing(f"{program} is missing: apt install {package}")

    return needed


def missing(words):
    if os.environ.get("MAILD_REQUIRE_SERVERS") == "1":
        pytest.fail(words)
    pytest.skip(words)


@dataclass
class Box:
    """A booted container. Commands run inside it, as root."""

    pid: int
    etc: Path

    def run(self, *command, ok=True, text=None):
        """Run a command; give its stdout."""
        enter = ["nsenter", "--target", str(self.pid), "--all", *command]
        done = subprocess.run(enter, capture_output=True, text=True, input=text, timeout=PATIENCE, check=False)
        assert not ok or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def show(self, unit="maild.service"):
        """Give the properties of a unit."""
        lines = self.run("systemctl", "show", unit).splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def until(self, true, what):
        """Wait until something holds; give it."""
        end = time.monotonic() + PATIENCE
        while not (found := true()):
            assert time.monotonic() < end, f"{what} did not come about in {PATIENCE} s\n{self.show()}\n{self.journal()}"
            time.sleep(0.2)
        return found

    def journal(self):
        return self.run("journalctl", "--no-pager", "-o", "cat", "-u", "maild.service", "-n", "200")

    def write(self, path, text):
        self.run("sh", "-c", 'cat > "$1"', "-", path, text=text)

    def maild(self, *words):
        """Run a command of maild; give the objects that it prints."""
        lines = self.run("maild", *words, "--json", "-c", "/etc/maild/maild.toml").splitlines()
        return [json.loads(line) for line in lines]


@pytest.fixture
def make_box(tmp_path, need):
    """Boot a system with maild and the given files in it, which lie over the machine's own."""
    if os.geteuid() != 0:
        pytest.skip("a container takes root")
    need("systemd-nspawn", "systemd-container")
    need("nsenter", "util-linux")
    need("kill", "procps")
    running = []
    name = f"maild-{os.getpid()}-{secrets.token_hex(4)}"

    def make(files):
        tree, top = tmp_path / "tree", tmp_path / "top"
        top.mkdir()
        lay(tree, files)
        command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", BOOT, "-", top, tree]
        command += [
            "--quiet",
            "--register=no",
            "--keep-unit",
            "--private-network",
            f"--machine={name}",
            "--console=pipe",
        ]
        command += [f"--directory={top}/root", *mounts(), "--boot", "--", "--unit=basic.target"]
        log = tmp_path / "boot.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env={**os.environ, "LC_ALL": "C"}
            )
        running.append(process)
        return Box(booted(process, log), tree / "etc")

    yield make
    for process in running:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    with contextlib.suppress(OSError):
        Path("/run/systemd/nspawn/propagate", name).rmdir()


def lay(tree, files):
    """Lay out what the container has over the machine's own files: maild as installed, and the given files."""
    interpreter = f"/opt/python/bin/python3.{sys.version_info.minor}"
    paths = "/opt/checkout\n/opt/pure\n/opt/plat\n"
    everything = {
        "etc/machine-id": f"{secrets.token_hex(16)}\n",
        "opt/maild/pyvenv.cfg": "home = /opt/python/bin\ninclude-system-site-packages = false\n",
        f"opt/maild/lib/python3.{sys.version_info.minor}/site-packages/maild.pth": paths,
        "usr/bin/maild": WRAPPER,
        **files,
    }
    for place in ("maild.service", "maild.socket", "maild-lmtp.socket"):
        everything[f"usr/lib/systemd/system/{place}"] = (ROOT / "systemd" / place).read_text("utf-8")
    for kind in ("sysusers.d", "tmpfiles.d"):
        everything[f"usr/lib/{kind}/maild.conf"] = (ROOT / "systemd" / kind / "maild.conf").read_text("utf-8")
    for path, text in everything.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(text, "utf-8")
    (tree / "opt/maild/bin").mkdir()
    (tree / "opt/maild/bin/python").symlink_to(interpreter)
    (tree / "usr/bin/maild").chmod(0o755)
    for folder in (tree, *(path for path in tree.rglob("*") if path.is_dir())):
        folder.chmod(stat.S_IRWXU | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH)


def mounts():
    """Where the interpreter, the packages and the checkout appear: a service sees no home, where they may lie."""
    checkout = [f"--bind-ro={ROOT / name}:/opt/checkout/{name}" for name in ("maild", "templates")]
    packages = [f"--bind-ro={sysconfig.get_path(kind + 'lib')}:/opt/{kind}" for kind in ("pure", "plat")]
    return [f"--bind-ro={sys.base_prefix}:/opt/python", *packages, *checkout]


def booted(process, log):
    """Wait until the container has booted; give its first process as seen from outside."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            missing_container(log)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        if children:
            state = subprocess.run(
                ["nsenter", "--target", children[0], "--all", "systemctl", "is-active", "basic.target"],
                capture_output=True,
                text=True,
                check=False,
            )
            if state.stdout.strip() == "active":
                return int(children[0])
        time.sleep(0.2)
    raise AssertionError(f"the container did not boot in {PATIENCE} s: {log.read_text('utf-8', 'replace')}")


def missing_container(log):
    words = log.read_text("utf-8", "replace").strip()
    if any(refusal in words for refusal in ("Operation not permitted", "ermission denied", "Read-only file system")):
        pytest.skip(f"no container may be started here: {words}")
    pytest.fail(f"the container ended: {words}")
