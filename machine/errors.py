"""The one error addressed to users."""


class SpinplaneError(ValueError):
    """A request that cannot be carried out as given.

    The message is one line; it names what is wrong, the value found and the remedy. The
    ``spinplane`` command prints it and ends with exit code 2.
    """
