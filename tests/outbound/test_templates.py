"""Templates: the operator's before ours, sandboxed, every name defined, every fault listed."""

import jinja2
import pytest

from maild.outbound import template_files
from maild.outbound.template_files import check_templates, load_templates
from maild.outbound.templates import Templates


def test_the_shipped_ones_are_without_fault(templates):
    assert check_templates() == []
    assert {"ack.txt.j2", "notification.txt.j2", "notification.html.j2", "escalation.txt.j2"} <= set(templates.names)


def test_the_operators_file_stands_in_for_ours(tmp_path):
    (tmp_path / "ack.txt.j2").write_text("Grüezi {{ tag }}\n", encoding="utf-8")
    (tmp_path / "README").write_text("no template")
    mine = load_templates(tmp_path)
    assert mine.render("ack", "", {"tag": "[X #1]"}) == "Grüezi [X #1]"
    assert mine.names == load_templates().names
    assert check_templates(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "source", "words"),
    [
        ("ack.txt.j2", "{{ tag", "TemplateSyntaxError"),
        ("ack.txt.j2", "{{ tag | nofilter }}", "nofilter"),
        ("ack.txt.j2", "{{ typo }}", "'typo' is undefined"),
        ("ack.fr.txt.j2", "{{ typo }}", "ack.fr.txt.j2: UndefinedError"),
        ("ack.txt.j2", "{{ ().__class__.__bases__ }}", "unsafe"),
        ("word.txt.j2", "{{ lines.append('x') }}", "unsafe"),
        ("held.txt.j2", "{{ 1 / 0 }}", "ZeroDivisionError"),
        ("escalation.txt.j2", "{% include 'missing.txt.j2' %}", "TemplateNotFound"),
    ],
)
def test_every_fault_is_listed(tmp_path, name, source, words):
    (tmp_path / name).write_text(source)
    faults = check_templates(tmp_path)
    assert faults
    assert any(words in fault for fault in faults), faults


def test_two_faults_are_two_lines(tmp_path):
    (tmp_path / "ack.txt.j2").write_text("{{ a")
    (tmp_path / "held.txt.j2").write_text("{% if %}")
    assert len(check_templates(tmp_path)) == 2


def test_what_cannot_be_read_is_a_fault(tmp_path):
    assert "nowhere" in check_templates(tmp_path / "nowhere")[0]
    (tmp_path / "ack.txt.j2").write_bytes(b"\xff\xfe\xfa")
    assert "utf-8" in check_templates(tmp_path)[0]


def test_foreign_text_is_never_a_template():
    templates = Templates({"x.txt.j2": "{{ text }}", "x.html.j2": "{{ text }}"})
    values = {"text": "{{ 7 * 7 }} <b>"}
    assert templates.render("x", "", values) == "{{ 7 * 7 }} <b>"
    assert templates.render("x", "de", values, "html") == "{{ 7 * 7 }} &lt;b&gt;"
    with pytest.raises(jinja2.TemplateNotFound):
        templates.render("y", "", values)


def test_in_a_wheel_they_lie_in_the_package(tmp_path, monkeypatch):
    inside = tmp_path / "templates"
    inside.mkdir()
    (inside / "ack.txt.j2").write_text("from the wheel")
    monkeypatch.setattr(template_files.resources, "files", lambda _: tmp_path)
    assert load_templates().render("ack", "", {}) == "from the wheel"
