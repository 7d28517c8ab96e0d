"""ONNX files, read without trusting them: operators, constants and shapes, or one line that says what is wrong."""
