"""The one error that a user is meant to read."""


class SpinplaneError(ValueError):
    """A request that cannot be carried out as given.

    The message is one line; it names the thing that is wrong, what was found and what would mend it. The
    ``spinplane`` command prints it and ends with exit code 2.
    """
