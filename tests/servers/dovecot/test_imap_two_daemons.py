"""Two daemons on one ledger and one folder: one fetches, and the other one takes over when it dies."""

import shutil
import time

import pytest

HOLDER = "SELECT taken_by FROM mailbox"


@pytest.fixture
def database(postgres):
    with postgres.database() as url:
        yield url


@pytest.fixture
def pair(desk_on, dovecot, database, tmp_path):
    """Two daemons, each with a folder of its own; the first one is started, and holds the IMAP folder."""
    first = desk_on(dovecot, database=database)
    (tmp_path / "two").mkdir()
    for name in ("maild.toml", "imap-password"):
        shutil.copy(tmp_path / name, tmp_path / "two" / name)
    second = type(first)(tmp_path / "two")
    yield first, second
    for desk in (first, second):
        if desk.process is not None and desk.process.poll() is None:
            desk.process.kill()
            desk.process.wait(60)
    second.process.stdout.close()


def test_a_folder_is_taken_over_from_a_daemon_that_dies(pair, dovecot, letter, until, postgres, database):
    name = database.rpartition("/")[2]

    def ask(sql):
        return postgres.sql(sql, name)

    first, second = pair
    first.start()
    until(lambda: "imap.first_look" in first.log, "a first look", lambda: first.log)
    holder = ask(HOLDER)
    second.start()
    dovecot.put(letter("For the first"))
    until(lambda: ask("SELECT count(*) FROM received") == "1", "a stored mail", lambda: first.log)
    # Long enough for leases to be renewed, and for the second one to ask in vain.
    time.sleep(12)
    assert ask(HOLDER) == holder
    assert "imap.connected" not in second.log
    first.process.kill()
    at = time.monotonic()
    dovecot.put(letter("While nobody looked"))
    until(lambda: ask("SELECT count(*) FROM received") == "2", "a mail that was taken over", lambda: second.log)
    print(f"taken over and stored {time.monotonic() - at:.1f} s after kill -9")  # noqa: T201 - a figure to look at
    assert ask(HOLDER) not in {holder, ""}
    until(
        lambda: ask("SELECT count(*) FROM received WHERE state = 'done'") == "2", "both decided on", lambda: second.log
    )
    assert ask("SELECT count(*), count(DISTINCT digest), count(DISTINCT uid) FROM mailbox_uid") == "2|2|2"


def test_a_folder_is_handed_over_by_a_daemon_that_ends(pair, dovecot, letter, until, postgres, database):
    name = database.rpartition("/")[2]
    first, second = pair
    first.start()
    until(lambda: "imap.first_look" in first.log, "a first look", lambda: first.log)
    second.start()
    first.end()
    until(lambda: "imap.connected" in second.log, "the second one's turn", lambda: second.log)
    dovecot.put(letter())
    until(lambda: postgres.sql("SELECT count(*) FROM received", name) == "1", "a stored mail", lambda: second.log)
