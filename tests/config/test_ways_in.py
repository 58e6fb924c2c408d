"""[smtp] and [lmtp]: what they take, what they refuse and in which words, and where a certificate is found."""

import os
import shutil
import subprocess

import pytest

from maild.config import load
from maild.config.office import member
from maild.config.restart import needs_restart

DESK = '[desk]\naddress = "csm@example.com"\n'
SMTP = DESK + "[smtp]\n"
LMTP = DESK + "[lmtp]\n"


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
        (LMTP + 'mode = "660"', "lmtp.mode: '660' is no mode of a file, such as 0660"),
        (LMTP + 'mode = "0668"', "lmtp.mode: '0668' is no mode of a file"),
        (LMTP + "mode = 432", "lmtp.mode: input should be a valid string"),
        (LMTP + "path = 'x'", "lmtp.path: unknown key"),
        (SMTP + 'proxy_from = ["haproxy"]', "smtp.proxy_from[1]: 'haproxy' is no network, such as 192.0.2.0/24"),
        (SMTP + "min_free_bytes = -1", "smtp.min_free_bytes: input should be greater than or equal to 0"),
        (SMTP + "require_tls = true", "smtp.tls_certificate: TLS wants a certificate, in a file beside this one"),
        (SMTP + 'tls_key = "key.pem"', "smtp.tls_certificate: TLS wants a certificate, in a file beside this one"),
        (
            SMTP + 'tls_certificate = "cert.pem"',
            "smtp.tls_certificate: cert.pem is neither a systemd credential nor a file beside maild.toml",
        ),
        (
            SMTP + 'tls_certificate = "maild.toml"\ntls_key = "key.pem"',
            "smtp.tls_key: key.pem is neither a systemd credential nor a file beside maild.toml",
        ),
        (SMTP + 'tls_certificate = "maild.toml"', "make no certificate in PEM: "),
    ],
)
def test_what_may_not(faults_of, text, fault):
    assert any(fault in found for found in faults_of(text)), faults_of(text)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    openssl = shutil.which("openssl")
    if openssl is None:
        (pytest.fail if os.environ.get("MAILD_REQUIRE_SERVERS") == "1" else pytest.skip)(
            "openssl is missing: apt install openssl"
        )
    folder = tmp_path_factory.mktemp("pair")
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=mx.example.com", "-out", folder / "cert.pem", "-keyout", folder / "key.pem"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return folder / "cert.pem", folder / "key.pem"


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
