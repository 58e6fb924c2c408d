"""What a reload takes over, and what it names because it waits for a restart."""

import pytest

from maild.config import Config, load
from maild.config.restart import RELOADED, needs_restart

BEFORE = """
[desk]
name = "Example Support"
address = "csm@desk.example"
data_dir = "/srv/desk"
[smtp]
listen = "127.0.0.1:8025"
[relay]
host = "127.0.0.1"
[auth]
authserv_id = ""
"""


@pytest.fixture
def read(tmp_path):
    (tmp_path / "password").write_text("secret", "utf-8")

    def given(text, name="maild.toml"):
        (tmp_path / name).write_text(text, "utf-8")
        return load(tmp_path / name, {})

    return given


@pytest.mark.parametrize(
    ("old", "new", "waits"),
    [
        ("", "", ()),
        ("Example Support", "Another Name", ()),
        ('authserv_id = ""', 'authserv_id = "mx.desk.example"', ()),
        ("[auth]", '[[agent]]\nid = "ann"\naddress = "ann@staff.example"\n[auth]', ()),
        ("[auth]", '[sla.normal]\nfirst_response = ["1m", "2m"]\n[auth]', ()),
        ("[auth]", '[calendar.short]\nhours = { mon = ["09:00-10:00"] }\n[auth]', ()),
        ("[relay]", 'trusted = ["192.0.2.0/24"]\n[relay]', ()),
        ("8025", "8026", ("smtp.listen",)),
        ("[relay]", "max_recipients = 7\n[relay]", ("smtp.max_recipients",)),
        ('host = "127.0.0.1"', 'host = "mx.example"\nport = 587', ("relay.host", "relay.port")),
        ("[auth]", 'password_file = "password"\n[auth]', ("relay.password_file",)),
        ("/srv/desk", "/srv/new", ("desk.data_dir", "database.url")),
        ("[auth]", '[database]\nurl = "sqlite:///srv/other.db"\n[auth]', ("database.url",)),
    ],
)
def test_needs_restart(read, old, new, waits):
    before, after = read(BEFORE), read(BEFORE.replace(old, new) if old else BEFORE)
    assert sorted(needs_restart(before, after)) == sorted(waits)


def test_another_path_alone_is_no_change(read):
    assert needs_restart(read(BEFORE), read(BEFORE, "other.toml")) == ()


def test_what_is_reloaded_exists():
    assert {name.partition(".")[0] for name in RELOADED} <= set(Config.__slots__)
