"""The ``spinplane`` command: each sub-command calls one function of the Python API and shows its result."""

import os
import shlex
import sys
from collections.abc import Sequence

from cyclopts import App
from cyclopts.exceptions import CycloptsError

import spinplane
from spinplane.machine import SpinplaneError

from .command_line.answer import Answer
from .command_line.exploration import sweep
from .command_line.hardware import cache, demo, export, synth
from .command_line.memories import accuracy, device, energy
from .command_line.networks import compare, compile, estimate, run, trace
from .command_line.paper import paper
from .command_line.training import train

app = App(
    name="spinplane",
    help="Quantized convolutions inside SOT-MRAM: RTL, simulation, area.",
    version=spinplane.__version__,
    suppress_keyboard_interrupt=False,
)
for command in (
    demo,
    compile,
    estimate,
    sweep,
    run,
    trace,
    compare,
    accuracy,
    device,
    energy,
    paper,
    export,
    synth,
    train,
    cache,
):
    app.command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; a wrong request ends with one line and exit code 2.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of the process.

    Raises
    ------
    SystemExit
        With 1 if the RTL or an imported network differs from its reference, 2 for a wrong request, 130 or 141 if the
        user or the reader of the output has left.
    """
    tokens = sys.argv[1:] if arguments is None else arguments
    try:
        answer = app(tokens, exit_on_error=False, print_error=False, result_action="return_value")
        if isinstance(answer, Answer):  # and not the text of `--help`
            answer.show(shlex.join(["spinplane", *tokens]))
        sys.stdout.flush()
    except (SpinplaneError, CycloptsError) as error:
        _end(str(error), 2)
    except KeyboardInterrupt:
        _end("interrupted", 130)
    except BrokenPipeError:
        _end("", 141)
    except OSError as error:
        # A folder that cannot be made because a file has its name.
        reason = "not a folder" if isinstance(error, FileExistsError) else error.strerror or error
        _end(f"{error.filename2 or error.filename or 'output'}: {reason}", 2)
    except spinplane.BenchFailure as error:
        _end(str(error), 1)


def _end(message: str, status: int) -> None:
    try:
        sys.stdout.flush()
    except OSError:
        # Drop what cannot be printed, or Python would complain about it once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if message:
        print(f"spinplane: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(status)
