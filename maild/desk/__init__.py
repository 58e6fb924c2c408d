"""The decisions. Pure: `now` is a parameter, every decision says because, and nothing here reads or writes."""

from maild.desk.ack import Acknowledge
from maild.desk.command import Assign, Command, Grade, Refused, Step, on_command
from maild.desk.copies import Copy
from maild.desk.decision import Case, Decision, Escalated, Listed, Told
from maild.desk.due import after, on_due, one_by_one
from maild.desk.mail import on_mail
from maild.desk.office import AckRule, Agent, Customer, Mailbox, Office
from maild.desk.report import on_failure
from maild.desk.requester import Requester

__all__ = [
    "AckRule",
    "Acknowledge",
    "Agent",
    "Assign",
    "Case",
    "Command",
    "Copy",
    "Customer",
    "Decision",
    "Escalated",
    "Grade",
    "Listed",
    "Mailbox",
    "Office",
    "Refused",
    "Requester",
    "Step",
    "Told",
    "after",
    "on_command",
    "on_due",
    "on_failure",
    "on_mail",
    "one_by_one",
]
