"""Data: data sets, where they lie, and the order in which examples are seen."""
