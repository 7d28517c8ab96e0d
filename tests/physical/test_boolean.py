"""Boolean functions of Liberty."""

import pytest

from spinplane.physical.boolean import truth_table


@pytest.mark.parametrize(
    ("function", "table"),
    [
        ("A", 0b1010_1010),
        ("!A", 0b0101_0101),
        ("A'", 0b0101_0101),
        ("(A B)'", 0b0111_0111),
        ("A B", 0b1000_1000),
        ("A&B", 0b1000_1000),
        ("A * B", 0b1000_1000),
        ("A + B", 0b1110_1110),
        ("A|B&C", 0b1110_1010),
        ("A ^ B C", 0b0110_0000),
        ("(A^B)^C", 0b1001_0110),
        ("!((S A))".replace("S", "C"), 0b0101_1111),
        ("1", 0xFF),
        ("0 + A", 0b1010_1010),
    ],
)
def test_truth_table(function: str, table: int) -> None:
    assert truth_table(function, "ABC") == table


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("A # B", "function 'A # B': unexpected ' # B'"),
        ("A + ", "function 'A + ': unexpected 'its end'"),
        ("(A B", "function '(A B': missing ')'"),
        ("A )", "function 'A )': unexpected ')'"),
        ("A + IQ", "function 'A + IQ': unexpected 'IQ'"),
    ],
)
def test_refuses_what_is_no_function(function: str, message: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011
        truth_table(function, "ABC")
    assert str(error.value) == message
