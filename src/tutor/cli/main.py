"""The ``tutor`` command: the one place where errors become exit codes. Loads nothing that not every command needs."""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Sequence

from tutor.errors import TutorError, UsageError


def _common_first(argv: Sequence[str]) -> list[str]:
    """The arguments with the options that all commands share moved before the command, where typer wants them.

    Raises:
        UsageError: the last of them lacks its folder.
    """
    first: list[str] = []
    rest = list(argv)
    at = 0
    while at < len(rest) and rest[at] != "--":
        name = rest[at].split("=", 1)[0]
        if name in ("--home", "--index"):
            size = 1 if "=" in rest[at] else 2
            if at + size > len(rest):
                raise UsageError("the option needs a folder", about=name, fix=f"As in: tutor {name} DIR ask …")
        elif rest[at] in ("--no-builtin", "--debug"):
            size = 1
        else:
            at += 1
            continue
        first += rest[at : at + size]
        del rest[at : at + size]
    return first + rest


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    argv = list(sys.argv[1:] if arguments is None else arguments)
    try:
        done = _called(_common_first(argv))
        sys.stdout.flush()  # here, where a full disk can still be told of
        return done
    except TutorError as error:
        if "--debug" in argv:
            raise
        print(f"tutor: {error.message}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("tutor: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `tutor search … | head`: the reader has gone, there is nobody to tell
        _drop_output()
        return 0
    except SystemExit as leave:
        if not isinstance(leave.__context__, BrokenPipeError):  # what typer makes of one
            raise
        _drop_output()
        return 0
    except OSError as error:
        if "--debug" in argv:
            raise
        where = f"{error.filename}: " if error.filename else ""
        print(f"tutor: {where}{error.strerror or error}. Check the disk and the permissions.", file=sys.stderr)
        try:
            sys.stdout.flush()
        except OSError:
            _drop_output()
        return 1
    except Exception as error:
        # A wrong flag: typer's exceptions are click's, or those of its own copy of click, by version.
        show, code = getattr(error, "show", None), getattr(error, "exit_code", None)
        if callable(show) and isinstance(code, int):
            show()
            return code
        if "--debug" in argv:
            raise
        kind = type(error).__name__
        print(
            f"tutor: unexpected {kind}: {error}. This is a bug; run it again as 'tutor --debug …' and report it.",
            file=sys.stderr,
        )
        return 70  # EX_SOFTWARE, sysexits.h


def _called(argv: Sequence[str]) -> int:
    """The exit code of a command: by the short way, where there is one."""
    from tutor.cli import shortcut

    if shortcut.taken(argv):
        return 0
    gc.disable()  # while modules are loaded there is no garbage
    try:
        from tutor.cli import commands
    finally:
        gc.enable()
    return commands.call(argv)


def _drop_output() -> None:
    """Send what is still buffered nowhere: the interpreter flushes once more when it ends, and would complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def run() -> None:
    """The console script."""
    # Before numpy is imported. Our matrices are small: a second thread gains nothing, and on a busy machine waiting for
    # it takes 9 ms instead of 0.04 for one passage's token vectors (evals/LOG.md).
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if sys.stdout is None:  # closed, as in `tutor … >&-`
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  open until the process ends
    elif isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal without “ and → is no reason to stop
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")  # nor is a byte that is no text: it becomes a mark
    code = main()
    gc.freeze()  # what the modules made is not looked through for garbage once more on the way out (80 ms)
    sys.exit(code)


if __name__ == "__main__":
    run()
