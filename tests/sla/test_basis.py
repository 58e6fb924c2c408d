"""The digest of what deadlines follow from: another one where a deadline may change, the same where none can."""

import subprocess
import sys
from dataclasses import replace
from importlib import resources

import pytest

from maild.sla.basis import basis
from maild.sla.hours import ALWAYS, weekdays
from maild.sla.ladder import DEFAULT, Rung
from maild.sla.policy import Metric, standard
from maild.ticket import Severity

WEEK = weekdays("Europe/Berlin")
POLICIES = {"": standard(WEEK, ALWAYS)}
LADDERS = dict.fromkeys(Metric, DEFAULT)
REST = (WEEK, 7)


def changed(**more):
    policy = POLICIES[""]
    promises = {**policy.promises, Severity.LOW: replace(policy.promise(Severity.LOW), **more)}
    return {"": replace(policy, promises=promises)}


@pytest.mark.parametrize(
    "stated",
    [
        ({**POLICIES, "gold": POLICIES[""]}, LADDERS, REST),
        ({"": standard(weekdays("UTC"), ALWAYS)}, LADDERS, REST),
        ({"": standard(weekdays("Europe/Berlin", ["12-25"]), ALWAYS)}, LADDERS, REST),
        (changed(resolution=(1, 2)), LADDERS, REST),
        (changed(pending_limit=3600), LADDERS, REST),
        (changed(calendar_name="another"), LADDERS, REST),
        (POLICIES, {**LADDERS, Metric.RESOLUTION: (Rung("limit", ("lead",)),)}, REST),
        (POLICIES, {**LADDERS, Metric.RESOLUTION: tuple(replace(rung, next_after=60) for rung in DEFAULT)}, REST),
        (POLICIES, LADDERS, REST, [("csm@example.com", 2)]),
        (POLICIES, LADDERS, REST, (), "warnings"),
        (POLICIES, LADDERS, (WEEK, 8)),
        (POLICIES, LADDERS, (weekdays("Asia/Kolkata"), 7)),
    ],
)
def test_a_change_is_another_basis(stated):
    assert basis(*stated) != basis(POLICIES, LADDERS, REST)


def test_who_is_an_agent_counts_in_any_order():
    found = [basis(POLICIES, LADDERS, REST, agents=ids) for ids in (("ann", "bob"), ("bob", "ann"), ("ann",))]
    assert found[0] == found[1] != found[2]


def test_the_order_of_writing_is_no_change():
    fair = [weekdays("UTC", days) for days in (["2026-12-25", "12-26"], ["12-26", "2026-12-25"])]
    assert len({basis({"": standard(week, ALWAYS)}, LADDERS, REST) for week in fair}) == 1


def test_the_time_zone_data_counts(tmp_path):
    """Two releases of the data that differ in one zone are two bases for whoever counts in it, and one for all others."""
    told = {}
    for release, zone in enumerate(("Europe/Berlin", "America/New_York")):
        folder = tmp_path / str(release) / "Own"
        folder.mkdir(parents=True)
        (folder / "Zone").write_bytes(_compiled(zone))
        (folder / "Other").write_bytes(_compiled("Asia/Kolkata"))
        for name in ("Own/Zone", "Own/Other"):
            program = (
                "from maild.sla.basis import basis; from maild.sla.hours import *; from maild.sla.policy import *;"
                f"week = weekdays({name!r}); print(basis({{'': standard(week, ALWAYS)}}, {{}}, (week, 7)))"
            )
            told.setdefault(name, set()).add(run(program, PYTHONTZPATH=str(folder.parent)))
    assert {name: len(bases) for name, bases in told.items()} == {"Own/Zone": 2, "Own/Other": 1}


def _compiled(zone):
    return resources.files("tzdata").joinpath("zoneinfo", *zone.split("/")).read_bytes()


def run(program, **environment):
    environment = {"PYTHONPATH": ":".join(sys.path), **environment}
    done = subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True, timeout=60)
    return done.stdout


def test_it_is_the_same_in_every_process():
    program = (
        "from maild.sla.basis import basis; from maild.sla.hours import *; from maild.sla.policy import *;"
        "week = weekdays('UTC', ['12-25', '12-26', '01-01', '05-01']);"
        "print(basis({'': standard(week, ALWAYS)}, {}, (week, 7)))"
    )
    assert len({run(program, PYTHONHASHSEED=seed) for seed in ("1", "2")}) == 1
