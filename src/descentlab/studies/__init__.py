"""Studies: from a file to a plan, to trained runs, to their results."""
