"""[alarm]: a program and a URL that is a secret."""

from datetime import timedelta

import pytest

from maild.config.restart import needs_restart
from maild.daemon import siren

DESK = '[desk]\naddress = "csm@example.com"\n'
URL = "https://hooks.example.com/services/T0/very-secret"


def test_there_is_none_unless_it_is_asked_for(read):
    told = siren(read(DESK))
    assert (told.command, told.url, told.ears) == ((), "", ("log",))
    assert (told.rule.after, told.rule.again) == (timedelta(minutes=10), timedelta(hours=1))


def test_a_program_and_a_url(read, tmp_path):
    (tmp_path / "hook").write_text(f"{URL}\n")
    config = read(f'{DESK}[alarm]\nafter = "1s"\ncommand = ["/usr/local/bin/page", "-t", ""]\nurl_file = "hook"\n')
    told = siren(config)
    assert told.command == ("/usr/local/bin/page", "-t", "")
    assert told.url == URL
    assert told.ears == ("log", "command", "url")
    assert "secret" not in repr(told)
    assert needs_restart(read(DESK), config) == ()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/page", "http://localhost/page", "https://[2001:db8::1]/x", "http://127.8.9.1/x"]
)
def test_urls_that_are_fine(read, tmp_path, url):
    (tmp_path / "hook").write_text(url)
    assert read(f'{DESK}[alarm]\nurl_file = "hook"\n').alarm_url == url


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ('after = "0s"', "alarm.after: is too short: write at least 1s"),
        ('again = "soon"', "alarm.again: "),
        ('command = ["page"]', "alarm.command: 'page' is no absolute path: write the program's whole path"),
        ('command = "page"', "alarm.command: "),
        ('command = ["/bin/page\\nx"]', "alarm.command[1]: '/bin/page\\nx' is no single line of text"),
        ('url = "https://x"', "alarm.url: unknown key"),
        (
            'url_file = "https://h.test/secret"',
            "alarm.url_file: is the name of a file: write what stands there into a file",
        ),
        ('url_file = "missing"', "alarm.url_file: missing is neither a systemd credential nor a readable file beside"),
    ],
)
def test_faults(faults_of, lines, fault):
    (found,) = faults_of(f"{DESK}[alarm]\n{lines}\n")
    assert found.startswith(fault)


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("http://hooks.example.com/secret", "holds no https URL"),
        ("hooks.example.com/secret", "holds no https URL"),
        ("http://127.0.0.1.example.com/secret", "holds no https URL"),
        ("https:///secret", "names no host"),
        ("https://h.example:port/secret", "holds no URL"),
        ("https://ann:secret@h.example/", "holds a user before an @"),
        ("https://h.example/secret\nhttps://i.example/secret", "holds more than one URL"),
        ("https://h.example/secrét", "holds more than one URL"),
        ("", "is empty"),
    ],
)
def test_a_fault_of_the_url_says_nothing_of_it(faults_of, tmp_path, url, fault):
    (tmp_path / "hook").write_text(url)
    (found,) = faults_of(f'{DESK}[alarm]\nurl_file = "hook"\n')
    assert found.startswith("alarm.url_file: hook ")
    assert fault in found
    assert "secr" not in found.removesuffix("write the secret into it")
