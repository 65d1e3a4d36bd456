"""Worked calculations: every number shown, and the first wrong one found."""
