"""The ``spinplane`` command: each sub-command is one function of the Python API, and its table."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

from cyclopts import App, Parameter
from cyclopts.exceptions import CycloptsError
from rich.console import Console
from rich.progress import Progress

import spinplane
from spinplane.machine import SpinplaneError
from spinplane.machine.faults import FaultMap

from .text import write_json


def _writable(_type: Any, path: Path | None) -> None:
    """Refuse what cannot be written before the work is done whose figures it is to take."""
    if path is None:
        return
    if path.is_dir():
        raise ValueError("It is a folder.")
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder.")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise ValueError("It cannot be written.")


def _folder(_type: Any, path: Path | None) -> None:
    """Refuse what is no folder and cannot become one before the work is done whose results it is to take."""
    if path is not None and not path.is_dir():
        if path.exists():
            raise ValueError("It is no folder.")
        _writable(_type, path)


JsonFile = Annotated[Path | None, Parameter(validator=_writable)]

app = App(
    name="spinplane",
    help="Quantized convolutions inside SOT-MRAM: RTL, simulation, area.",
    version=spinplane.__version__,
)


@app.command
def demo(
    *,
    digit: int = 3,
    machine: str | None = None,
    simulator: Literal["verilator", "icarus", "amaranth"] | None = None,
    output: Annotated[Path, Parameter(alias="-o")] = Path("build") / "demo",
    conv: Annotated[bool, Parameter(negative=())] = False,
    explain: Annotated[bool, Parameter(negative=())] = False,
    json: JsonFile = None,
) -> None:
    """Classify a handwritten digit by a network at 1:4 bits (W:I) inside the memory, and check every bit.

    Parameters
    ----------
    digit
        Which digit, 0 to 9.
    machine
        A machine that comes with the package (tiny, paper8, paper, paper-overlap, wide), or a TOML file;
        paper8 if not given.
    simulator
        What simulates the RTL; the fastest that can be used here, if not given.
    output
        Folder for the picture, the Verilog and the waveform.
    conv
        Convolve the digit with eight kernels instead, at 1:1, 2:2 and 3:4 bits; Amaranth's simulator, the last
        resort where no compiler is, can do no more.
    explain
        Walk through one output of the paper's Fig. 6 instead: rows, AND, count, shift, sum.
    json
        File for the figures.
    """
    if explain:
        explanation = spinplane.explain(simulator=simulator)
        print(explanation)
        _write(json, explanation)
        return
    from spinplane.sim import available_simulators

    conv = conv or simulator == "amaranth" or not available_simulators()
    result: spinplane.Demo | spinplane.Classification
    with _telling() as (tell, advance):
        if conv:
            result = spinplane.demo(
                digit=digit, machine=machine, simulator=simulator, folder=output, tell=tell
            )
        else:
            result = spinplane.classify(
                digit=digit,
                machine=machine or "paper8",
                simulator=simulator,
                folder=output,
                tell=tell,
                advance=advance,
            )
    print(result)
    _write(json, result)
    _refuse_mismatches(result.mismatches)


@app.command
def compile(
    model: str,
    *,
    machine: str = "paper8",
    fold_pools: Annotated[bool, Parameter(negative=())] = False,
    output: Annotated[Path | None, Parameter(alias="-o", validator=_writable)] = None,
    picture: Annotated[Path | None, Parameter(validator=_writable)] = None,
    json: JsonFile = None,
) -> None:
    """Compile a network to a program of a machine: where each layer lies, and the cycles and events it will take.

    Parameters
    ----------
    model
        An ONNX or QONNX file, a network of the package (digits-1-4), or one of the literature with its bits (svhn:1:4).
    machine
        A machine that comes with the package (tiny, paper8, paper, paper-overlap, wide), or a TOML file.
    fold_pools
        Fold average pooling into the kernels before it where that takes fewer cycles; the values stay the same.
    output
        File for the program; without, it is only described.
    picture
        PNG of the rows that each layer takes; beside the program, if not given.
    json
        File for the figures.
    """
    with Console(stderr=True).status("compiling"):
        result = spinplane.compile_model(
            model, machine=machine, fold_pools=fold_pools, output=output, picture=picture
        )
    print(result)
    _write(json, result)


@app.command
def run(
    model: str,
    *,
    input: Annotated[Path, Parameter(name="--input")],
    machine: str = "paper8",
    fold_pools: Annotated[bool, Parameter(negative=())] = False,
    simulator: Literal["verilator", "icarus"] | None = None,
    waves: Annotated[Path | None, Parameter(name="--waves", validator=_folder)] = None,
    faults: Path | None = None,
    json: JsonFile = None,
) -> None:
    """Run a whole network on the RTL of the accelerator, and check each layer bit by bit.

    Between the start register and the interrupt the accelerator is alone: the host writes the program and the image
    over the bus, and reads.

    Parameters
    ----------
    model
        An ONNX or QONNX file, a network of the package (digits-1-4), or one of the literature with its bits (svhn:1:4).
    input
        A .npy file with the network's input, one image or a batch.
    machine
        A machine that comes with the package (tiny, paper8, paper, paper-overlap, wide), or a TOML file.
    fold_pools
        Fold average pooling into the kernels before it where that takes fewer cycles; the values stay the same.
    simulator
        What simulates the RTL; the faster that can be used here, if not given.
    waves
        Folder for a waveform.
    faults
        A fault map (.npz of `FaultMap.save`): stuck cells and drifted references of the memory.
    json
        File for the figures.
    """
    values = spinplane.load_array(input)
    with _telling() as (tell, advance):
        result = spinplane.run_network(
            model,
            values,
            machine=machine,
            fold_pools=fold_pools,
            simulator=simulator,
            waves=waves,
            faults=FaultMap.load(faults) if faults else None,
            tell=tell,
            advance=advance,
        )
    print(result)
    _write(json, result)
    _refuse_mismatches(result.mismatches)


@app.command
def trace(
    model: str,
    *,
    input: Annotated[Path, Parameter(name="--input")],
    output: str,
    layer: str | None = None,
    machine: str = "paper8",
    fold_pools: Annotated[bool, Parameter(negative=())] = False,
    json: JsonFile = None,
) -> None:
    """Follow one value of a network back into the memory: window, rows, AND, counts, sums, code, and the cycles.

    Parameters
    ----------
    model
        An ONNX or QONNX file, a network of the package (digits-1-4), or one of the literature with its bits (svhn:1:4).
    input
        A .npy file with the network's input; of a batch, the first image is taken.
    output
        Kernel, line and column: k,y,x.
    layer
        Whose output; the last layer's, if not given.
    machine
        A machine that comes with the package (tiny, paper8, paper, paper-overlap, wide), or a TOML file.
    fold_pools
        Fold average pooling into the kernels before it where that takes fewer cycles; the values stay the same.
    json
        File for the trace.
    """
    parts = output.split(",")
    if len(parts) != 3 or not all(part.strip().isdecimal() for part in parts):
        raise spinplane.SpinplaneError(f"output {output!r}: expected k,y,x, such as 3,0,0")
    k, y, x = map(int, parts)
    values = spinplane.load_array(input)
    with Console(stderr=True).status("tracing"):
        result = spinplane.trace(
            model, values, output=(k, y, x), layer=layer, machine=machine, fold_pools=fold_pools
        )
    print(result)
    _write(json, result)


@app.command
def accuracy(
    model: str,
    *,
    data: Path | None = None,
    technology: str = "sot-mram",
    machine: str = "paper8",
    sigma_ra: list[float] | None = None,
    sigma_tmr: list[float] | None = None,
    offset_sigma: list[float] | None = None,
    multiple: list[float] | None = None,
    weak_cells: float | None = None,
    images: int = 200,
    seeds: int = 10,
    output: Annotated[Path, Parameter(alias="-o")] = Path("build") / "accuracy",
    json: JsonFile = None,
) -> None:
    """Classify images in memories drawn from a technology: accuracy against variation, over fault maps.

    Parameters
    ----------
    model
        An ONNX or QONNX file, or a network of the package (digits-1-4).
    data
        An .npz with images and labels; 200 digits of the MNIST test set, if not given.
    technology
        A technology that comes with the package (sot-mram, stt-mram), or a TOML file.
    machine
        A machine that comes with the package (tiny, paper8, paper, paper-overlap, wide), or a TOML file.
    sigma_ra
        Standard deviation of each cell's resistance-area product over the nominal one (0.05), again for a further
        point; the technology's, if not given.
    sigma_tmr
        The same of each cell's TMR.
    offset_sigma
        Standard deviation of the sense amplifiers' offsets in V, in the same way.
    multiple
        Factor of all three deviations, again for a further point; 1, 1.5, 2 and 3, if no deviation has several values.
    weak_cells
        Share of cells that no write changes; from the technology, if not given.
    images
        How many of the images.
    seeds
        Fault maps of each point.
    output
        Folder for the plot.
    json
        File for the figures.
    """
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("fault maps", total=None)
        result = spinplane.accuracy(
            model,
            data=data,
            technology=technology,
            machine=machine,
            sigmas_ra=sigma_ra,
            sigmas_tmr=sigma_tmr,
            offset_sigmas_v=offset_sigma,
            multiples=multiple,
            weak_cells=weak_cells,
            images=images,
            seeds=seeds,
            folder=output,
            advance=lambda done, of: progress.update(task, completed=done, total=of),
        )
    print(result)
    _write(json, result)


@app.command
def device(
    *,
    technology: str = "sot-mram",
    set: Annotated[list[str] | None, Parameter(name="--set", negative=())] = None,
    output: Annotated[Path, Parameter(alias="-o")] = Path("build") / "device",
    json: JsonFile = None,
) -> None:
    """What a memory technology's cell does: resistances, margins, error rates, write time and energy, with sources.

    Parameters
    ----------
    technology
        A technology that comes with the package (sot-mram, stt-mram), or a TOML file.
    set
        A parameter to change, in the unit of the technology's file, such as oxide.thickness=1.25 (nm); again for each
        further one.
    output
        Folder for the pictures.
    json
        File for the figures.
    """
    values = dict(_assignment(text) for text in set or [])
    with Console(stderr=True).status("device"):
        result = spinplane.report_device(technology, values=values, folder=output)
    print(result)
    _write(json, result)


def _assignment(text: str) -> tuple[str, float]:
    key, _, value = text.partition("=")
    try:
        return key.strip(), float(value)
    except ValueError:
        raise SpinplaneError(f"--set {text!r}: expected key=value with a number") from None


@app.command
def export(*, machine: str, output: Annotated[Path, Parameter(alias="-o")], json: JsonFile = None) -> None:
    """Write a machine's accelerator: Verilog, file lists, C header, register map, datasheet, FuseSoC core and a bench.

    Parameters
    ----------
    machine
        A machine that comes with the package (tiny, paper8, paper, paper-overlap, wide), or a TOML file.
    output
        Folder to write to.
    json
        File for what was written.
    """
    result = spinplane.export(machine, output)
    print(result)
    _write(json, result)


@app.command
def synth(
    *,
    machine: str,
    liberty: Path | None = None,
    fpga: Literal["xc7", "ecp5", "ice40"] | None = None,
    json: JsonFile = None,
) -> None:
    """Map a machine's logic with Yosys and list what each block takes.

    Parameters
    ----------
    machine
        A machine that comes with the package (tiny, paper8, paper, paper-overlap, wide), or a TOML file.
    liberty
        Cell library; the 45 nm cells that come with the package, if not given.
    fpga
        Count look-up tables of an FPGA family instead.
    json
        File for the figures.
    """
    result = spinplane.synth(machine, liberty=liberty, fpga=fpga)
    print(result)
    _write(json, result)


@app.command
def train(
    *,
    network: str,
    bits: str,
    data: Path,
    dataset: str = "mnist",
    epochs: int = 30,
    seed: int = 0,
    output: Annotated[Path, Parameter(alias="-o")] = Path("build") / "train",
    resume: Annotated[bool, Parameter(negative=())] = False,
    rate: float = 2e-3,
    batch: int = 128,
    edge_bits: Literal[8, 32] | None = None,
    threads: int | None = None,
    json: JsonFile = None,
) -> None:
    """Train a low bit-width network and export it in QONNX form; needs the extra `train`.

    Parameters
    ----------
    network
        alexnet-dorefa, alexnet-xnor, digits, lenet, svhn or svhn-dorefa.
    bits
        W:I or W:I:G, bits of weights, inputs and gradients; all for the paper's six configurations.
    data
        Folder of the data set's files.
    dataset
        mnist, fashion-mnist, svhn (with extra), svhn-train, cifar10 or imagenet.
    epochs
        How often each image is seen.
    seed
        Decides all that is random.
    output
        Folder for checkpoint, network and result.
    resume
        Go on from the checkpoint in the folder: the same weights as if it had not been stopped.
    rate
        Learning rate at the start.
    batch
        Images of a step.
    edge_bits
        Bits of the first and last layer, if not the network's own; 32 is unquantized.
    threads
        Threads of the CPU.
    json
        File for the result.
    """
    result = spinplane.train(
        network,
        bits,
        data,
        dataset=dataset,
        epochs=epochs,
        seed=seed,
        output=output,
        resume=resume,
        rate=rate,
        batch=batch,
        edge_bits=edge_bits,
        threads=threads,
    )
    print(result)
    _write(json, result)


@contextmanager
def _telling() -> Iterator[tuple[Callable[[str], None], Callable[[int, int], None]]]:
    """What is being done and how much of it, on a line that moves; line by line where nobody watches."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("starting", total=None)

        def tell(line: str) -> None:
            progress.update(task, description=line)
            if not console.is_terminal:
                print(f"- {line}", file=sys.stderr)

        yield tell, lambda done, of: progress.update(task, completed=done, total=of)


def _refuse_mismatches(mismatches: int) -> None:
    if mismatches:
        raise spinplane.BenchFailure(f"{mismatches} mismatches between the RTL and its reference")


class _Result(Protocol):
    def as_dict(self) -> dict: ...


def _write(path: Path | None, result: _Result) -> None:
    if path is not None:
        write_json(path, result.as_dict())


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; what is wrong with a request is one line and exit code 2.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process, if not given.

    Raises
    ------
    SystemExit
        With 1 if the RTL is not equal to its reference, 2 for a wrong request, 130 or 141 if the user or the
        reader of the output has left.
    """
    tokens = sys.argv[1:] if arguments is None else arguments
    try:
        app(tokens, exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
    except (SpinplaneError, CycloptsError) as error:
        _end(str(error), 2)
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
        # What cannot be printed is dropped here, or Python would complain of it once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if message:
        print(f"spinplane: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(status)
