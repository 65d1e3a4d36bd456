"""A study's results for people: tables, plots, one HTML file, text for the terminal."""
