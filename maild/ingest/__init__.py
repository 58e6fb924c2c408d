"""The edges where mail comes in, and what a message is."""
