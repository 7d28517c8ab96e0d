"""Write docs/operators.md: what the importers take and refuse, from their own tables and limits."""

import re
from collections.abc import Iterable
from pathlib import Path

import onnx

from spinplane.compiler.frontend.onnx_file.domains import CHANNELS_LAST, MICROSOFT, ONNX, PULP, QONNX
from spinplane.compiler.frontend.onnx_file.operators import OLDEST_VERSION
from spinplane.compiler.frontend.onnx_file.reading import MOST_NODES
from spinplane.compiler.frontend.onnx_file.shapes import MOST_ELEMENTS, MOST_KERNELS
from spinplane.compiler.frontend.onnx_file.tensors import MOST_AXES, MOST_BYTES
from spinplane.compiler.frontend.onnx_operators import OPERATORS as ONNX_OPERATORS
from spinplane.compiler.frontend.tflite_file.model import VERSION as TFLITE_VERSION
from spinplane.compiler.frontend.tflite_operators import OPERATORS as TFLITE_OPERATORS

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "operators.md"
#: Headings of ONNX's domains.
HEADINGS = {
    ONNX: "ONNX",
    QONNX: "QONNX",
    CHANNELS_LAST: "QONNX, channels last",
    MICROSOFT: "onnxruntime (`com.microsoft`)",
    PULP: "PULP (`PACTOps`)",
}
#: Name, what is taken, what is refused.
Row = tuple[str, str, tuple[str, ...]]


def page() -> str:
    """Text of the page."""
    sections = []
    for domain, heading in HEADINGS.items():
        rows = [
            (name, operator.takes, operator.refuses)
            for (own, name), operator in ONNX_OPERATORS.items()
            if own == domain
        ]
        sections.append(f"### {heading}\n\n{_table(rows)}")
    tflite = [(name, operator.takes, operator.refuses) for name, operator in TFLITE_OPERATORS.items()]
    return _PAGE.format(
        onnx="\n\n".join(sections),
        tflite=_table(tflite),
        oldest=OLDEST_VERSION,
        newest=onnx.defs.onnx_opset_version(),
        tflite_version=TFLITE_VERSION,
        bytes=f"{MOST_BYTES >> 30} GiB",
        nodes=f"{MOST_NODES:,}".replace(",", " "),
        axes=MOST_AXES,
        elements=f"2^{MOST_ELEMENTS.bit_length() - 1}",
        kernels=f"{MOST_KERNELS:,}".replace(",", " "),
        **{name.replace("-", "_"): _pinned(name) for name in ("onnxruntime", "qonnx", "ai-edge-litert")},
    )


def _pinned(package: str) -> str:
    """The version of a package in constraints.txt."""
    found = re.search(
        rf"^{package}==(\S+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert found, package
    return found[1]


def _table(rows: Iterable[Row]) -> str:
    """Operators with the same words share a row."""
    names: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for name, takes, refuses in rows:
        names.setdefault((takes, refuses), []).append(name)
    lines = ["| operator | taken | refused, and why |", "|---|---|---|"]
    for (takes, refuses), own in names.items():
        lines.append(f"| {', '.join(own)} | {takes} | {'; '.join(refuses) or '–'} |")
    return "\n".join(lines)


_PAGE = """\
# Operators

What spinplane takes of ONNX, QONNX and TFLite files, what it refuses, and why. `python -m tools.operators_page`
writes this page from the importers' own tables. [Bring your network](your-network.md) shows how such files are made;
[node_cases.md](node_cases.md) counts how many of ONNX's own test cases import.

Whatever is not on this page is refused in one line that names the node. A network that does not fit
the rows, banks, descriptors or accumulators of a machine is refused with the layer and the numbers.

## Limits of every file

- **One input**: features, or images of one or two dimensions, which the file may quantize in several ways: the host
  writes the codes of all, and a layer takes each. Windows over three dimensions are refused: maps have lines and
  columns. Outputs may be as many as the network has.
- **Operands of 1 to 8 bits.** Codes of 16 bits, blocks of scales within a kernel and floats as weights are refused: the
  engine has eight bit-planes of an operand, and one scale for a kernel's sum.
- **A quantizer at every map that a convolution takes.** Numbers between a layer's sums and its quantizer are real;
  they become steps from sum to code, in exact arithmetic. A file without a quantizer at its input takes one from
  `--input-bits`, `--input-scale`, `--input-zero-point` and `--input-signed`.
- **Constant weights.** A product of two activations is refused: kernels lie in the array before the images come.
- **Fixed sides.** Only the number of images may be free; any fixed batch is taken as one image at a time.
- **No graphs within operators** (If, Loop, Scan): which passes run does not depend on data. Operators of other
  domains than those below are refused, functions of the file among them.
- **Sizes**: files of {bytes} with their external data, {nodes} nodes, {axes} axes and {elements} elements of a tensor,
  {kernels} kernels of a layer. Sparse constants are refused.
- **External data** of ONNX files lie in the model's folder or below; symbolic links are followed, and refused where
  they lead out of it.
- **Versions**: ONNX's operators {oldest} to {newest}; TFLite's format {tflite_version}.

Softmax, ArgMax, TopK and their like at the end are left to the host, and the report says so. Constants are folded;
reshapes and transpositions are settled when the network is compiled.

## Who judges

Each import ends with a few images through the file's own executor, node by node on the executor's own inputs.
`--no-check` leaves this out, and says so.

| file | executor | setting |
|---|---|---|
| ONNX | onnxruntime {onnxruntime} | `ORT_DISABLE_ALL`: no optimization joins or reorders nodes |
| with operators of QONNX | qonnx {qonnx} | node by node; standard operators by onnxruntime |
| TFLite | ai-edge-litert {ai_edge_litert} | `OpResolverType.BUILTIN_REF`: the reference kernels |

*Near-ties* are sums so close to a step that float32 may round them to the other side; they may differ, and are counted.
Integer operators have none, those of TFLite among them: every code must be equal.

### TFLite's kernels are several

What a TFLite file means is what its reference kernels compute, and spinplane equals them in every code. LiteRT's
default, XNNPACK, scales in float32 and rounds halves to even; its kernels without delegates round in a third way.
Where they differ from the reference, it is by one code. Random int8 layers with random images differ in this share
of their codes:

| operator | XNNPACK | without delegates |
|---|---:|---:|
| CONV_2D | 0.05 % | 0.05 % |
| DEPTHWISE_CONV_2D | 0.2 % | 0.2 % |
| FULLY_CONNECTED | none | none |
| ADD, of most scales | less than 0.001 % | none |
| ADD, of scales whose ratio is a power of two, so that many sums are halves | up to 17 % | none |
| QUANTIZE of codes, by scale | 0 to 5 % | none |

In Python, `Interpreter(…, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)` gives the codes that spinplane
computes.

The reference kernels themselves do not agree on a way to round:

| operator | scale | rounding |
|---|---|---|
| FULLY_CONNECTED | float64 | once: a float64 product, half away from 0 |
| int8 CONV_2D, DEPTHWISE_CONV_2D | float64, then fixed-point of 31 bits | twice: a doubling product, then a shift |
| uint8 CONV_2D, DEPTHWISE_CONV_2D | product of the two scales in float32, then fixed-point of 31 bits | twice |
| ADD, MEAN, QUANTIZE of codes | float64, then fixed-point of 31 bits | twice |

## ONNX files

{onnx}

## TFLite files

{tflite}
"""

if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
