"""Single holidays of a country or of a file, switched off by name or by date."""

import difflib
from collections.abc import Mapping, Sequence

from maild.sla.spelling import DATE, YEARLY


def switched_off(
    days: Mapping[str, Sequence[str]], off: Sequence[str], also: Mapping[str, str]
) -> tuple[dict[str, list[str]], list[tuple[int, str]]]:
    """Give the dates (YYYY-MM-DD, with their names) that are left, and what is wrong with entries of `off`, by number from 1.

    An entry is a date, MM-DD for every year, or a name in any case; `also` are further names, by which a holiday is called as
    well. A date with two names goes when both are off.
    """
    known = {name.casefold(): called for name, called in also.items()}
    known |= {name.casefold(): name for names in days.values() for name in names if name}
    dates, names, faults = set(), set(), []
    for number, entry in enumerate(off, 1):
        word = entry.strip()
        if DATE.fullmatch(word) or YEARLY.fullmatch(word):
            gone = {day for day in days if word in {day, day[5:]}}
            dates |= gone
            if not gone:
                faults.append((number, f"{word} is no holiday of holidays_country or holidays_file"))
        elif word.casefold() in known:
            names.add(known[word.casefold()].casefold())
        else:
            near = difflib.get_close_matches(word.casefold(), known, 1)
            hint = (
                f", did you mean {_spelt(near[0], known, also)!r}?" if near else "; a name or a date of one is wanted"
            )
            faults.append((number, f"{entry!r} is no holiday of holidays_country or holidays_file{hint}"))
    left = {}
    for day, called in days.items():
        kept = [name for name in called if name.casefold() not in names]
        if day not in dates and (kept or not called):
            left[day] = kept
    return left, faults


def _spelt(folded: str, known: Mapping[str, str], also: Mapping[str, str]) -> str:
    return next((name for name in also if name.casefold() == folded), known[folded])
