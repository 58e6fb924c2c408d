"""`maild doctor` on a real Dovecot."""

import json
import subprocess
import sys

import pytest


@pytest.fixture
def doctor():
    """Run it; give its code, its findings as {name: (verdict, words)}, and what it says to people."""

    def run(desk):
        command = [sys.executable, "-m", "maild", "doctor", "-c", str(desk.folder / "maild.toml"), "--json"]
        done = subprocess.run(command, capture_output=True, cwd=desk.folder, timeout=60, check=False)
        lines = [json.loads(line) for line in done.stdout.decode().splitlines()]
        found = [(line["name"], (line["verdict"], line["words"])) for line in lines if line["name"].startswith("imap ")]
        return done.returncode, dict(found), done.stderr.decode()

    return run


NAME = "imap csm@desk.example@127.0.0.1/INBOX"


def test_a_folder_that_is_well(dovecot, desk_on, doctor, letter):
    dovecot.put(letter())
    desk = desk_on(dovecot, f'tls_ca_file = "{dovecot.ca}"\ndone_folder = "Done"', tls="implicit")
    _, found, _ = doctor(desk)
    assert found[NAME] == ("ok", "logged in with a password, TLSv1.3")
    assert found[f"{NAME} folder"][0] == "ok"
    assert found[f"{NAME} folder"][1].startswith("1 messages, UIDVALIDITY ")
    assert found[f"{NAME} folder"][1].endswith("can IDLE and MOVE")
    # The certificate of the tests ends in two days.
    assert found[f"{NAME} certificate"][0] == "warn"
    assert found[f"{NAME} done_folder"] == ("ok", "Done is not there yet: it will be made")
    # Nothing was changed by looking.
    assert dovecot.uids("Done") is None
    assert all(b"\\Seen" not in flags for flags in dovecot.flags())


def test_large_mails_are_named(dovecot, desk_on, doctor, letter):
    dovecot.put(letter("Large", text="x" * 250_000))
    dovecot.put(letter("Small"))
    _, found, _ = doctor(desk_on(dovecot))
    assert found[f"{NAME} size"] == (
        "warn",
        "1 larger than smtp.max_message_bytes (200000) are not fetched: UID 1",
    )


def test_a_wrong_password_and_a_wrong_authority(dovecot, desk_on, doctor, tmp_path):
    (tmp_path / "wrong").write_text("no secret\n")
    code, found, said = doctor(desk_on(dovecot, file="wrong"))
    assert code == 69
    assert found[NAME][0] == "fail"
    assert "the login was refused" in found[NAME][1]
    assert "no secret" not in said
    code, found, _ = doctor(desk_on(dovecot, tls="implicit"))
    assert code == 69
    assert "its certificate does not verify" in found[NAME][1]


def test_a_folder_that_is_not_there(dovecot, desk_on, doctor):
    code, found, _ = doctor(desk_on(dovecot, 'folder = "Support"'))
    name = NAME.replace("INBOX", "Support")
    assert code == 69
    assert found[name][0] == "fail"
    assert "doesn't exist" in found[name][1]
