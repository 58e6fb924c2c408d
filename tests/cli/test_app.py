"""The command line as a whole: codes of sysexits, and a reader that goes away."""

import os
import subprocess
import sys
from importlib.metadata import version

import pytest
from typer.testing import CliRunner

from maild import __version__
from maild.cli.app import COMMANDS, FAMILIES, joined


def test_the_version_is_that_of_the_package(maild):
    done = maild("--version")
    assert (done.code, done.out) == (0, f"maild {__version__}\n")
    assert version("maild") == __version__


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("nonsense",),
        ("check", "-c"),
        ("check", "--nonsense"),
        ("show",),
        ("show", "1001", "1002"),
        ("tickets", "--state", "asleep"),
        ("tickets", "--severity", "mild"),
        ("show", "abc"),
        ("show", "-1"),
        ("show", "1e3"),
        ("show", "²"),
        ("why", "CSM"),
        ("why", "9" * 30),
    ],
)
def test_a_wrong_call_ends_with_64_and_words_on_stderr(maild, words, tmp_path, monkeypatch):
    path = tmp_path / "maild.toml"
    path.write_text('[desk]\naddress = "csm@example.com"\n')
    monkeypatch.setenv("MAILD_CONFIG", str(path))
    done = maild(*words)
    assert done.code == 64
    assert "Traceback" not in done.err
    assert done.err or not words


@pytest.mark.parametrize("name", [*COMMANDS, *FAMILIES])
def test_alone_it_is_the_same_as_among_all(name):
    alone, among = (CliRunner().invoke(app, [name, "--help"]) for app in (joined(name), joined()))
    assert (alone.exit_code, alone.output) == (0, among.output)


def test_a_family_has_all_that_belongs_to_it():
    for asked in ((), ("ticket",), ("ticket", "merge")):
        told = CliRunner().invoke(joined(*asked), ["ticket", "--help"]).output
        assert told.count("merge") == 1, asked
        assert "resolve" in told
    assert "simulate" in CliRunner().invoke(joined("sla"), ["sla", "--help"]).output


@pytest.mark.parametrize(
    ("words", "light"), [(["--version"], True), (["sla", "due", "--help"], True), (["show", "--help"], False)]
)
def test_it_imports_no_more_than_what_is_asked_for(words, light):
    script = f"""
import sys
from maild.cli.app import main
sys.argv = ["maild", *{words}]
try:
    main()
except SystemExit:
    print(*sys.modules)
"""
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True).stdout
    imported = {*out.splitlines()[-1].split()}
    assert imported.isdisjoint({"maild.cli.demo", "maild.cli.report", "maild.daemon"})
    assert imported.isdisjoint({"tortoise", "maild.config"}) == light


def test_help_is_no_fault(maild):
    done = maild("--help")
    assert done.code == 0
    for command in ("init", "check", "serve", "tickets", "show", "why", "inspect", "demo", "sla"):
        assert command in done.out


@pytest.mark.parametrize("command", ["check", "tickets", "show", "why", "serve"])
def test_a_configuration_that_cannot_be_used_ends_with_78_and_its_faults(maild, command, tmp_path):
    words = (command, "1") if command in {"show", "why"} else (command,)
    done = maild(*words, "-c", tmp_path / "none.toml")
    assert done.code == 78
    assert done.err == f"{tmp_path / 'none.toml'}: there is no such file: run `maild init` to write one\n"
    assert done.out == ""


def test_the_environment_names_the_configuration(maild, tmp_path, monkeypatch):
    monkeypatch.setenv("MAILD_CONFIG", str(tmp_path / "named.toml"))
    assert "named.toml: there is no such file" in maild("check").err


def test_it_runs_as_a_module(process):
    done = process("--version")
    assert (done.returncode, done.stdout) == (0, f"maild {__version__}\n")


@pytest.mark.parametrize("words", [("--help",), ("check",)])
def test_a_reader_that_goes_away_is_no_fault(words, tmp_path):
    (tmp_path / "maild.toml").write_text('[desk]\naddress = "csm@example.com"\n')
    ours, theirs = os.pipe()
    os.close(ours)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "maild", *words],
            stdout=theirs,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            timeout=60,
            check=False,
        )
    finally:
        os.close(theirs)
    assert (done.returncode, done.stderr) == (0, b"")


def test_letters_that_the_terminal_does_not_know_are_escaped(tmp_path, process):
    path = tmp_path / "maild.toml"
    path.write_text('[desk]\naddress = "csm@example.com"\n[policy."größe".low]\n', "utf-8")
    done = process("check", "-c", path, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert "with the policy gr\\xf6\\xdfe:" in done.stdout
