"""Optimizers and schedules behind one protocol."""
