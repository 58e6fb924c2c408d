"""The wheel: what a reader of it needs at run time is in it."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
UNREACHABLE = ("No matching distribution found", "Could not find a version", "Temporary failure", "ConnectionError")


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """Build the wheel; give the names in it."""
    folder = tmp_path_factory.mktemp("wheel")
    words = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps", str(ROOT)]
    done = subprocess.run(
        [*words, "-w", str(folder)], capture_output=True, text=True, timeout=100, check=False, cwd=folder
    )
    if done.returncode and any(words in done.stderr for words in UNREACHABLE):
        pytest.skip("the build backend (hatchling) cannot be fetched: no network")
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("maild-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_what_is_read_at_run_time_is_in_the_wheel(names):
    wanted = {"maild/sla/keywords.toml", "maild/config/sample.toml", "maild/py.typed", "maild/cli/calendars.json"}
    wanted |= {f"maild/templates/{path.name}" for path in (ROOT / "templates").glob("*.j2")}
    wanted |= {str(path.relative_to(ROOT)) for path in (ROOT / "maild").rglob("*.sql")}
    assert wanted <= set(names), sorted(wanted - set(names))
    assert any(name.startswith("maild/templates/") for name in wanted)
    assert any("/migrations/" in name for name in wanted)


def test_every_module_is_in_the_wheel_and_no_test_is(names):
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "maild").rglob("*.py")}
    assert modules <= set(names), sorted(modules - set(names))
    assert not [name for name in names if name.startswith("tests/") or name.endswith((".pyc", ".db", ".eml"))]
    assert len(names) == len(set(names))
