"""TFLite files, read without trusting them: operators and tensors, or one line that says what is wrong."""
