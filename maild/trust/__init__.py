"""Who a sender is, and how we know: what a trusted hop found out, what we see ourselves, and our tokens."""

from maild.trust.hops import Authority
from maild.trust.judge import Standing, Trust, believed_chain, judge, trusted_run, wants_look
from maild.trust.own import own_because

__all__ = ["Authority", "Standing", "Trust", "believed_chain", "judge", "own_because", "trusted_run", "wants_look"]
