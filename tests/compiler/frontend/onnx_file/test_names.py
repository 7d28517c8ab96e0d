"""Names as messages show them."""

import pytest

from spinplane.compiler.frontend.onnx_file.names import labels, quoted, shown


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("/features/0/Conv", "/features/0/Conv"),
        ("naïve·λ", "naïve·λ"),
        ("a\nb", "a\\nb"),
        ("\x1b[31m", "\\x1b[31m"),
        ("x" * 60, "x" * 60),
        ("x" * 61, "x" * 59 + "…"),
        ("", ""),
    ],
)
def test_names_are_shown_on_one_line(name, text):
    assert shown(name) == text
    assert quoted(name) == f"'{text}'"


def test_labels_are_the_names_made_different():
    nodes = [
        ("conv1", "Conv", "a"),
        ("", "Conv", "x12"),
        ("twice", "Relu", "b"),
        ("twice", "Relu", "c"),
        ("", "Relu", "d"),
        ("", "Relu", "d"),
        ("y" * 70, "Relu", "e"),
        ("y" * 71, "Relu", "f"),
    ]
    assert labels(nodes) == [
        "conv1",
        "Conv (output 'x12')",
        "twice (output 'b')",
        "twice (output 'c')",
        "Relu (output 'd')",
        "Relu (output 'd') #5",
        f"{'y' * 59}… (output 'e')",
        f"{'y' * 59}… (output 'f')",
    ]
