"""The ``spinplane`` command: each sub-command calls one function of the Python API and shows its result."""

import os
import shlex
import sys
from collections.abc import Sequence
from typing import Annotated

from cyclopts import App, Parameter
from cyclopts.exceptions import CycloptsError, MissingArgumentError, UnknownOptionError, UnusedCliTokensError

import spinplane
from spinplane.machine import SpinplaneError
from spinplane.machine.files import noting_files
from spinplane.machine.tables import fitting
from spinplane.report.text import terminal_columns, write_what_is_missing

from .command_line.answer import Answer
from .command_line.examples import epilogue
from .command_line.exploration import sweep
from .command_line.hardware import cache, demo, doctor, exchange, export, synth
from .command_line.memories import accuracy, device, energy
from .command_line.names import completion, list
from .command_line.network_report import report
from .command_line.networks import compare, compile, estimate, run, trace
from .command_line.options import Switch
from .command_line.paper import paper
from .command_line.speech import name_files, speaking
from .command_line.training import train

app = App(
    name="spinplane",
    help="Quantized convolutions inside SOT-MRAM: RTL, simulation, area.",
    version=spinplane.__version__,
    suppress_keyboard_interrupt=False,
    # No `--empty-…` for what may be given several times: without it, it is empty.
    default_parameter=Parameter(negative_iterable=()),
    help_epilogue="`spinplane COMMAND --help` has examples; `spinplane list` tells all names.",
)
for command in (
    demo,
    compile,
    estimate,
    sweep,
    run,
    report,
    trace,
    compare,
    accuracy,
    device,
    energy,
    paper,
    export,
    exchange,
    synth,
    train,
    cache,
    list,
    completion,
    doctor,
):
    app.command(command, help_epilogue=epilogue(command.__name__))

app.meta.suppress_keyboard_interrupt = False


@app.meta.default
def launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    quiet: Annotated[Switch, Parameter(alias="-q")] = False,
    verbose: Annotated[Switch, Parameter(alias="-v")] = False,
) -> None:
    """Run a command and show its answer.

    Parameters
    ----------
    tokens
        The command and its arguments.
    quiet
        Print errors only; the exit code tells the rest.
    verbose
        Tell on stderr what is read, built, kept and run, and when.
    """
    if quiet and verbose:
        raise SpinplaneError("give either --quiet or --verbose, not both")
    told = ""
    with speaking(quiet=quiet, verbose=verbose), fitting(terminal_columns()), noting_files() as files:
        try:
            answer = app(tokens, exit_on_error=False, print_error=False, result_action="return_value")
            if isinstance(answer, Answer):  # and not the text of `--help`
                told = answer.printed
                answer.show(shlex.join(["spinplane", *tokens]))
        finally:
            name_files(files, told)


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
    write_what_is_missing()
    try:
        app.meta(tokens, exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
    except SpinplaneError as error:
        _end(str(error), 2)
    except CycloptsError as error:
        _end(_with_remedy(error), 2)
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


def _with_remedy(error: CycloptsError) -> str:
    """What the parser refuses, and what to type where it does not say that."""
    called = shlex.join(["spinplane", *(error.command_chain or ())])
    if isinstance(error, UnusedCliTokensError):
        said = f"'{called}' does not take {', '.join(map(repr, error.unused_tokens or ()))}"
    elif isinstance(error, UnknownOptionError | MissingArgumentError) and "?" not in str(error):
        said = str(error).rstrip(".")
    else:
        return str(error)
    return f"{said}: type '{called} --help' for what it takes"


def _end(message: str, status: int) -> None:
    try:
        sys.stdout.flush()
    except OSError:
        # Drop what cannot be printed, or Python would complain about it once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if message:
        print(f"spinplane: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(status)
