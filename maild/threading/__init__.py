"""Which ticket a mail belongs to, and on what evidence. Pure."""
