"""The engine: cohorts of runs, each trained by one compiled program."""
