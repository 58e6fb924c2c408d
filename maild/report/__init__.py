"""What the ledger tells of a stretch of time: figures, and how they are shown. Pure: values in, values out."""
