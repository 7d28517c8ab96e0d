"""Small TFLite files, written tensor by tensor and operator by operator, and the runtime that judges them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import tflite
from ai_edge_litert.interpreter import Interpreter, OpResolverType

_TYPES = {
    "float32": tflite.TensorType.FLOAT32,
    "int32": tflite.TensorType.INT32,
    "uint8": tflite.TensorType.UINT8,
    "int64": tflite.TensorType.INT64,
    "int8": tflite.TensorType.INT8,
    "int16": tflite.TensorType.INT16,
    "int4": tflite.TensorType.INT4,
    "bool": tflite.TensorType.BOOL,
}
_FIELDS_OF_LISTS = {"NewShape": "ReshapeOptions", "SqueezeDims": "SqueezeOptions"}


class TfliteFile:
    """A file with one graph.

    Tensors are told by their names; what is written is in `data`, which a test may change before `save`.
    """

    def __init__(self) -> None:
        self.tensors: list[dict[str, Any]] = []
        self.operators: list[dict[str, Any]] = []
        self.inputs: list[int] = []
        self.outputs: list[int] = []

    def tensor(
        self,
        name: str,
        shape: Sequence[int],
        dtype: str = "int8",
        *,
        scale: float | Sequence[float] | None = None,
        zero_point: int | Sequence[int] = 0,
        axis: int = 0,
        data: np.ndarray | None = None,
    ) -> int:
        """Append a tensor, constant if it has data; its index is returned."""
        scales = None if scale is None else [float(one) for one in np.ravel(scale)]
        zeros = None if scale is None else [int(one) for one in np.ravel(zero_point)]
        if scales is not None and zeros is not None and len(zeros) == 1:
            zeros *= len(scales)
        self.tensors.append(
            {
                "name": name,
                "shape": [int(side) for side in shape],
                "type": _TYPES[dtype],
                "scales": scales,
                "zero_points": zeros,
                "axis": axis,
                "data": None if data is None else _bytes(np.asarray(data), dtype),
            }
        )
        return len(self.tensors) - 1

    def constant(self, name: str, data: Any, dtype: str, **quantization: Any) -> int:
        """Append a constant tensor; its index is returned."""
        array = np.asarray(data)
        return self.tensor(name, array.shape, dtype, data=array, **quantization)

    def operator(
        self,
        code: str,
        inputs: Sequence[int],
        output: int,
        options: str = "",
        version: int = 1,
        **fields: Any,
    ) -> int:
        """Append an operator with the fields of its options; the index of its output is returned."""
        self.operators.append(
            {
                "code": code,
                "inputs": list(inputs),
                "outputs": [output],
                "options": options,
                "version": version,
                "fields": fields,
            }
        )
        return output

    def to_bytes(self) -> bytes:
        """The file."""
        builder = flatbuffers.Builder(1024)
        codes = list(dict.fromkeys((one["code"], one["version"]) for one in self.operators))
        buffers = [None, *(tensor["data"] for tensor in self.tensors if tensor["data"] is not None)]
        written = [_buffer(builder, data) for data in buffers]
        buffer_list = _offsets(builder, tflite.ModelStartBuffersVector, written)
        numbers = iter(range(1, len(buffers)))
        tensors = [
            _tensor(builder, tensor, 0 if tensor["data"] is None else next(numbers))
            for tensor in self.tensors
        ]
        operators = [
            _operator(builder, one, codes.index((one["code"], one["version"]))) for one in self.operators
        ]
        tensor_list = _offsets(builder, tflite.SubGraphStartTensorsVector, tensors)
        operator_list = _offsets(builder, tflite.SubGraphStartOperatorsVector, operators)
        inputs, outputs = _ints(builder, self.inputs), _ints(builder, self.outputs)
        name = builder.CreateString("main")
        tflite.SubGraphStart(builder)
        tflite.SubGraphAddTensors(builder, tensor_list)
        tflite.SubGraphAddInputs(builder, inputs)
        tflite.SubGraphAddOutputs(builder, outputs)
        tflite.SubGraphAddOperators(builder, operator_list)
        tflite.SubGraphAddName(builder, name)
        graph = tflite.SubGraphEnd(builder)
        graphs = _offsets(builder, tflite.ModelStartSubgraphsVector, [graph])
        code_list = _offsets(
            builder, tflite.ModelStartOperatorCodesVector, [_code(builder, *code) for code in codes]
        )
        description = builder.CreateString("test")
        tflite.ModelStart(builder)
        tflite.ModelAddVersion(builder, 3)
        tflite.ModelAddOperatorCodes(builder, code_list)
        tflite.ModelAddSubgraphs(builder, graphs)
        tflite.ModelAddDescription(builder, description)
        tflite.ModelAddBuffers(builder, buffer_list)
        builder.Finish(tflite.ModelEnd(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())

    def save(self, path: Path) -> Path:
        """Write the file."""
        path.write_bytes(self.to_bytes())
        return path


def run_judge(
    model: bytes | Path, *inputs: np.ndarray, resolver: OpResolverType = OpResolverType.BUILTIN_REF
) -> list[np.ndarray]:
    """Outputs of a file by TFLite's reference kernels."""
    content = model if isinstance(model, bytes) else model.read_bytes()
    interpreter = Interpreter(model_content=content, experimental_op_resolver_type=resolver)
    interpreter.allocate_tensors()
    for detail, value in zip(interpreter.get_input_details(), inputs, strict=True):
        interpreter.set_tensor(detail["index"], value)
    interpreter.invoke()
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]


def _bytes(data: np.ndarray, dtype: str) -> bytes:
    if dtype == "int4":
        flat = data.astype(np.int8).ravel().view(np.uint8) & 15
        flat = np.append(flat, np.zeros(len(flat) % 2, dtype=np.uint8))
        return (flat[::2] | flat[1::2] << 4).tobytes()
    return data.astype(np.dtype(dtype).newbyteorder("<")).tobytes()


def _buffer(builder: Any, data: bytes | None) -> int:
    content = None
    if data is not None:
        tflite.BufferStartDataVector(builder, len(data))
        builder.head -= len(data)
        builder.Bytes[builder.head : builder.head + len(data)] = data
        content = builder.EndVector()
    tflite.BufferStart(builder)
    if content is not None:
        tflite.BufferAddData(builder, content)
    return tflite.BufferEnd(builder)


def _tensor(builder: Any, tensor: dict[str, Any], buffer: int) -> int:
    name, shape = builder.CreateString(tensor["name"]), _ints(builder, tensor["shape"])
    quantization = None
    if tensor["scales"] is not None:
        scales = builder.CreateNumpyVector(np.array(tensor["scales"], dtype=np.float32))
        zeros = builder.CreateNumpyVector(np.array(tensor["zero_points"], dtype=np.int64))
        tflite.QuantizationParametersStart(builder)
        tflite.QuantizationParametersAddScale(builder, scales)
        tflite.QuantizationParametersAddZeroPoint(builder, zeros)
        tflite.QuantizationParametersAddQuantizedDimension(builder, tensor["axis"])
        quantization = tflite.QuantizationParametersEnd(builder)
    tflite.TensorStart(builder)
    tflite.TensorAddShape(builder, shape)
    tflite.TensorAddType(builder, tensor["type"])
    tflite.TensorAddBuffer(builder, buffer)
    tflite.TensorAddName(builder, name)
    if quantization is not None:
        tflite.TensorAddQuantization(builder, quantization)
    return tflite.TensorEnd(builder)


def _operator(builder: Any, operator: dict[str, Any], code: int) -> int:
    options, kind = None, operator["options"]
    if kind:
        fields = {
            name: _ints(builder, value) if name in _FIELDS_OF_LISTS else value
            for name, value in operator["fields"].items()
        }
        getattr(tflite, f"{kind}Start")(builder)
        for name, value in fields.items():
            getattr(tflite, f"{kind}Add{name}")(builder, value)
        options = getattr(tflite, f"{kind}End")(builder)
    inputs, outputs = _ints(builder, operator["inputs"]), _ints(builder, operator["outputs"])
    tflite.OperatorStart(builder)
    tflite.OperatorAddOpcodeIndex(builder, code)
    tflite.OperatorAddInputs(builder, inputs)
    tflite.OperatorAddOutputs(builder, outputs)
    if options is not None:
        tflite.OperatorAddBuiltinOptionsType(builder, getattr(tflite.BuiltinOptions, kind))
        tflite.OperatorAddBuiltinOptions(builder, options)
    return tflite.OperatorEnd(builder)


def _code(builder: Any, code: str, version: int) -> int:
    number = getattr(tflite.BuiltinOperator, code)
    tflite.OperatorCodeStart(builder)
    tflite.OperatorCodeAddDeprecatedBuiltinCode(builder, min(number, 127))
    tflite.OperatorCodeAddVersion(builder, version)
    tflite.OperatorCodeAddBuiltinCode(builder, number)
    return tflite.OperatorCodeEnd(builder)


def _ints(builder: Any, values: Sequence[int]) -> int:
    return builder.CreateNumpyVector(np.array(values, dtype=np.int32))


def _offsets(builder: Any, start: Any, offsets: Sequence[int]) -> int:
    start(builder, len(offsets))
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()
