"""What leaves: composed, gated, kept until it is sent."""
