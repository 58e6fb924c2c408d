import pytest

from maild.config.office import office
from maild.config.restart import needs_restart
from maild.sla.hours import weekdays

DESK = '[desk]\naddress = "csm@example.com"\ntime_zone = "Europe/Berlin"\n'


@pytest.mark.parametrize(("line", "days"), [("", 7), ("reopen_days = 0\n", 0), ("reopen_days = 366\n", 366)])
def test_the_window(read, line, days):
    window = office(read(DESK + line), ()).window
    assert (window.days, window.calendar) == (days, weekdays("Europe/Berlin"))


@pytest.mark.parametrize("value", ["-1", "367", '"7d"', "1.5"])
def test_what_is_no_number_of_days(faults_of, value):
    (fault,) = faults_of(f"{DESK}reopen_days = {value}\n")
    assert fault.startswith("desk.reopen_days: ")


def test_a_reload_takes_it_over(read):
    assert needs_restart(read(DESK), read(DESK + "reopen_days = 3\n")) == ()
