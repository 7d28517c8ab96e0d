"""The `onnx` package's own test cases of single nodes, with operands of 8 bits, against onnxruntime.

A case keeps its operator, attributes and shapes. Its operands become codes: in the form ``QDQ`` quantizers surround the
operator, in the form ``integer`` the operator is the one that takes codes. Run, this prints the table of
docs/node_cases.md.
"""

import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from spinplane.compiler.frontend.import_model import import_model
from spinplane.compiler.judges.whole_products import with_whole_products
from spinplane.compiler.oracle import run_graph
from spinplane.machine import SpinplaneError

OPERATORS = (
    *("Conv", "Gemm", "MatMul", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"),
    *("BatchNormalization", "Relu", "Clip", "LeakyRelu", "PRelu", "Sign", "Sigmoid", "Tanh", "HardSigmoid"),
    *("HardSwish", "Add", "Concat", "Pad", "Flatten", "Reshape", "Transpose", "Squeeze", "Unsqueeze"),
    *("Dropout", "Identity", "Cast", "Softmax", "ArgMax", "TopK", "QuantizeLinear", "DequantizeLinear"),
    *("QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger"),
)
MICROSOFT = "com.microsoft"
_OWN = OPERATORS[-4:]
_WEIGHTED = ("Conv", "Gemm", "MatMul")
#: Operators of numbers that onnxruntime computes of codes too, as they are.
_OF_CODES = (
    *(
        "MaxPool",
        "Relu",
        "Clip",
        "Pad",
        "Flatten",
        "Reshape",
        "Transpose",
        "Squeeze",
        "Unsqueeze",
        "Identity",
    ),
    *("ArgMax", "TopK", "Sign", "Concat"),
)
_IMAGES, _NEWEST = 6, 21
_FLOATS_OF_8_BITS = {
    *(TensorProto.FLOAT8E4M3FN, TensorProto.FLOAT8E4M3FNUZ),
    *(TensorProto.FLOAT8E5M2, TensorProto.FLOAT8E5M2FNUZ),
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A small model.

    Parameters
    ----------
    name : str
        Of the package's case.
    operator : str
    form : {"QDQ", "integer"}
    model : ModelProto
    """

    name: str
    operator: str
    form: str
    model: onnx.ModelProto

    @property
    def beyond(self) -> str:
        """What it has that no network of 1-D or 2-D maps and codes of 1 to 8 bits has, or nothing."""
        graph = self.model.graph
        given = {value.name: value.type.tensor_type for value in graph.input}
        shapes = {name: [side.dim_value for side in kind.shape.dim] for name, kind in given.items()}
        shapes |= {constant.name: list(constant.dims) for constant in graph.initializer}
        kinds = {kind.elem_type for kind in given.values()} | {c.data_type for c in graph.initializer}
        attributes = {a.name: helper.get_attribute_value(a) for n in graph.node for a in n.attribute}
        kinds |= {a.i for node in graph.node for a in node.attribute if a.name == "to"}
        image = shapes[graph.input[0].name]
        found = {
            "windows in three dimensions": "kernel_shape" in attributes and len(image) == 5,
            "a stack of matrices": "MatMul" in self.operator and max(map(len, shapes.values())) > 2,
            "codes of 16 bits": bool(kinds & {TensorProto.INT16, TensorProto.UINT16}),
            "8-bit floats": bool(kinds & _FLOATS_OF_8_BITS),
            "texts": TensorProto.STRING in kinds,
            "scales in blocks": bool(attributes.get("block_size")),
            "training": bool(attributes.get("training_mode")),
            "no elements": 0 in image,
        }
        return next((name for name, has in found.items() if has), "")


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of a case.

    Parameters
    ----------
    case : Case
    refused : str
        The message, or empty.
    elements, differing : int
        Numbers of the output, and how many of them differ from the executor's.
    largest : float
        Greatest difference, in steps between the output's numbers.
    """

    case: Case
    refused: str = ""
    elements: int = 0
    differing: int = 0
    largest: float = 0.0


class _Maker:
    """A model in the making, whose names are those of its parts."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.kind = (np.uint8, np.int8)[seed % 2]
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, np.ndarray] = {}
        self._count = Counter[str]()

    def constant(self, value: np.ndarray, name: str = "c") -> str:
        self._count[name] += 1
        name = f"{name}{self._count[name]}"
        self.constants[name] = np.asarray(value)
        return name

    def node(
        self, kind: str, inputs: list[str], outputs: int = 1, domain: str = "", **attributes: object
    ) -> list[str]:
        self._count[kind] += 1
        names = [f"{kind}{self._count[kind]}_{at}" for at in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, name=names[0], domain=domain, **attributes))
        return names

    def scale(self, near: float = 0.05) -> np.float32:
        return np.float32(near * np.exp(self.rng.normal(0, 0.3)))

    def zero(self, kind: type | None = None) -> np.generic:
        kind = kind or self.kind
        limits = np.iinfo(kind)
        return kind(self.rng.integers(limits.min // 2, limits.max // 2 + 1))

    def codes(self, shape: tuple[int, ...], kind: type) -> np.ndarray:
        limits = np.iinfo(kind)
        return self.rng.integers(limits.min, limits.max + 1, shape).astype(kind)

    def coding(self, scale: np.float32, zero: np.generic) -> list[str]:
        return [self.constant(scale, "s"), self.constant(zero, "z")]

    def quantized(self, tensor: str, scale: np.float32, zero: np.generic) -> list[str]:
        """A tensor's codes, and the numbers of these."""
        coding = self.coding(scale, zero)
        codes = self.node("QuantizeLinear", [tensor, *coding])
        return [*codes, *self.node("DequantizeLinear", [*codes, *coding])]


def cases() -> Iterator[Case]:
    """All cases, without those that become equal to one before them."""
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        collected = collect_testcases(None)
    seen = set()
    for given in collected:
        nodes = given.model.graph.node
        if len(nodes) != 1 or nodes[0].op_type not in OPERATORS or given.name.endswith("_expanded"):
            continue
        for form in ("QDQ", "integer"):
            made = _made(given, form)
            if made is None or (content := made.SerializeToString()) in seen:
                continue
            seen.add(content)
            yield Case(
                name=given.name.removeprefix("test_"), operator=nodes[0].op_type, form=form, model=made
            )


def _made(given: object, form: str) -> onnx.ModelProto | None:
    node = given.model.graph.node[0]
    kinds = {value.name: value.type.tensor_type.elem_type for value in given.model.graph.input}
    inputs, _ = given.data_sets[0]
    operands = dict(zip(kinds, map(_array, inputs), strict=True))
    if not all(isinstance(value, np.ndarray) for value in operands.values()):
        return None  # sequences and optional values
    as_it_is = node.op_type in (*_OWN, "DequantizeLinear", "QuantizeLinear")
    if as_it_is and form == "QDQ":
        return None
    maker = _Maker(sum(map(ord, node.op_type)) + len(node.attribute))
    image = operands[node.input[0]]
    if as_it_is:
        return _as_it_is(given, node, operands)
    element = TensorProto.FLOAT if form == "QDQ" else helper.np_dtype_to_tensor_dtype(np.dtype(maker.kind))
    builder = _qdq if form == "QDQ" else _of_codes
    outputs = builder(maker, node, operands, image.shape)
    if outputs is None:
        return None
    return _model(maker, given, [("x", element, image.shape)], outputs)


def _array(operand: object) -> object:
    """Operands of rare types come as protobuf's tensors: their shape is what counts."""
    if isinstance(operand, onnx.TensorProto):
        return np.zeros(tuple(operand.dims), np.float32)
    return np.asarray(operand) if isinstance(operand, np.generic) else operand


def _model(maker: _Maker, given: object, inputs: list[tuple], outputs: list[str]) -> onnx.ModelProto:
    graph = helper.make_graph(
        maker.nodes,
        "case",
        [helper.make_tensor_value_info(*value) for value in inputs],
        [helper.make_empty_tensor_value_info(name) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in maker.constants.items()],
    )
    # Later versions of these operators add types alone; onnxruntime may not have them yet.
    version = min(_NEWEST, *(v.version for v in given.model.opset_import if v.domain in ("", "ai.onnx")))
    versions = [helper.make_opsetid("", version), helper.make_opsetid(MICROSOFT, 1)]
    # Codes of 4 bits and what else is new came with version 10 of the format.
    return helper.make_model(graph, opset_imports=versions, ir_version=10)


def _as_it_is(given: object, node: onnx.NodeProto, operands: dict[str, np.ndarray]) -> onnx.ModelProto:
    """The package's model, with all operands but the image as constants."""
    maker = _Maker(0)
    maker.nodes = [node]
    first, *_ = given.model.graph.input
    image = (node.input[0], first.type.tensor_type.elem_type, operands[node.input[0]].shape)
    rest = [numpy_helper.from_array(v, n) for n, v in operands.items() if n != node.input[0]]
    kinds = {value.name: value.type.tensor_type.elem_type for value in given.model.graph.input}
    model = _model(maker, given, [image], list(filter(None, node.output)))
    for tensor in rest:
        if helper.np_dtype_to_tensor_dtype(operands[tensor.name].dtype) != kinds[tensor.name]:
            tensor = helper.make_tensor(
                tensor.name,
                kinds[tensor.name],
                operands[tensor.name].shape,
                operands[tensor.name].ravel().tolist(),
            )
        model.graph.initializer.append(tensor)
    return model


def _attributes(node: onnx.NodeProto) -> dict[str, object]:
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


# --- quantizers around the operator ---------------------------------------------------------------------------------


def _qdq(
    maker: _Maker, node: onnx.NodeProto, operands: dict[str, np.ndarray], shape: tuple[int, ...]
) -> list[str] | None:
    names, kind = [], node.op_type
    if kind == "Cast":  # numbers that every type has, or almost
        maker.kind = np.uint8
        names += [maker.quantized("x", np.float32(2**-5), np.uint8(0))[1]]
    else:
        names += [maker.quantized("x", maker.scale(), maker.zero())[1]]
    image = names[0]
    for number, name in enumerate(node.input[1:], 1):
        value = operands.get(name)
        if value is None:
            names.append("")
        elif kind in _WEIGHTED and number == 1:
            names.append(_weights(maker, value.shape))
        elif kind in _WEIGHTED:
            numbers = maker.rng.integers(-500, 500, value.shape).astype(np.int32)
            names += maker.node(
                "DequantizeLinear", [maker.constant(numbers, "b"), maker.constant(np.float32(0.01), "s")]
            )
        elif kind in ("Add", "Concat") and value.shape == shape:
            names.append(maker.quantized(image, maker.scale(), maker.zero())[1])
        elif kind in ("Add", "Concat"):
            codes = maker.constant(maker.codes(value.shape, maker.kind), "k")
            names += maker.node("DequantizeLinear", [codes, *maker.coding(maker.scale(), maker.zero())])
        else:
            names.append(maker.constant(value.astype(np.float32) if value.dtype.kind == "f" else value))
    if kind == "Dropout" and len(names) > 2 and operands[node.input[2]]:
        return None  # training
    outputs = maker.node(kind, names, len(node.output), **_attributes(node))
    if kind in ("ArgMax", "TopK"):
        return outputs
    if kind == "Cast":
        outputs = maker.node("Cast", outputs, to=TensorProto.FLOAT)
    if kind == "Softmax":
        return outputs
    near = 0.2 if kind in _WEIGHTED else 0.01 if kind in ("Sigmoid", "Tanh", "HardSigmoid", "Sign") else 0.06
    return [maker.quantized(outputs[0], maker.scale(near), maker.zero())[0]]


def _weights(maker: _Maker, shape: tuple[int, ...]) -> str:
    codes = maker.constant(maker.codes(shape, np.int8), "w")
    return maker.node("DequantizeLinear", [codes, *maker.coding(maker.scale(0.01), np.int8(0))])[0]


# --- operators on codes ---------------------------------------------------------------------------------------------


def _of_codes(
    maker: _Maker, node: onnx.NodeProto, operands: dict[str, np.ndarray], shape: tuple[int, ...]
) -> list[str] | None:
    kind, attributes = node.op_type, _attributes(node)
    coding = maker.coding(maker.scale(), maker.zero())
    of_output = maker.coding(maker.scale(0.06), maker.zero())
    others = [operands.get(name) for name in node.input[1:]]
    if kind in _WEIGHTED:
        return _products(maker, node, others, coding)
    if kind == "AveragePool" and not set(attributes.get("dilations", [])) - {1}:
        attributes.pop("dilations", None)
        return maker.node("QLinearAveragePool", ["x", *coding, *of_output], domain=MICROSOFT, **attributes)
    if kind == "GlobalAveragePool":
        return maker.node(
            "QLinearGlobalAveragePool", ["x", *coding, *of_output], domain=MICROSOFT, channels_last=0
        )
    if kind == "Add":
        second = ["x"]
        if others[0].shape != shape:
            second = [maker.constant(maker.codes(others[0].shape, maker.kind), "k")]
        second += maker.coding(maker.scale(), maker.zero())
        return maker.node("QLinearAdd", ["x", *coding, *second, *of_output], domain=MICROSOFT)
    if kind == "Concat":
        second = (
            [maker.constant(maker.codes(others[0].shape, maker.kind), "k")]
            if others[0].shape != shape
            else ["x"]
        )
        second += maker.coding(maker.scale(), maker.zero())
        return maker.node(
            "QLinearConcat", [*of_output, "x", *coding, *second], domain=MICROSOFT, **attributes
        )
    if kind not in _OF_CODES:
        return None
    names = ["x"]
    for value in others:
        if value is None:
            names.append("")
        else:
            # Bounds and padding are numbers of the image's type, all others stay what they are.
            whole = value.dtype.kind == "f" or (kind == "Clip")
            names.append(maker.constant(np.clip(value, 0, 100).astype(maker.kind) if whole else value))
    return maker.node(kind, names, len(node.output), **attributes)


def _products(
    maker: _Maker, node: onnx.NodeProto, others: list[np.ndarray | None], coding: list[str]
) -> list[str] | None:
    attributes, kind = _attributes(node), node.op_type
    weights = maker.constant(maker.codes(others[0].shape, np.int8), "w")
    kernels = others[0].shape[0 if kind == "Conv" or attributes.get("transB") else -1]
    coded = [weights, *maker.coding(maker.scale(0.01), np.int8(0))]
    of_output = maker.coding(maker.scale(0.3), maker.zero())
    if kind == "Gemm":
        attributes.pop("beta", None)
        bias = maker.constant(maker.rng.integers(-500, 500, kernels).astype(np.int32), "b")
        return maker.node("QGemm", ["x", *coding, *coded, bias, *of_output], domain=MICROSOFT, **attributes)
    if kind == "Conv":
        bias = maker.constant(maker.rng.integers(-500, 500, kernels).astype(np.int32), "b")
        return maker.node("QLinearConv", ["x", *coding, *coded, *of_output, bias], **attributes)
    return maker.node("QLinearMatMul", ["x", *coding, *coded, *of_output], **attributes)


# --- running ----------------------------------------------------------------------------------------------------------


def run(case: Case, path: Path) -> Result | None:
    """Import a case and run it on random images; None if onnxruntime does not take it."""
    onnx.save(case.model, path)
    if case.model.graph.input[0].type.tensor_type.elem_type in (TensorProto.INT4, TensorProto.UINT4):
        return None  # its Python takes no such arrays
    try:
        _session(case.model)
    except Exception:
        return None
    try:
        graph = import_model(path).graph
    except SpinplaneError as error:
        return Result(case=case, refused=str(error).removeprefix(f"model {path}: "))
    judged = onnx.ModelProto()
    judged.CopyFrom(case.model)
    del judged.graph.output[:]
    judged.graph.output.extend(helper.make_empty_tensor_value_info(output.name) for output in graph.outputs)
    session = _session(judged)
    elements = differing = 0
    largest = 0.0
    for image in _images(case.model.graph.input[0], case.name):
        expected = session.run(None, {case.model.graph.input[0].name: image})
        values = graph.encode_input(image)
        for output, numbers, judge in zip(
            graph.outputs, graph.decode_outputs(run_graph(graph, values)), expected, strict=True
        ):
            mine = numbers.reshape(judge.shape)
            step = float(np.abs(output.scale).min())
            off = np.abs(mine - judge.astype(np.float64)) / step
            elements += judge.size
            differing += int((off > 1e-3).sum())
            largest = max(largest, float(off.max(initial=0)))
    return Result(case=case, elements=elements, differing=differing, largest=largest)


def _session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(
        with_whole_products(model).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _images(value: onnx.ValueInfoProto, name: str) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(sum(map(ord, name)))
    shape = tuple(side.dim_value for side in value.type.tensor_type.shape.dim)
    dtype = np.dtype(helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type))
    for number in range(_IMAGES):
        if dtype.kind in "iu":
            limits = np.iinfo(dtype)
            yield rng.integers(limits.min, limits.max + 1, shape).astype(dtype)
        else:
            yield rng.normal(0, (1, 4, 20)[number % 3], shape).astype(np.float32)


def results() -> list[Result]:
    """Of all cases that onnxruntime takes."""
    with tempfile.TemporaryDirectory() as folder:
        found = (run(case, Path(folder) / "case.onnx") for case in cases())
        return [result for result in found if result is not None]


def page(found: list[Result]) -> str:
    """The page of docs: how many cases of each operator are equal, and why others are refused."""
    beyond = Counter(r.case.beyond for r in found if r.case.beyond)
    taken = sum(bool(r.case.beyond) and not r.refused for r in found)
    refused = {(r.case.name, r.case.beyond or "–", _reason(r.refused)) for r in found if r.refused}
    found, rows = [r for r in found if not r.case.beyond], []
    for operator in OPERATORS:
        cells = []
        for form in ("QDQ", "integer"):
            own = [r for r in found if r.case.operator == operator and r.case.form == form]
            cells.append(f"{sum(not r.refused for r in own)} of {len(own)}" if own else "–")
        rows.append(f"| {operator} | {' | '.join(cells)} |")
    equal = sum(not result.refused for result in found)
    return _PAGE.format(
        count=len(found),
        equal=equal,
        share=100 * (len(found) - equal) / len(found),
        beyond="\n".join(f"| {name} | {count} |" for name, count in beyond.items()),
        taken=taken,
        rows="\n".join(rows),
        refused="\n".join(f"| {' | '.join(row)} |" for row in sorted(refused)),
    )


def _reason(message: str) -> str:
    """A message without the name of the node that it begins with."""
    return message.split(": ", 1)[-1] if message.startswith(_NODES) else message


_NODES = (*OPERATORS, "QLinear", "QGemm")
_PAGE = """# ONNX's own cases of single operators

The `onnx` package has test cases of single operators. Here each keeps its operator, attributes and shapes, and has
operands of 8 bits: *QDQ* puts quantizers around it, *integer* replaces it by the operator that takes codes
(QLinearConv for Conv). Cases of integer operators stay as they are; cases that become equal count once. {equal} of
{count} import and give what onnxruntime gives, every element, on random images; the others, {share:.1f} %, are refused.
`python tests/node_cases.py` makes this page.

Not counted are cases beyond networks of 1-D or 2-D maps and codes of 1 to 8 bits. {taken} of them import all the same.

| beyond | cases |
|---|---|
{beyond}

| operator | QDQ | integer |
|---|---|---|
{rows}

## Refused

| case | beyond | reason |
|---|---|---|
{refused}
"""


if __name__ == "__main__":
    print(page(results()), end="")
