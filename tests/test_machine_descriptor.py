"""Descriptors: every field a word, and nothing that does not fit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinplane.machine import SpinplaneError
from spinplane.machine.descriptor import (
    DESCRIPTOR_FIELDS,
    DESCRIPTOR_WORDS,
    Descriptor,
)


def test_fields_have_names_of_their_own_and_fit_in_the_words():
    names = [field.name for field in DESCRIPTOR_FIELDS]
    assert len(set(names)) == len(names) <= DESCRIPTOR_WORDS
    assert all(1 <= field.bits <= 32 for field in DESCRIPTOR_FIELDS)


@given(st.data())
def test_a_descriptor_is_read_as_it_was_written(data):
    values = {f.name: data.draw(st.integers(f.smallest, f.largest)) for f in DESCRIPTOR_FIELDS}
    words = Descriptor(values).words()
    assert words.shape == (DESCRIPTOR_WORDS,)
    assert words.dtype == np.uint32
    assert Descriptor.from_words(words) == values


def test_what_does_not_fit_is_named():
    with pytest.raises(SpinplaneError, match="field start_y = 32768: allowed are -32768 to 32767"):
        Descriptor(start_y=32768)
    with pytest.raises(SpinplaneError, match="no field 'colour'"):
        Descriptor(colour=1)
    words = Descriptor().words()
    words[0] = 4
    with pytest.raises(SpinplaneError, match="field kind = 4"):
        Descriptor.from_words(words)
