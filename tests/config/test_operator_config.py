"""Who is told of what needs a person: the address, how often, and what a reload takes over."""

import pytest

from maild.config.restart import needs_restart
from maild.daemon import operator

DESK = '[desk]\naddress = "csm@example.com"\n'
SALES = '[[mailbox]]\naddress = "csm@example.com"\naliases = ["sales@example.com"]\nsubaddress = "-"'


def test_nobody_by_default(read):
    told = operator(read())
    assert (told.address, told.every.total_seconds()) == ("", 3600)


def test_the_operator_reads_the_commands_for_his_configuration(read, tmp_path):
    told = operator(read(f'{DESK}[operator]\naddress = "Ops@Example.com"\nsummary_every = "15m"\n'))
    assert (told.address, told.every.total_seconds()) == ("ops@example.com", 900)
    assert told.config == str(tmp_path / "maild.toml")


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('address = "nobody"', "operator.address: 'nobody' is no mail address"),
        ("address = 3", "operator.address: "),
        ('address = "csm@example.com"', "operator.address: csm@example.com is a mailbox of the desk"),
        ('address = "CSM+ops@example.com"', "operator.address: csm+ops@example.com is a mailbox of the desk, its mail"),
        (f'address = "sales@example.com"\n{SALES}', "operator.address: sales@example.com is a mailbox of the desk"),
        (f'address = "sales-x@example.com"\n{SALES}', "operator.address: sales-x@example.com is a mailbox of the desk"),
        (
            '[[agent]]\nid = "ann"\naddress = "csm+ann@example.com"',
            "agent[1].address: csm+ann@example.com is a mailbox of the desk, its mail would come back",
        ),
        ('summary_every = "0s"', "operator.summary_every: is too short: write at least 1s"),
        ('summary = "1h"', "operator.summary: unknown key"),
    ],
)
def test_what_is_wrong_is_told(faults_of, line, fault):
    assert any(one.startswith(fault) for one in faults_of(f"{DESK}[operator]\n{line}\n"))


@pytest.mark.parametrize(
    "text",
    [
        '[operator]\naddress = "csmops@example.com"',
        '[operator]\naddress = "csm+ops@example.org"',
        f'[operator]\naddress = "csm+ops@example.com"\n{SALES}',
    ],
)
def test_what_only_looks_like_a_mailbox_may_be_written(read, text):
    read(f"{DESK}{text}\n")


def test_a_reload_takes_it_over(read):
    before = read()
    assert needs_restart(before, read(f'{DESK}[operator]\naddress = "ops@example.com"\n')) == ()
