"""What every command tells of the network that it is given, and of the input."""

from dataclasses import dataclass

from spinplane.compiler.expected_input import ExpectedInput


@dataclass(frozen=True, kw_only=True)
class ModelNotes:
    """A network as a user must know it.

    Parameters
    ----------
    expects : ExpectedInput
        The input that it takes.
    check : str
        What the file's own executor said of its import, or why it was not asked; empty if there is no file.
    told : tuple of str
        What else there is to know of the import, such as operators that are left to the host.
    warnings : tuple of str
        How the input that was given does not fit.
    """

    expects: ExpectedInput
    check: str
    told: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def lines(self) -> tuple[str, ...]:
        """Notes of a report, the warnings first."""
        return (
            *(f"warning          {warning}" for warning in self.warnings),
            f"expected input   {self.expects}",
            *self.told,
            *([self.check] if self.check else []),
        )
