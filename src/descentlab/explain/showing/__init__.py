"""Calculations shown: line by line, in the terminal, as JSON, as a page with MathML."""
