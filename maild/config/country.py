"""The public holidays of a country, as dates with their names."""

YEARS = range(2020, 2041)


ENGLISH = "en_US"


def holidays_of(country: str) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Give the public holidays of DE, or of a part of it as DE-BY, in 2020 to 2040: YYYY-MM-DD, and what they are called.

    In order of time; in English where the library has it, and not as the environment says, so that a file means the same
    everywhere. With them those names by the ones of the country's own language. ValueError for any other word.
    """
    import holidays  # noqa: PLC0415 - it takes a while, and few calendars ask for it

    name, _, part = country.partition("-")
    parts = holidays.list_supported_countries(include_aliases=False).get(name)
    if parts is None:
        raise ValueError(
            f"{country!r} is no country that is known: write its two letters of ISO 3166, such as DE, or DE-BY"
        )
    if part and part not in parts:
        raise ValueError(
            f"{country!r}: {name} has no part {part!r}"
            + (f"; known are {', '.join(parts)}" if parts else f": write {name}")
        )
    library = holidays.country_holidays(name)
    own = library.default_language
    language = ENGLISH if ENGLISH in library.supported_languages else own
    found, local = (
        holidays.country_holidays(name, subdiv=part or None, years=YEARS, language=each) for each in (language, own)
    )
    days = {day.isoformat(): found.get_list(day) for day in sorted(found) if day.year in YEARS}
    pairs = ((local.get_list(day), names) for day, names in days.items())
    return days, {one: other for ours, names in pairs for one, other in zip(ours, names, strict=False)}
