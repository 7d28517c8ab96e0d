"""Fields of a descriptor: names of their own, a word each."""

from spinplane.machine.descriptor import DESCRIPTOR_FIELDS, DESCRIPTOR_WORDS


def test_fields_have_names_of_their_own_and_fit_in_the_words() -> None:
    names = [field.name for field in DESCRIPTOR_FIELDS]
    assert len(set(names)) == len(names) <= DESCRIPTOR_WORDS
    assert all(1 <= field.bits <= 32 for field in DESCRIPTOR_FIELDS)
