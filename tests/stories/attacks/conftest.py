"""A stage for attacks: one daemon for all of them, and for each a mailbox, agents and people of its own.

What became of an attack is told by `Stage.picture`: of each ticket its state, whose it is, who takes part, who has it,
clocks, messages (kind, writer, what proved him), events and mails owed; then how many mails were taken in.
"""

import contextlib
import itertools
import os
import sqlite3
import string
import time
from collections import Counter
from dataclasses import dataclass, field

import pytest

from maild.threading.token import Purpose, mint

STAGES = 84
"""How many attacks one daemon has mailboxes for."""

AUTH = """hops = ["mx2.desk.example", "192.0.2.0/24"]
arc_sealers = ["lists.example"]
dkim = "off"
[ack]
per_minute = 100000
"""

OPEN = """[[mailbox]]
address = "open@desk.example"
team = ["ann"]
admit = "everyone"
"""

BOX = """[[mailbox]]
address = "{box}{n}@desk.example"
team = ["ann{n}", "bob{n}"]
subaddress = "{separator}"
[[agent]]
id = "ann{n}"
name = "Ann"
address = "ann{n}@staff.example"
[[agent]]
id = "bob{n}"
name = "Bob"
address = "bob{n}@staff.example"
"""

PLAIN = 80
"""From here on mailboxes know no sub-addresses."""

MINE = "SELECT number FROM ticket WHERE mailbox = ? OR requester_address LIKE ?"

CIRCLES = (("carol", "dora"), ("dave",), ("mallory",))
"""Who may read the subjects of whose mail."""


def found(domain, dmarc, dkim):
    """What OpenDMARC and OpenDKIM write above the Received field of Postfix."""
    return (
        ("Authentication-Results", f"mx.desk.example; dmarc={dmarc} (p=reject dis=none) header.from={domain}"),
        (
            "Authentication-Results",
            f"mx.desk.example;\r\n\tdkim={dkim} (2048-bit key; unprotected) header.d={domain} header.a=rsa-sha256",
        ),
    )


def received(by="mx.desk.example", peer="mail.sender.example [198.51.100.7]", helo="mail.sender.example"):
    """What Postfix writes."""
    at = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime())
    return ("Received", f"from {helo} ({peer})\r\n\tby {by} (Postfix) with ESMTPS id 4B1xYz1AAA; {at}")


def judged(domain, verdict):
    """Give the fields for a verdict: pass, none (the domain publishes nothing), fail, or "" where the hop is silent."""
    dkim = {"pass": "pass", "none": "none", "fail": "fail"}
    return found(domain, verdict, dkim[verdict]) if verdict else ()


@dataclass
class Stage:
    """One attack's own people. Their names are attributes that give their addresses."""

    desk: object
    number: int
    others: object
    log: list = field(default_factory=list)
    ids: object = field(default_factory=lambda: itertools.count(1))

    @property
    def sink(self):
        return self.desk.sink

    @property
    def tag(self):
        """Two digits, so that no name is the beginning of another."""
        return f"{self.number:02}"

    @property
    def box(self):
        return f"{'plain' if self.number >= PLAIN else 'desk'}{self.tag}@desk.example"

    @property
    def people(self):
        """Give everybody's address by name."""
        n = self.tag
        outside = {"carol": "acme", "dora": "acme", "dave": "bolt", "mallory": "evil"}
        return {
            **{name: f"{name}@{house}{n}.example" for name, house in outside.items()},
            "ann": f"ann{n}@staff.example",
            "bob": f"bob{n}@staff.example",
            "box": self.box,
        }

    received = staticmethod(received)
    wanted = "Send me your password, please."
    """What a forger would like the customer to read from us."""

    def __getattr__(self, name):
        try:
            return self.people[name]
        except KeyError:
            raise AttributeError(name) from None

    def name(self, address):
        """Give whose address it is; what follows a + is left out."""
        local, _, domain = address.lower().rpartition("@")
        plain = f"{local.partition('+')[0]}@{domain}"
        names = {mail: name for name, mail in self.people.items()}
        return names.get(plain, address.lower().replace(f"{self.tag}.example", ".example")) + (
            "+" if plain != address.lower() and plain in names else ""
        )

    def new_id(self, domain):
        return f"m{next(self.ids)}.{os.getpid()}.{time.time_ns()}@{domain}"

    def write(
        self,
        sender,
        text,
        *,
        to=None,
        subject=None,
        proof=None,
        answers=None,
        by=None,
        top=(),
        trace=None,
        more=(),
        from_=None,
        mid=None,
        kind="text/plain; charset=utf-8",
        path=None,
    ):
        """Write a mail in somebody's name, hand it over as our mail server does, and wait until all is decided.

        `proof` is what our server found; agents and forgers have none by default. `by` is who really wrote it. `top` stands
        above our server's own fields, `more` below them; `answers` is a mail of ours. Gives the Message-ID.
        """
        address = self.people.get(sender, sender)
        domain = address.rpartition("@")[2]
        agents = sender in {"ann", "bob"}
        verdict = proof if proof is not None else "none" if by or agents else "pass"
        rcpt = to or (str(answers.mail["Reply-To"] or self.box) if answers else self.box)
        if subject is None:
            subject = f"Re: {answers.subject}" if answers else f"subject {self.tag}.{next(self.ids)} of {sender}"
        mid = mid or self.new_id(domain)
        chain = ()
        if answers:
            before = str(answers.mail["Message-ID"])
            chain = (("In-Reply-To", before), ("References", f"{answers.mail['References'] or ''} {before}".strip()))
        fields = (
            *top,
            *judged(domain, verdict),
            *(trace if trace is not None else (received(),)),
            ("From", from_ if from_ is not None else f"{sender.title()} <{address}>" if "@" not in sender else address),
            ("To", rcpt),
            ("Subject", subject),
            ("Message-ID", f"<{mid}>"),
            *chain,
            ("MIME-Version", "1.0"),
            ("Content-Type", kind),
            *more,
        )
        head = "\r\n".join(f"{name}: {value}" for name, value in fields)
        body = "\r\n".join(text.splitlines())
        said = text if kind.startswith("text/plain") else ""
        self.log.append((by or sender, subject, said, not answers and "[CSM #" not in subject))
        octets = f"{head}\r\n\r\n{body}\r\n".encode()
        self.desk.send(octets, address if path is None else path, rcpt)
        self.desk.settled()
        return mid

    def forge(self, name="ann", text=wanted, **more):
        """Write in somebody's name as Mallory."""
        return self.write(name, text, by="mallory", **{"path": self.mallory, **more})

    def run(self, *words, code=0):
        """Run a command as the operator, and wait for what it owes."""
        self.desk.run(*words, code=code)
        self.desk.settled()

    def close_long_ago(self, number):
        """Close a ticket as an operator did two months ago."""
        self.run("ticket", "resolve", str(number))
        self.run("ticket", "close", str(number))
        with contextlib.closing(sqlite3.connect(f"{self.desk.folder}/data/maild.db", timeout=45)) as con:
            con.execute("UPDATE ticket SET closed_at = '2020' || substr(closed_at, 5) WHERE number = ?", (number,))
            con.commit()

    def got(self, who, having=""):
        """Give the newest mail that somebody got, with these words in it."""
        mine = self.sink.to(self.people.get(who, who), lambda kept: having.lower() in kept.everything)
        assert mine, f"{who} got nothing with {having!r}"
        return mine[-1]

    def opened(self, text="Nobody can pay since this morning."):
        """Let Carol open a ticket, proven. Gives Ann's notification."""
        self.write("carol", text)
        return self.got("ann")

    def answered(self, text="Did you try the other till?"):
        """Let Carol open a ticket and Ann answer it. Gives what Carol got."""
        self.write("ann", text, answers=self.opened())
        return self.got("carol", text)

    @property
    def numbers(self):
        """Give the numbers of this stage's tickets."""
        return [number for (number,) in self.ask(f"{MINE} ORDER BY 1", self.box, f"%@%{self.tag}.example")]

    def ask(self, sql, *values):
        return self.desk.ask(sql, *values)

    def tokens(self):
        """Give every token that any agent of this stage may have, under every key that there ever was."""
        keys = [bytes(key) for (key,) in self.ask("SELECT key FROM secret")]
        purposes = (Purpose.AGENT, Purpose.RELEASE, Purpose.BOUNCE)
        made = itertools.product(keys, self.numbers, (self.ann, self.bob), purposes)
        return {mint(*one) for one in made}

    def picture(self):
        """Tell all that the ledger holds of this stage, and all that it owes and sent."""
        lines = []
        letters = dict(zip(self.numbers, string.ascii_uppercase, strict=False))
        for number, letter in letters.items():
            lines += self._ticket(number, letter, letters)
        lines += self._outbox("IS NULL AND rcpt LIKE ?", f"%{self.tag}.example")
        taken = "SELECT count(*) FROM received WHERE (rcpt = ? OR rcpt LIKE ?) AND state = ?"
        local, _, domain = self.box.partition("@")
        for state in ("done", "spam"):
            ((count,),) = self.ask(taken, self.box, f"{local}+%@{domain}", state)
            lines.append(f"{count} {state}")
        return [line for line in lines if line != "0 spam"]

    def _ticket(self, number, letter, letters):
        columns = "state, requester_address, participants, assignee, first_response_at, merged_into"
        ((state, requester, _, assignee, first, into),) = self.ask(
            f"SELECT {columns} FROM ticket WHERE number = ?",  # noqa: S608 - our own words
            number,
        )
        part = [self.name(one) for (one,) in self.ask("SELECT address FROM participant WHERE ticket = ?", number)]
        clocks = self.ask("SELECT metric, state FROM clock WHERE ticket = ? ORDER BY metric, cycle", number)
        head = f"{letter} {state} of {self.name(requester)}, with {' '.join(sorted(part)) or 'nobody'}"
        head += f", to {assignee.rstrip(string.digits)}" if assignee else ""
        head += ", answered" if first else ""
        head += f", into {letters[into]}" if into else ""
        yield head
        yield "  clocks " + " ".join(f"{metric}={state}" for metric, state in clocks)
        for kind, sender, verified in self.ask(
            "SELECT kind, sender_address, verified FROM message WHERE ticket = ? ORDER BY id", number
        ):
            yield f"  {kind} {self.name(sender)} {verified or '-'}"
        whats = [what for (what,) in self.ask("SELECT what FROM event WHERE ticket = ? ORDER BY id", number)]
        yield "  + " + " ".join(whats)
        yield from self._outbox("= ?", number)

    def _outbox(self, of, *values):
        columns = "kind, rcpt, sent_at IS NOT NULL"
        owed = self.ask(f"SELECT {columns} FROM outbox WHERE ticket {of} ORDER BY id", *values)  # noqa: S608 - our own words
        said = Counter(f"{kind} {self.name(rcpt)}{'' if sent else ' NOT SENT'}" for kind, rcpt, sent in owed)
        for words, count in said.items():
            yield f"  -> {words}" + (f" x{count}" if count > 1 else "")

    def mailed(self):
        """Give what the smarthost got for this stage: mails that are owed to its tickets, and no other."""
        mine = {address for name, address in self.people.items() if name != "box"}
        return [kept for kept in self.sink.kept if kept.rcpt in mine or f"{self.tag}.example" in kept.rcpt]

    def leaks(self):
        """Give what an outsider got that is not for him; and what the smarthost got that nobody owed him."""
        tokens, wrong = self.tokens(), []
        for kept in self.mailed():
            reader = self.name(kept.rcpt)
            if reader in {"ann", "bob"}:
                continue
            seen = f"{kept.sender}\n{kept.everything}".lower()
            wrong += [(reader, "an agent's address")] if "staff.example" in seen else []
            wrong += [(reader, "an agent's token")] if any(token in seen for token in tokens) else []
            wrong += [(reader, what) for what in self._foreign(reader, seen)]
        owed = self.ask("SELECT rcpt, message_id FROM outbox WHERE sent_at IS NOT NULL")
        sent = Counter((rcpt, f"<{msgid.strip('<>')}>") for rcpt, msgid in owed)
        arrived = Counter((kept.rcpt, str(kept.mail["Message-ID"])) for kept in self.mailed())
        wrong += [(one, "not owed") for one in arrived - sent]
        return wrong

    def _foreign(self, reader, seen):
        circle = next((one for one in CIRCLES if reader in one), (reader,))
        own = "\n".join(f"{subject}\n{text}" for author, subject, text, _ in self.log if author == reader).lower()
        for author, subject, text, fresh in self.log:
            if author in {reader, "ann", "bob"}:
                continue
            words = [*text.lower().splitlines(), *([subject.lower()] if fresh and author not in circle else [])]
            yield from (one for one in words if len(one) > 12 and one in seen and one not in own)

    def then(self, expected):
        """Say what the ledger must hold now; nothing leaked, nothing elsewhere moved."""
        wanted = [line.strip() for line in expected.strip().splitlines()]
        assert [line.strip() for line in self.picture()] == wanted, "\n".join(self.picture())
        assert self.leaks() == []
        assert self.elsewhere() == self.others

    def elsewhere(self):
        """Count what the ledger holds that is not this stage's."""
        others = f"ticket NOT IN ({MINE})"
        tables = ("message", "event", "outbox", "participant", "clock")
        counts = (f"SELECT count(*) FROM {table} WHERE {others}" for table in tables)  # noqa: S608 - our own words
        return [self.ask(count, self.box, f"%@%{self.tag}.example") for count in counts]


@pytest.fixture(scope="session")
def theatre(house):
    """The one daemon."""
    boxes = (
        BOX.format(n=f"{n:02}", box="plain" if n >= PLAIN else "desk", separator="" if n >= PLAIN else "+")
        for n in range(STAGES)
    )
    with house(AUTH + OPEN + "".join(boxes)) as desk:
        yield desk, {"": itertools.count(0), "plain": itertools.count(PLAIN)}


def staged(theatre, which):
    desk, free = theatre
    stage = Stage(desk, next(free[which]), None)
    stage.others = stage.elsewhere()
    return stage


@pytest.fixture
def stage(theatre):
    return staged(theatre, "")


@pytest.fixture
def plain_stage(theatre):
    """A stage whose mailbox knows no sub-addresses."""
    return staged(theatre, "plain")


@pytest.fixture(scope="module")
def pictures(request):
    """Give what each attack of a module must leave, by the name of its function."""
    text = request.path.with_name(request.path.stem.removeprefix("test_") + ".txt").read_text("utf-8")
    return {name: picture for name, _, picture in (block.partition("\n") for block in text.strip().split("\n\n"))}
