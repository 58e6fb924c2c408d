"""What a writer wrote this time, and where an agent's reply is cut: the door to the rooms behind it."""

from maild.ingest.cut import cut_html, cut_text
from maild.ingest.quote_html import new_text as new_text_of_html
from maild.ingest.quote_text import new_text

__all__ = ["cut_html", "cut_text", "new_text", "new_text_of_html"]
