"""Golden model of the layer controller's checks: the descriptors that it refuses, and the reasons."""

import numpy as np
from numpy.typing import NDArray

from spinplane.machine import Machine, SpinplaneError
from spinplane.machine.codec import End, FieldError, Header, KindError, UnitError, decode
from spinplane.machine.descriptor import FORMAT_VERSION
from spinplane.machine.memory_operation import MemoryOperation
from spinplane.machine.passes import Pass
from spinplane.machine.registers import Error, machine_digest


class DescriptorError(SpinplaneError):
    """A refused descriptor: its `error`, and for ``Error.FIELD`` the number of the `word`, else 0."""

    def __init__(self, error: Error, word: int = 0) -> None:
        super().__init__(error.name)
        self.error, self.word = error, word


def read_header(words: NDArray[np.uint32], machine: Machine) -> Header:
    """Read the first descriptor of a program.

    Parameters
    ----------
    words : ndarray of shape (DESCRIPTOR_WORDS,), uint32
    machine : Machine

    Raises
    ------
    DescriptorError
        With ``FIELD``, ``NO_HEADER``, ``VERSION`` or ``MACHINE``.
    """
    try:
        header = decode(words, machine)
    except (UnitError, KindError):
        raise DescriptorError(Error.NO_HEADER) from None
    except FieldError as refusal:
        raise DescriptorError(Error.FIELD, refusal.word) from None
    if not isinstance(header, Header):
        raise DescriptorError(Error.NO_HEADER)
    if header.version != FORMAT_VERSION:
        raise DescriptorError(Error.VERSION)
    if header.machine != machine_digest(machine):
        raise DescriptorError(Error.MACHINE)
    return header


def read_descriptor(words: NDArray[np.uint32], machine: Machine) -> Pass | MemoryOperation | End:
    """Read a descriptor after the first one.

    Parameters
    ----------
    words : ndarray of shape (DESCRIPTOR_WORDS,), uint32
    machine : Machine

    Raises
    ------
    DescriptorError
        With ``FIELD`` or ``KIND``.
    """
    try:
        descriptor = decode(words, machine)
    except FieldError as refusal:
        raise DescriptorError(Error.FIELD, refusal.word) from None
    except KindError:
        raise DescriptorError(Error.KIND) from None
    if isinstance(descriptor, Header):
        raise DescriptorError(Error.KIND)
    return descriptor
