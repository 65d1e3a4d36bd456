"""One update of a study's run, worked out as an exercise is."""
