"""``python -m viz``."""

import sys

_INTERRUPTED, _WORDS = 130, "Interrupted.\n"


def run() -> int:
    """Run a command; an interrupt while modules are still being imported is one line, too.

    Imports of compiled modules swallow a KeyboardInterrupt, or make an error of their own of it: so
    until the command begins to work, when there is nothing to give back yet, an interrupt ends the
    process at once.
    """
    try:
        import os
        import signal

        def leave(*_interrupt: object) -> None:
            os.write(2, _WORDS.encode())
            os._exit(_INTERRUPTED)

        def as_usual() -> None:
            if signal.getsignal(signal.SIGINT) is leave:
                signal.signal(signal.SIGINT, signal.default_int_handler)

        # Jobs in the background of a shell ignore interrupts, and go on doing so.
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, leave)
        from viz.cli.main import main

        return main(ready=as_usual)
    except KeyboardInterrupt:
        sys.stderr.write(_WORDS)
        return _INTERRUPTED


if __name__ == "__main__":
    sys.exit(run())
