"""Somebody's own working, checked number by number."""
