"""How the evaluation of one classifier is shown: in a terminal, in a page, in pictures."""
