"""The decisions. Pure: `now` is a parameter, every decision says because, and nothing here reads or writes."""

from maild.desk.decision import Case, Decision, Escalated, Told
from maild.desk.due import on_due
from maild.desk.mail import on_mail
from maild.desk.office import AckRule, Agent, Customer, Mailbox, Office

__all__ = [
    "AckRule",
    "Agent",
    "Case",
    "Customer",
    "Decision",
    "Escalated",
    "Mailbox",
    "Office",
    "Told",
    "on_due",
    "on_mail",
]
