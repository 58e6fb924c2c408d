"""A report as one HTML page that needs nothing beside itself: read on a screen, light or dark, or on paper."""

from collections.abc import Iterator
from html import escape

from maild.outbound.letters import Section
from maild.outbound.wording import span
from maild.report import pictures
from maild.report.figures import BUCKETS, Report
from maild.report.sections import DAYS, period, sections

_STYLE = """
:root{color-scheme:light dark;--ink:#1c1e21;--paper:#fff;--soft:#6b7280;--line:#d9dce1;--good:#1f7a8c;--bad:#c2410c;
--plain:#4b6584;--h1:#e3edf5;--h2:#bcd4e6;--h3:#86b0d1;--h4:#4a86b4;--h5:#1f5a89;--light:#fff}
@media (prefers-color-scheme:dark){:root{--ink:#e6e8eb;--paper:#16181b;--soft:#9aa3af;--line:#34383e;--good:#4fb3c6;
--bad:#f0824f;--plain:#8aa5c2;--h1:#1d2a36;--h2:#24405a;--h3:#2f5f87;--h4:#4a8bbf;--h5:#8cc4ee;--light:#0d1013}}
@media print{:root{color-scheme:light;--ink:#000;--paper:#fff;--soft:#444;--line:#bbb;--good:#1f7a8c;--bad:#c2410c;
--plain:#4b6584;--h1:#e3edf5;--h2:#bcd4e6;--h3:#86b0d1;--h4:#4a86b4;--h5:#1f5a89;--light:#fff}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:64rem;margin:2rem auto;
padding:0 1rem}h1{font-size:1.6rem;margin:0}h2{font-size:1.1rem;margin:2.2rem 0 .5rem}p{margin:.3rem 0}
.soft{color:var(--soft)}.wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .8rem .25rem 0;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left}th{font-weight:600;color:var(--soft)}td.bar{padding:.25rem 0;text-align:left}
figure{margin:.8rem 1.6rem .8rem 0;display:inline-block}figcaption{color:var(--soft)}
svg{vertical-align:middle}svg text{font:11px system-ui,sans-serif;fill:var(--ink)}
.good{fill:var(--good)}.bad{fill:var(--bad)}.plain{fill:var(--plain)}.heat0{fill:none;stroke:var(--line)}
.heat1{fill:var(--h1)}.heat2{fill:var(--h2)}.heat3{fill:var(--h3)}.heat4{fill:var(--h4)}.heat5{fill:var(--h5)}
svg text.on4,svg text.on5{fill:var(--light)}
.key{display:inline-block;width:.8em;height:.8em;margin:0 .35em 0 .9em}
@media print{body{font-size:11px;max-width:none;margin:0;padding:0}.wide{overflow:visible}h2{break-after:avoid}
tr,figure{break-inside:avoid}tr:has(th){break-after:avoid}}
"""


def page(report: Report, desk: str) -> str:
    """Write the whole page for the desk of that name. Foreign words (customers, agents) are escaped."""
    title = f"{desk}: what was promised and kept"
    body = "\n".join(_section(section, report) for section in sections(report))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n"
        f'<p class="soft">{escape(period(report))}</p>\n'
        f"<p>{_key('good')}met{_key('bad')}missed</p>\n{body}\n</body>\n</html>\n"
    )


def _key(tone: str) -> str:
    return f'<svg class="key" viewBox="0 0 1 1" aria-hidden="true"><rect class="{tone}" width="1" height="1"/></svg>'


def _section(section: Section, report: Report) -> str:
    if not section.rows:
        return f'<section>\n<h2>{escape(section.title)}</h2>\n<p class="soft">{escape(section.nothing)}</p>\n</section>'
    note = f'<p class="soft">{escape(section.note)}</p>\n' if section.note else ""
    return (
        f"<section>\n<h2>{escape(section.title)}</h2>\n{''.join(_figures(section, report))}"
        f'<div class="wide"><table>\n{"".join(_table(section))}</table></div>\n{note}</section>'
    )


def _figures(section: Section, report: Report) -> Iterator[str]:
    if section.picture == "columns":
        names = [f"≤ {span(bound)}" for bound in BUCKETS] + [f"> {span(BUCKETS[-1])}"]
        for row in section.rows:
            picture = pictures.columns(f"First responses, {row.label}", names, row.heat)
            yield f"<figure>{picture}<figcaption>{escape(row.label)}, {sum(row.heat)} in all</figcaption></figure>\n"
    elif section.picture == "week":
        yield f'<div class="wide"><figure>{pictures.week(section.title, DAYS, report.hours)}</figure></div>\n'


def _table(section: Section) -> Iterator[str]:
    most = max(sum(count for _, count in row.bar) for row in section.rows)
    blank = "<th></th>" if most else ""
    yield f"<tr>{''.join(f'<th>{escape(column)}</th>' for column in section.columns)}{blank}</tr>\n"
    for row in section.rows:
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in (row.label, *row.cells))
        bar = f'<td class="bar">{pictures.bar(row.bar, most)}</td>' if most else ""
        yield f"<tr>{cells}{bar}</tr>\n"
