"""What an Authentication-Results field says, in every form that servers write."""

import pytest

from maild.trust.results import a_label, arc_results, results

ME = "mx.example.com"


def found(field, **more):
    return [(one.method, one.result) for one in results(field, (ME,), **more)]


@pytest.mark.parametrize(
    ("field", "pairs"),
    [
        (f"{ME}; none", []),
        (f"{ME}", []),
        ("", []),
        ("(a comment)", []),
        (f"{ME} 1; spf=pass", [("spf", "pass")]),
        (f"(x) {ME} (y); spf (z) = (a) pass (b)", [("spf", "pass")]),
        ("MX.Example.COM; SPF=Pass; DKIM/1=PASS header.d=A", [("spf", "pass"), ("dkim", "pass")]),
        (f'"{ME}"; spf=pass', [("spf", "pass")]),
        (f"{ME}; dmarc=bestguesspass action=none header.from=a.example", [("dmarc", "bestguesspass")]),
        ("mx.evil.example; spf=pass", []),
        (f"{ME}.evil.example; spf=pass", []),
        ("spf=pass smtp.mailfrom=x", []),
        (f"spf=pass {ME}; dkim=pass", []),
    ],
)
def test_methods(field, pairs):
    assert found(field) == pairs


@pytest.mark.parametrize(
    ("field", "pairs"),
    [
        ("spf=pass (sender IP is 1.2.3.4) smtp.mailfrom=x;dkim=pass header.d=x", [("spf", "pass"), ("dkim", "pass")]),
        (f"{ME}; spf=pass", [("spf", "pass")]),
        ("mx.evil.example; spf=pass", []),
        ("none", []),
    ],
)
def test_a_field_without_a_name_where_that_counts(field, pairs):
    assert found(field, unnamed=True) == pairs


@pytest.mark.parametrize(
    ("properties", "name", "domain"),
    [
        ("header.d=acme.example", "header.d", "acme.example"),
        ("d=acme.example", "header.d", "acme.example"),
        ("header.D=ACME.Example.", "header.d", "acme.example"),
        ("header.i=@acme.example", "header.i", "acme.example"),
        ("header.i=carol@acme.example", "header.i", "acme.example"),
        ("header.from=<carol@acme.example>", "header.from", "acme.example"),
        ('header.from="Carol <carol@acme.example>"', "header.from", "acme.example"),
        ('header.from="a; dmarc=pass header.from=b.example"', "header.from", "a__dmarc_pass_header.from_b.example"),
        ("header.from=b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example", "header.from", "xn--bcher-kva.example"),
        ("policy.action=none header.d=a.example header.d=b.example", "header.d", "a.example"),
        ("header.d=a.example d=b.example", "header.d", "a.example"),
        ("x=y", "header.d", ""),
    ],
)
def test_domains_of_properties(properties, name, domain):
    (one,) = results(f"{ME}; dmarc=none {properties}", (ME,))
    assert (one.method, one.result, one.domain(name)) == ("dmarc", "none", domain)


@pytest.mark.parametrize(
    ("written", "label"),
    [
        ("Example.COM.", "example.com"),
        ("B\u00dcCHER.example", "xn--bcher-kva.example"),
        ("bu\u0308cher.example", "xn--bcher-kva.example"),
        ("stra\u00dfe.example", "xn--strae-oqa.example"),
        ("\u0430cme.example", "xn--cme-5cd.example"),
        ("\uff41cme.example", "xn--cme-n76s.example"),
        ("", ""),
    ],
)
def test_the_form_in_which_domains_are_compared(written, label):
    assert a_label(written) == label


def test_what_a_sealer_found():
    field = (
        "i=2; mx.microsoft.com 1; spf=pass smtp.mailfrom=x; dmarc=pass action=none header.from=acme.example; arc=none"
    )
    assert [(one.method, one.result) for one in arc_results(field)] == [
        ("spf", "pass"),
        ("dmarc", "pass"),
        ("arc", "none"),
    ]
