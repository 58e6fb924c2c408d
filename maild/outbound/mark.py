"""The line in a notification that parts an agent's reply from what he was sent."""

MARK = "##- Reply above this line; your reply goes to the customer -##"
"""A reply is cut at it. It stands alone at the top, plain ASCII, short enough that no client wraps it."""
