"""Domains of operators: who has defined what a name means."""

#: ONNX's own operators; those of QONNX, for channels first and last; of onnxruntime; and of PULP's integer networks.
ONNX = ""
QONNX, CHANNELS_LAST = "qonnx.custom_op.general", "qonnx.custom_op.channels_last"
MICROSOFT, PULP = "com.microsoft", "PACTOps"
#: Domain and name.
Operator = tuple[str, str]

QUANT, INT_QUANT, BIPOLAR_QUANT = (QONNX, "Quant"), (QONNX, "IntQuant"), (QONNX, "BipolarQuant")
REQUANT_SHIFT = (PULP, "RequantShift")

#: Spellings of files.
DOMAINS = {
    "": ONNX,
    "ai.onnx": ONNX,
    QONNX: QONNX,
    "onnx.brevitas": QONNX,
    "finn.custom_op.general": QONNX,
    CHANNELS_LAST: CHANNELS_LAST,
    MICROSOFT: MICROSOFT,
    PULP: PULP,
}


def operator_of(domain: str, kind: str) -> Operator | None:
    """The operator that a file names; None if its domain is not known."""
    if kind == REQUANT_SHIFT[1] and domain in DOMAINS and DOMAINS[domain] == ONNX:
        # Tools that rewrite these networks leave its domain out; ONNX has no operator of this name.
        return REQUANT_SHIFT
    return (DOMAINS[domain], kind) if domain in DOMAINS else None
