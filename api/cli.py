"""The ``spinplane`` command: each sub-command is one function of the Python API, and its table."""

import sys
from pathlib import Path
from typing import Annotated, Literal, Protocol

from cyclopts import App, Parameter
from cyclopts.exceptions import CycloptsError
from rich.console import Console

import spinplane
from spinplane.machine import SpinplaneError
from spinplane.sim.runner import BenchFailure

from .text import write_json

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
    explain: bool = False,
    json: Path | None = None,
) -> None:
    """Convolve a handwritten digit inside the memory, at 1:1, 2:2 and 3:4 bits (W:I), and check every bit.

    Parameters
    ----------
    digit
        Which digit, 0 to 9.
    machine
        A machine that comes with the package (tiny, paper8, paper, wide), or a TOML file; paper8 if not given,
        tiny on Amaranth's simulator.
    simulator
        What simulates the RTL; the fastest that can be used here, if not given.
    output
        Folder for the picture, the Verilog and the waveform.
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
    console = Console(stderr=True)
    with console.status("starting") as status:

        def tell(line: str) -> None:
            status.update(line)
            if not console.is_terminal:
                print(f"- {line}", file=sys.stderr)

        result = spinplane.demo(digit=digit, machine=machine, simulator=simulator, folder=output, tell=tell)
    print(result)
    _write(json, result)
    if result.mismatches:
        raise BenchFailure(f"{result.mismatches} mismatches between the RTL and the numpy reference")


@app.command
def export(*, machine: str, output: Annotated[Path, Parameter(alias="-o")], json: Path | None = None) -> None:
    """Write a machine's Verilog, with file lists, a description of its ports and a FuseSoC core.

    Parameters
    ----------
    machine
        A machine that comes with the package (tiny, paper8, paper, wide), or a TOML file.
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
    json: Path | None = None,
) -> None:
    """Map a machine's logic with Yosys and list what each block takes.

    Parameters
    ----------
    machine
        A machine that comes with the package (tiny, paper8, paper, wide), or a TOML file.
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
    json: Path | None = None,
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


class _Result(Protocol):
    def as_dict(self) -> dict: ...


def _write(path: Path | None, result: _Result) -> None:
    if path is not None:
        write_json(path, result.as_dict())


def main() -> None:
    """Run the command; what is wrong with a request is one line and exit code 2."""
    try:
        app(exit_on_error=False, print_error=False)
    except (SpinplaneError, CycloptsError) as error:
        _end(str(error), 2)
    except OSError as error:
        _end(f"{error.filename or 'file system'}: {error.strerror or error}", 2)
    except BenchFailure as error:
        _end(str(error), 1)
    except KeyboardInterrupt:
        _end("interrupted", 130)


def _end(message: str, status: int) -> None:
    print(f"spinplane: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(status)
