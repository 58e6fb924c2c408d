"""[smtp] and [lmtp]: what they take, what they refuse and in which words, and where a certificate is found."""

import shutil
import subprocess

import pytest

from maild.config import load
from maild.config.office import member
from maild.config.restart import needs_restart

DESK = '[desk]\naddress = "csm@example.com"\n'
SMTP = DESK + "[smtp]\n"
LMTP = DESK + "[lmtp]\n"
WIDE = ("0.0.0.0/0", "::/0", "128.0.0.0/1", "10.0.0.0/7", "2000::/3", "2001:db8::/15", "f000::/4")


def test_by_default_there_is_one_port_on_loopback_and_no_tls(read):
    config = read()
    assert (config.smtp.listen, config.lmtp.listen, config.smtp_tls) == ("127.0.0.1:8025", "", None)
    assert config.smtp.proxy_from == ()


@pytest.mark.parametrize(
    "text",
    [
        SMTP + 'listen = ""',
        SMTP + 'listen = "[::1]:25"\nproxy_from = ["10.0.0.0/8", "2001:db8::/32"]\nmin_free_bytes = 0',
        LMTP + 'listen = "/run/maild/lmtp.sock"\nmode = "0666"',
        LMTP + 'listen = "127.0.0.1:8024"',
        SMTP + 'listen = "127.0.0.1:0"\n[lmtp]\nlisten = "127.0.0.1:0"',
        SMTP + 'listen = ""\n[lmtp]\nlisten = ""',
        SMTP + 'trusted = ["10.0.0.0/8", "fc00::/7", "fe80::/10", "2001:db8::/16"]\nproxy_from = ["fd00::/8"]',
        DESK + "[spam]\nheaders = []",
        DESK + '[spam]\nheaders = ["X-Spam_Flag", "x"]',
        LMTP + 'listen = "/' + "x" * 99 + '"',
    ],
)
def test_what_may_be_written(read, text):
    read(text)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (LMTP + 'listen = "lmtp.sock"', "lmtp.listen: 'lmtp.sock' is neither an absolute path nor host:port"),
        (LMTP + 'listen = "/' + "x" * 100 + '"', "is no path for a socket: 100 octets at most"),
        (LMTP + 'listen = "/run/a\\u0000b"', "is no path for a socket"),
        (LMTP + 'listen = "unix:/run/a"', "lmtp.listen: write it without unix: '/run/a'"),
        (LMTP + "listen = 8024", 'lmtp.listen: write it in quotes, with its host: "127.0.0.1:8024"'),
        (LMTP + "listen = true", 'lmtp.listen: is a text: write it in quotes: "true"'),
        (LMTP + 'listen = "127.0.0.1:8025"', "lmtp.listen: 127.0.0.1:8025 is smtp.listen already, choose another port"),
        (LMTP + 'mode = "660"', "lmtp.mode: '660' is no mode of a file, such as 0660"),
        (LMTP + 'mode = "0668"', "lmtp.mode: '0668' is no mode of a file"),
        (LMTP + "mode = 432", 'lmtp.mode: write it in quotes, in octal: "0660"'),
        (LMTP + "path = 'x'", "lmtp.path: unknown key"),
        (SMTP + 'proxy_from = ["haproxy"]', "smtp.proxy_from[1]: 'haproxy' is no network, such as 192.0.2.0/24"),
        *(
            (SMTP + f'trusted = ["{wide}"]', f"smtp.trusted[1]: '{wide}': whoever connects from here is bel")
            for wide in WIDE
        ),
        *(
            (
                SMTP + f'proxy_from = ["10.0.0.0/8", "{wide}"]',
                f"smtp.proxy_from[2]: '{wide}': whoever connects from here can claim any address, also one in smtp.trusted",
            )
            for wide in WIDE
        ),
        (SMTP + 'proxy_from = "10.0.0.1"', 'smtp.proxy_from: is a list: write it in [ ]: ["10.0.0.1"]'),
        (DESK + '[spam]\nheaders = ["X-Spam: YES"]', "is no field name: write X-Spam, without colon and value"),
        (DESK + '[spam]\nheaders = [""]', "spam.headers[1]: '' is no field name: write X-Spam-Flag, without colon"),
        (DESK + '[spam]\nheaders = ["X Spam"]', "'X Spam' is no field name: write X-Spam-Flag, without colon"),
        (SMTP + "min_free_bytes = -1", "smtp.min_free_bytes: is too small: write at least 0"),
        (SMTP + "require_tls = true", "smtp.tls_certificate: smtp.require_tls wants a certificate, in a file beside"),
        (SMTP + 'tls_key = "key.pem"', "smtp.tls_certificate: smtp.tls_key wants a certificate, in a file beside this"),
        (
            SMTP + 'tls_key = "key.pem"\nrequire_tls = true',
            "smtp.tls_certificate: smtp.require_tls and smtp.tls_key want a certificate",
        ),
        (
            SMTP + 'tls_certificate = "cert.pem"',
            "smtp.tls_certificate: cert.pem is neither a systemd credential nor a file beside maild.toml",
        ),
        (
            SMTP + 'tls_certificate = "maild.toml"\ntls_key = "key.pem"',
            "smtp.tls_key: key.pem is neither a systemd credential nor a file beside maild.toml",
        ),
        (SMTP + 'tls_certificate = "maild.toml"', "/maild.toml holds no certificate in PEM"),
    ],
)
def test_what_may_not(faults_of, text, fault):
    assert any(fault in found for found in faults_of(text)), faults_of(text)


def test_a_certificate_lies_beside_the_file_or_is_a_credential(read, tmp_path, pair):
    text = SMTP + 'tls_certificate = "cert.pem"\ntls_key = "key.pem"'
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    for file in pair:
        shutil.copy(file, credentials)
    found = read(text, CREDENTIALS_DIRECTORY=str(credentials))
    assert found.smtp_tls == (credentials / "cert.pem", credentials / "key.pem")
    shutil.copy(pair[0], tmp_path)
    shutil.copy(pair[1], tmp_path)
    assert read(text).smtp_tls == (tmp_path / "cert.pem", tmp_path / "key.pem")
    absolute = SMTP + f'tls_certificate = "{pair[0]}"\ntls_key = "{pair[1]}"'
    assert read(absolute).smtp_tls == pair


def test_the_key_may_stand_in_the_certificates_file(read, tmp_path, pair):
    (tmp_path / "both.pem").write_bytes(pair[0].read_bytes() + pair[1].read_bytes())
    assert read(SMTP + 'tls_certificate = "both.pem"').smtp_tls == (tmp_path / "both.pem",) * 2


def test_what_is_wrong_with_a_certificate_is_told_at_its_key(faults_of, tmp_path, pair):
    cert, key = pair
    sealed = tmp_path / "sealed.pem"
    command = [shutil.which("openssl"), "pkey", "-in", key, "-aes256", "-passout", "pass:hush", "-out", sealed]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    (tmp_path / "damaged.pem").write_text(cert.read_text().replace("\nMII", "\nMIJ"))
    none = tmp_path / "none.pem"
    for public, private, fault in (
        (cert, "", f"smtp.tls_certificate: {cert} has no key in it: set smtp.tls_key"),
        (cert, cert, f"smtp.tls_key: {cert} has no key in it: name the file of the key"),
        (key, "", f"smtp.tls_certificate: {key} holds no certificate in PEM"),
        (key, cert, f"smtp.tls_certificate: {key} is the key, and {cert} the certificate: swap the two"),
        (cert, sealed, f"smtp.tls_key: {sealed} has a passphrase, and nobody is there to type it"),
        (none, "", f"smtp.tls_certificate: {none} is neither a systemd credential nor a file"),
        (none, key, f"smtp.tls_certificate: {none} is neither a systemd credential nor a file"),
        (tmp_path / "damaged.pem", key, "make no certificate in PEM: "),
    ):
        more = f'tls_key = "{private}"\n' if private else ""
        (found,) = faults_of(f'{SMTP}tls_certificate = "{public}"\n{more}')
        assert fault in found


def test_a_key_of_another_certificate_is_told(faults_of, tmp_path, pair):
    openssl = shutil.which("openssl")
    other = tmp_path / "other.pem"
    command = [openssl, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", other]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    (fault,) = faults_of(SMTP + f'tls_certificate = "{pair[0]}"\ntls_key = "{other}"')
    assert "KEY_VALUES_MISMATCH" in fault


def test_whoever_needs_no_secrets_misses_no_key(write, tmp_path, pair):
    shutil.copy(pair[0], tmp_path)
    path = write(SMTP + 'tls_certificate = "cert.pem"\ntls_key = "key.pem"')
    assert load(path, {}, secrets=False).smtp_tls is None


def test_what_waits_for_a_restart(read, tmp_path, pair):
    more = f'tls_certificate = "{pair[0]}"\ntls_key = "{pair[1]}"\nproxy_from = ["10.0.0.0/8"]\n'
    waits = needs_restart(read(), read(SMTP + more + '[lmtp]\nlisten = "127.0.0.1:8024"'))
    assert sorted(waits) == [
        "lmtp.listen",
        "smtp.proxy_from",
        "smtp.tls_certificate",
        "smtp.tls_key",
    ]


@pytest.mark.parametrize(
    ("peer", "is_in"),
    [("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("11.1.2.3", False), ("", False), ("unknown", False)],
)
def test_who_is_in_a_network(peer, is_in):
    assert member(["10.0.0.0/8"])(peer) is is_in
