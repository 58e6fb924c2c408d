"""Real mail beside the checkout: facts to measure against, never copied in here."""

import json
import re
import unicodedata
from pathlib import Path

import pytest

from maild.ingest.parse import parse
from maild.mail import Origin

CORPORA = Path(__file__).resolve().parents[3] / "shared" / "data" / "mail"
pytestmark = [
    pytest.mark.corpora,
    pytest.mark.skipif(not CORPORA.is_dir(), reason="no mail corpora at ../shared/data/mail"),
]


def rows(*names):
    for name in names:
        for line in (CORPORA / name / "expect.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            yield row, parse((CORPORA / name / row["file"]).read_bytes())


def folded(text):
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", text or "")).strip()


def test_every_message_is_read_without_a_fault():
    names = [path.name for path in CORPORA.iterdir() if (path / "expect.jsonl").is_file()]
    faults = [row["id"] for row, mail in rows(*names) if any("could not be parsed" in one for one in mail.defects)]
    assert faults == []


def test_subjects_and_senders():
    subjects = senders = 0
    for row, mail in rows("zbateson", "mailcore", "stalwart", "discourse"):
        subjects += "subject" in row and folded(mail.subject) == folded(row["subject"])
        subjects += "subject_tail" in row and folded(mail.subject).endswith(folded(row["subject_tail"]))
        senders += "from_addr" in row and mail.from_[:1] != () and mail.from_[0].key == folded(row["from_addr"]).lower()
    assert subjects >= 334
    assert senders >= 311


def test_bounces_are_found_and_people_stay_people():
    found = people = lost = 0
    for row, mail in rows("bounces_flufl", "discourse", "ham"):
        found += row.get("is_bounce") is True and mail.origin is Origin.BOUNCE
        lost += row.get("is_bounce") is False and mail.origin is Origin.BOUNCE
        people += row.get("is_auto") is False and mail.origin is not Origin.PERSON and mail.origin is not Origin.BOUNCE
    assert found >= 120
    assert lost == 0
    assert people <= 1


def test_new_text():
    exact = ruled = 0
    for row, mail in rows("reply_crisp", "reply_alfonsrv", "reply_talon", "discourse"):
        squash = r"[\s*]+" if row["src"].startswith(("mailgun", "nbianca")) else r"\s+"
        if "new_text" in row:
            exact += (
                re.sub(squash, "" if "*" in squash else " ", mail.new_text).strip()
                == re.sub(squash, "" if "*" in squash else " ", row["new_text"]).strip()
            )
        if "must" in row or "must_not" in row:
            new = folded(mail.new_text)
            ruled += all(folded(one) in new for one in row.get("must", [])) and not any(
                folded(one) in new for one in row.get("must_not", [])
            )
    assert exact >= 80
    assert ruled >= 42
