"""A password that only the daemon may see: the other commands neither read it nor miss it."""

import subprocess
import sys

import pytest

from maild.config import ConfigError, load

CONFIG = """
[desk]
address = "csm@desk.example"
data_dir = "data"
[relay]
username = "csm"
password_file = "relay-password"
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "maild.toml"
    path.write_text(CONFIG, "utf-8")
    (tmp_path / "data").mkdir()
    return path


def test_a_credential_is_read_only_where_it_is_wanted(config, tmp_path):
    with pytest.raises(ConfigError, match="relay-password is neither a systemd credential"):
        load(config, {})
    assert load(config, {}, secrets=False).relay_password == ""
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "relay-password").write_text("secret\n", "utf-8")
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")}
    assert load(config, environment).relay_password == "secret"
    assert load(config, environment, secrets=False).relay_password == ""


def test_the_daemon_cannot_do_without_it_and_the_list_of_tickets_can(config):
    def run(*words):
        command = [sys.executable, "-m", "maild", *words, "-c", str(config)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert run("serve").returncode == 78
    done = run("tickets", "--json")
    assert (done.returncode, done.stdout) == (69, "")
    assert "there is no ledger" in done.stderr
