"""Checks of the parameters that components are built with."""


def require_positive(**parameters: int) -> None:
    """Refuse what is not a positive integer.

    Parameters
    ----------
    **parameters : int
        Values by the names under which a component takes them.

    Raises
    ------
    TypeError
        ``rows must be a positive integer, not 0``: the first offender by name and value.
    """
    for name, value in parameters.items():
        if type(value) is not int or value < 1:
            raise TypeError(f"{name} must be a positive integer, not {value!r}")
