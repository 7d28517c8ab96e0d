"""The kinds of files, by the name that the table of campaigns has for them, and where each is described."""

KINDS = {
    "ONNX": ("onnx_files", "ONNX"),
    "TFLite": ("tflite_files", "TFLITE"),
    "machine": ("texts", "MACHINE"),
    "technology": ("texts", "TECHNOLOGY"),
    "Liberty": ("texts", "LIBERTY"),
    "input": ("array_files", "INPUT"),
    "program": ("array_files", "PROGRAM"),
    "fault map": ("array_files", "FAULT_MAP"),
    "data set": ("array_files", "DATA_SET"),
    "CIFAR-10": ("image_files", "CIFAR"),
    "MNIST": ("image_files", "MNIST"),
}
