"""[[imap]]: what may be written, and what of it the fetching gets."""

import shutil
from zoneinfo import ZoneInfo

import pytest

from maild.config import load
from maild.config.imap import accounts
from maild.config.restart import needs_restart

DESK = """
[desk]
address = "csm@example.com"
time_zone = "Europe/Berlin"
[smtp]
max_message_bytes = 1000000
"""
LEAST = """
[[imap]]
mailbox = "csm@example.com"
host = "imap.example.com"
password_file = "imap-password"
"""
OAUTH = """
[[imap]]
mailbox = "csm@example.com"
host = "imap.gmail.com"
auth = "xoauth2"
token_url = "https://oauth2.googleapis.com/token"
client_id = "maild"
"""
GRANTED = OAUTH + 'refresh_token_file = "imap-password"\n'


@pytest.fixture
def secret(tmp_path):
    def put(name, text="hush\n"):
        (tmp_path / name).write_bytes(text.encode())

    return put


def test_the_least(read, secret, tmp_path):
    secret("imap-password")
    (account,) = accounts(read(DESK + LEAST))
    assert (account.name, account.port, account.tls) == ("csm@example.com@imap.example.com/INBOX", 993, "implicit")
    assert (account.username, account.password, account.grant) == ("csm@example.com", "hush", None)
    assert (account.since, account.idle, account.poll, account.moves) == ("now", True, 60, False)
    assert (account.most_octets, account.zone, account.ca_file) == (1_000_000, ZoneInfo("Europe/Berlin"), None)
    assert "hush" not in repr(account)


def test_all_of_it(read, secret, tmp_path, pair):
    secret("imap-password")
    shutil.copy(pair[0], tmp_path / "ca.pem")
    more = """
tls = "starttls"
tls_ca_file = "ca.pem"
username = "desk"
folder = "Support"
since = "2026-02-01"
mode = "poll"
poll = "5m"
done_folder = "Done"
quarantine_folder = "Aside"
"""
    (account,) = accounts(read(DESK + LEAST + more))
    assert (account.name, account.port, account.ca_file) == (
        "desk@imap.example.com/Support",
        143,
        tmp_path / "ca.pem",
    )
    assert (account.since, account.idle, account.poll, account.moves) == ("2026-02-01", False, 300, True)


def test_a_grant(read, secret, tmp_path):
    secret("refresh", "hush-r")
    secret("secret", "hush-c")
    text = DESK + OAUTH
    more = 'refresh_token_file = "refresh"\nclient_secret_file = "secret"\nscope = "mail"\n'
    (account,) = accounts(read(text + more))
    grant = account.grant
    assert (grant.client_id, grant.client_secret, grant.refresh_token, grant.scope) == (
        "maild",
        "hush-c",
        "hush-r",
        "mail",
    )
    assert grant.kept.name.startswith("imap-")
    assert "hush" not in repr(account)
    assert "hush" not in grant.kept.name


def test_two_folders_and_their_own_secrets(read, secret):
    secret("one", "hush-1")
    secret("two", "hush-2")
    first = LEAST.replace("imap-password", "one")
    second = LEAST.replace("imap-password", "two") + 'folder = "Support"\n'
    assert [account.password for account in accounts(read(DESK + first + second))] == ["hush-1", "hush-2"]


def test_without_secrets_none_is_read_and_none_is_missed(write):
    config = load(write(DESK + LEAST), {}, secrets=False)
    assert accounts(config)[0].password == ""


def test_a_changed_folder_or_password_waits_for_a_restart(read, secret):
    secret("imap-password")
    before = read(DESK + LEAST)
    assert needs_restart(before, read(DESK + LEAST)) == ()
    assert needs_restart(before, read(DESK + LEAST + 'folder = "Support"\n')) == ("imap",)
    secret("imap-password", "another")
    assert needs_restart(before, read(DESK + LEAST)) == ("imap",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (LEAST.replace("csm@", "cms@"), "imap[1].mailbox: there is no mailbox 'cms@example.com', did you mean"),
        (LEAST.replace('host = "imap.example.com"\n', ""), "imap[1].host: is missing"),
        (LEAST.replace("imap.example.com", "imap.example.com/x"), "imap[1].host: 'imap.example.com/x' is no host"),
        (LEAST.replace('password_file = "imap-password"\n', ""), 'imap[1].password_file: auth = "password" needs it'),
        (LEAST.replace("imap-password", "none"), "imap[1].password_file: none is neither a systemd credential"),
        (LEAST + 'tls = "none"\n', "imap[1].tls: none is for a server on this machine"),
        (
            LEAST.replace("imap.example.com", "h:993"),
            "imap[1].host: 'h:993' has a port in it: write 'h', and use imap.port",
        ),
        (LEAST.replace("imap.example.com", "[::1]:993"), "imap[1].host: '[::1]:993' has a port in it: write '::1'"),
        (LEAST.replace("imap.example.com", "[::1]"), "imap[1].host: '[::1]': write it without brackets"),
        (
            LEAST + 'auth = "oauth2"\n',
            'imap[1].auth: \'oauth2\' is not known: write "password", "xoauth2" or "oauthbearer"; did you mean "xoauth2"?',
        ),
        (LEAST.replace("password_file", 'auth = "oauth2"\n#'), "imap[1].auth: 'oauth2' is not known: write"),
        (LEAST.replace("imap-password", "empty"), "imap[1].password_file: empty is empty: write the secret into it"),
        (LEAST + 'tls_ca_file = "ca.pem"\n', "ca.pem cannot be read: No such file or directory"),
        (LEAST + 'tls_ca_file = "imap-password"\n', "imap-password holds no certificate in PEM"),
        (LEAST + "since = 2026-01-31\n", 'imap[1].since: is a text: write it in quotes: "2026-01-31"'),
        (LEAST + 'tls = "ssl"\n', "imap[1].tls: "),
        (LEAST + "port = 70000\n", "imap[1].port: "),
        (LEAST + 'folder = ""\n', "imap[1].folder: "),
        (LEAST + 'folder = "IN\\r\\nA1 LOGOUT"\n', "imap[1].folder: "),
        (LEAST + 'since = "yesterday"\n', "imap[1].since: 'yesterday': write now, all, or the date"),
        (LEAST + 'mode = "push"\n', "imap[1].mode: "),
        (LEAST + 'poll = "0s"\n', "imap[1].poll: "),
        (LEAST + 'done_folder = "INBOX"\n', "imap[1].done_folder: is the folder that mail is fetched from"),
        (LEAST + 'quarantine_folder = "INBOX"\n', "imap[1].quarantine_folder: is the folder"),
        (LEAST + LEAST, "imap[2]: INBOX of csm@example.com at imap.example.com is fetched twice"),
        (LEAST + 'user = "csm"\n', "imap[1].user: unknown key, did you mean username?"),
        (OAUTH, "imap[1]: give refresh_token_file, or client_secret_file"),
        (GRANTED.replace("https", "http"), "imap[1].token_url: 'http://oauth2.googleapis.com/token' is no https URL"),
        (GRANTED.replace("https://oauth2.googleapis.com/token", "https:///token"), "names no host"),
        (
            OAUTH.replace('client_id = "maild"\n', 'refresh_token_file = "imap-password"\n'),
            'imap[1].client_id: auth = "xoauth2" needs it',
        ),
    ],
)
def test_faults(text, words, faults_of, secret):
    secret("imap-password")
    secret("empty", "\n")
    faults = faults_of(DESK + text)
    assert [fault for fault in faults if words in fault], faults
    assert len(faults) == 1, faults


def test_a_secret_is_one_line(faults_of, secret):
    secret("imap-password", "hush\nhush")
    (fault,) = faults_of(DESK + LEAST)
    assert fault.startswith("imap[1].password_file: holds more than one line")
    assert "hush" not in fault


def test_plain_text_and_http_on_this_machine_alone(read, secret):
    secret("imap-password")
    local = LEAST.replace("imap.example.com", "127.0.0.1") + 'tls = "none"\n'
    assert accounts(read(DESK + local))[0].port == 143
    oauth = OAUTH.replace("https://oauth2.googleapis.com", "http://localhost:8080")
    assert accounts(read(DESK + oauth + 'refresh_token_file = "imap-password"\n'))[0].grant is not None
