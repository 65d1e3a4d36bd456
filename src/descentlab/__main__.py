"""``python -m descentlab``."""

from descentlab.cli import main

main()
