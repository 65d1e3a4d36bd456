"""Claims: what a study says will happen, and the verdicts that its runs give."""
