"""A command's answer: its result, the origin of the result, and where it goes."""

from dataclasses import dataclass
from typing import Any

import spinplane
from spinplane.machine import Machine
from spinplane.machine.files import write_whole
from spinplane.report.provenance import UsedTechnology, provenance_of
from spinplane.report.results import write_result
from spinplane.report.text import folded, terminal_columns

from .options import FileOptions, ReportOptions
from .speech import is_quiet


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A result on its way to the user.

    Parameters
    ----------
    result : dataclass
    files : FileOptions
    machine : Machine, optional
        Only where the result does not hold it.
    technology : UsedTechnology, optional
    seed : int, optional
        Of everything drawn at random.
    text : str, optional
        What is printed; the result as text if not given.
    """

    result: Any
    files: FileOptions
    machine: Machine | None = None
    technology: UsedTechnology | None = None
    seed: int | None = None
    text: str | None = None

    @property
    def printed(self) -> str:
        """What is printed."""
        return str(self.result) if self.text is None else self.text

    def show(self, command: str) -> None:
        """Print the result, unless the command is quiet, and write the requested files.

        Parameters
        ----------
        command : str
            The command line as typed.

        Raises
        ------
        BenchFailure
            If the RTL, or an imported network, is not equal to its reference.
        OSError
            If a file cannot be written.
        """
        if not is_quiet():
            print(folded(self.printed, terminal_columns()))
        report = self.files if isinstance(self.files, ReportOptions) else ReportOptions()
        if report.csv:
            write_whole(report.csv, self.result.csv().encode())
        html = report.html
        if self.files.json or html:
            provenance = provenance_of(
                self.result,
                command=command,
                machine=self.machine,
                technology=self.technology,
                seed=self.seed,
            )
            if self.files.json:
                write_result(self.result, self.files.json, provenance)
            if html:
                from spinplane.report.page import write_page

                write_page(self.result, html, provenance)
        if failure := getattr(self.result, "failure", ""):
            raise spinplane.BenchFailure(failure)


def technology_of(result: Any, technology: str | None) -> UsedTechnology | None:
    """The technology behind the clock of a result, if it has one."""
    return used_technology(technology) if result.clock else None


def used_technology(technology: str | None) -> UsedTechnology:
    """A technology by its name, or the one of machines of which nothing else is said."""
    from spinplane.commands.clock import chosen_technology

    return UsedTechnology.of(chosen_technology(technology))
