"""The command line: arguments in, text out."""

from __future__ import annotations

import os
import sys


class Stopped(Exception):
    """Ctrl-C during a study, after what was trained has been saved."""


def main() -> None:
    """Run the command line and exit with its status: 0 done, 1 "no", 2 cannot be served."""
    from descentlab.cli.app import app
    from descentlab.core.errors import DescentLabError

    try:
        app()
    except DescentLabError as error:
        print(f"descentlab: {error}", file=sys.stderr)
        leave(2)
    except (Stopped, KeyboardInterrupt):
        print("\ndescentlab: stopped; the same command goes on from here", file=sys.stderr)
        leave(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        leave(141)


def leave(status: int) -> None:
    """Exit at once: lanes may still be inside a compiled program, and nothing waits for them."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
