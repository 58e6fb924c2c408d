"""The probe of `maild doctor` for the disk that mail is written to."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from maild.cli.doctor_words import amount
from maild.cli.finding import Finding
from maild.config import Config
from maild.store.ledger import POSTGRES, path_of

_AFAR = frozenset(
    {
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "davfs",
        "gfs2",
        "glusterfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
    }
) | {"smb3", "smbfs", "sshfs", "virtiofs", "vboxsf", "prl_fs"}
_IN_MEMORY = frozenset({"ramfs", "tmpfs"})
_FEW_INODES = 1000


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system: octets and inodes that are free for us; `inodes` is None where it knows none."""

    free: int
    inodes: int | None
    readonly: bool
    kind: str


def probe_disk(config: Config) -> Iterator[Finding]:
    """Look at the disk of data_dir, and at that of the ledger's file where it lies elsewhere."""
    folders = {"desk.data_dir": config.data_dir}
    sqlite = not config.database_url.startswith(POSTGRES)
    if sqlite:
        beside = path_of(config.database_url).absolute().parent
        if beside != config.data_dir:
            folders["database.url"] = beside
    for key, folder in folders.items():
        try:
            disk = _disk(folder)
        except OSError as error:
            yield Finding(f"disk of {key}", "fail", f"{folder}: {error.strerror}")
        else:
            yield from judge_disk(f"disk of {key}", disk, config.smtp.min_free_bytes, sqlite=sqlite)


def judge_disk(name: str, disk: Disk, least: int, *, sqlite: bool) -> Iterator[Finding]:
    """Judge it; `least` is smtp.min_free_bytes, `sqlite` says that a ledger of SQLite's lies on it."""
    free = f"{amount(disk.free)} free"
    if disk.readonly:
        yield Finding(name, "fail", "it is mounted read-only: nothing can be stored")
    elif disk.free < least:
        yield Finding(
            name, "fail", f"{free}, less than smtp.min_free_bytes ({amount(least)}): mail is put off with 452"
        )
    elif disk.free < 3 * least:
        yield Finding(name, "warn", f"{free}; below {amount(least)} (smtp.min_free_bytes) mail is put off with 452")
    else:
        yield Finding(name, "ok", free)
    if disk.inodes is not None and disk.inodes < _FEW_INODES:
        yield Finding(f"{name}: inodes", "warn" if disk.inodes else "fail", f"{disk.inodes} free")
    if sqlite and disk.kind.removeprefix("fuse.") in _AFAR:
        words = (
            f"{disk.kind} lies on another machine, and SQLite cannot trust its locks: put the ledger on a local disk"
        )
        yield Finding(f"{name}: kind", "warn", words)
    if disk.kind in _IN_MEMORY:
        yield Finding(f"{name}: kind", "warn", f"{disk.kind} lies in memory: a restart of the machine loses all of it")


def kind_of(folder: str, mounts: str) -> str:
    """Give the kind of the file system that an absolute path lies on, by /proc/self/mountinfo (proc(5)); "" for unknown."""
    longest, kind = "", ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), fields[4])
        inside = folder == point or folder.startswith(point.rstrip("/") + "/")
        # Of two on one point the later covers the earlier.
        if inside and len(point) >= len(longest):
            longest, kind = point, after.split(" ")[0]
    return kind


def _disk(folder: Path) -> Disk:
    # Not made yet: it will lie where its parent does.
    there = next(place for place in (folder, *folder.parents) if place.exists()).resolve()
    found = os.statvfs(there)
    try:
        mounts = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape")
    except OSError:
        mounts = ""
    return Disk(
        free=found.f_bavail * found.f_frsize,
        inodes=found.f_favail if found.f_files else None,
        readonly=bool(found.f_flag & os.ST_RDONLY),
        kind=kind_of(str(there), mounts),
    )
