"""A real Postfix brings mail over TLS, to a certificate that it verifies; and after that is renewed."""

import subprocess

import pytest

CAROL = "carol@acme.example"
DESK = "csm@example.com"


@pytest.fixture
def certify(program, tmp_path):
    """Give the authority's file, and the means to put a new certificate and its key beside the configuration."""
    new_key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj"

    def run(words, *more):
        command = [program("openssl", "openssl"), *words.split(), *more]
        subprocess.run(command, check=True, capture_output=True, timeout=60, cwd=tmp_path)

    run(f"req -x509 {new_key} /CN=Authority -days 2 -out ca.pem -keyout ca.key")

    def issue():
        run(f"req -new {new_key} /CN=csm.example.com -out csr.pem -keyout key.new")
        run("x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out cert.new")
        for name in ("key", "cert"):
            (tmp_path / f"{name}.new").replace(tmp_path / f"{name}.pem")

    return tmp_path / "ca.pem", issue


def test_postfix_verifies_the_certificate_and_its_successor(make_stage, certify, until, written):
    authority, issue = certify
    issue()
    stage = make_stage(start=False)
    # Postfix reads it as a user who sees no folder of the tests.
    ca, etc, folder = stage.postfix.home / "ca.pem", stage.postfix.home / "etc", stage.desk.folder
    ca.write_bytes(authority.read_bytes())
    verify = f"verify -o smtp_tls_CAfile={ca} -o smtp_tls_verify_cert_match=csm.example.com -o smtp_tls_loglevel=1"
    master = (etc / "master.cf").read_text()
    (etc / "master.cf").write_text(master.replace("smtp_tls_security_level=none", f"smtp_tls_security_level={verify}"))
    toml = (folder / "maild.toml").read_text()
    tls = '[smtp]\ntls_certificate = "cert.pem"\ntls_key = "key.pem"\n'
    (folder / "maild.toml").write_text(toml.replace("[smtp]\n", tls))
    stage.postfix.command("postfix", "reload")
    stage.desk.start()
    for count in (1, 2):
        stage.postfix.sendmail(written(CAROL, f"number {count}", "Hello."), CAROL, DESK)
        stage.desk.done(count)
        verified = "Verified TLS connection established to 127.0.0.1"
        until(lambda: stage.postfix.log.count(verified) == count, "a verified connection", lambda: stage.postfix.log)  # noqa: B023 - called within the turn
        issue()
    assert (folder / "log").read_text().count('"tls": true') == 2
    assert '"event": "smtp.certificate_renewed"' in (folder / "log").read_text()
