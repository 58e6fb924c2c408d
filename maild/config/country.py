"""The public holidays of a country, as dates."""

YEARS = range(2020, 2041)


def holidays_of(country: str) -> tuple[str, ...]:
    """Give the public holidays of DE, or of a part of it as DE-BY, in 2020 to 2040, as YYYY-MM-DD. ValueError for any other word."""
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
    found = holidays.country_holidays(name, subdiv=part or None, years=YEARS)
    return tuple(sorted(day.isoformat() for day in found if day.year in YEARS))
