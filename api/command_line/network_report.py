"""The command that reports a network on a machine, whole."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

import spinplane
from spinplane.defaults import NETWORK_MACHINE, SEED

from .answer import Answer, technology_of
from .options import (
    AS_FILE,
    FILE,
    ArrayTechnology,
    Check,
    Clock,
    FileOptions,
    FoldPools,
    InputOptions,
    MachineName,
    ModelName,
    OutputFile,
    ReportOptions,
    Rtl,
    RtlSimulator,
    check_writable,
)
from .speech import telling

#: Characters that stay in the name of a page; others of the model's name become hyphens.
_PLAIN = "._-"


def report(
    model: ModelName,
    *,
    input: Annotated[Path | None, Parameter(name="--input")] = None,
    machine: MachineName = NETWORK_MACHINE,
    technology: ArrayTechnology = None,
    clock: Clock = None,
    fold_pools: FoldPools = False,
    check: Check = True,
    rtl: Rtl = True,
    simulator: RtlSimulator = None,
    output: Annotated[OutputFile, Parameter(alias="-o")] = None,
    given: InputOptions = AS_FILE,
    files: FileOptions = FILE,
) -> Answer:
    """Write one HTML page of a network on a machine: its map, its run on the RTL, what an image costs, the cells.

    Parameters
    ----------
    input
        The network's input as a .npy file, one image or a batch; by default a handwritten 3 for the package's digits,
        else random numbers.
    output
        File of the page; by default MODEL-report.html in the current folder.
    """
    if output is None:
        output = Path(page_name(model))
        check_writable(output)
    values = spinplane.load_array(input) if input else None
    with telling() as (tell, advance):
        result = spinplane.report_network(
            given.of(model),
            values,
            machine=machine,
            technology=technology,
            clock=clock,
            fold_pools=fold_pools,
            check=check,
            rtl=rtl,
            simulator=simulator,
            source=str(input),
            tell=tell,
            advance=advance,
        )
    return Answer(
        result=result,
        files=ReportOptions(json=files.json, html=output),
        technology=technology_of(result.run, technology),
        seed=SEED,
        text=f"{result}\n{'page':18}{output}",
    )


def page_name(model: str) -> str:
    """Name of a model's page in the current folder."""
    path = Path(model)
    name = path.stem if path.suffix in (".onnx", ".tflite") else path.name
    plain = "".join(letter if letter.isalnum() or letter in _PLAIN else "-" for letter in name).lstrip(_PLAIN)
    return f"{plain or 'model'}-report.html"
