"""Golden model of the layer controller's checks: which descriptors it refuses, and for what."""

import numpy as np

from spinplane.machine import Machine
from spinplane.machine.descriptor import DESCRIPTOR_FIELDS, FORMAT_VERSION, Descriptor, Kind
from spinplane.machine.registers import Error, machine_digest

from .layer_checks import refused_field


def check_descriptor(machine: Machine, words: np.ndarray, is_first: bool) -> tuple[Error, int]:
    """What a descriptor is refused for.

    Parameters
    ----------
    machine : Machine
    words : ndarray of shape (DESCRIPTOR_WORDS,), uint32
    is_first : bool
        Whether a program starts with it.

    Returns
    -------
    tuple of Error and int
        ``Error.NONE`` if it is not; and the number of the word that ``Error.FIELD`` is about, else 0.
    """
    for number, (field, word) in enumerate(zip(DESCRIPTOR_FIELDS, map(int, words), strict=False)):
        value = word - (word >> 31 << 32) if field.signed else word
        if not field.smallest <= value <= field.largest:
            return Error.FIELD, number
    descriptor = Descriptor.from_words(words)
    kind = descriptor["kind"]
    if is_first:
        if kind != Kind.HEADER.value:
            return Error.NO_HEADER, 0
        if descriptor["version"] != FORMAT_VERSION:
            return Error.VERSION, 0
        return Error.NONE if descriptor["machine"] == machine_digest(machine) else Error.MACHINE, 0
    if kind not in (Kind.LAYER.value, Kind.END.value):
        return Error.KIND, 0
    refused = refused_field(descriptor, machine) if kind == Kind.LAYER.value else None
    return (Error.NONE, 0) if refused is None else (Error.FIELD, refused)
