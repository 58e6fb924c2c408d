"""Business time, clocks, escalation and severity. Pure."""
