"""Parameters: what the words of a pass's channels hold, and whether their banks hold it still."""

import numpy as np
import pytest
from accelerator_layers import FEW, fill_banks, random_pass
from contract_output import PARAMETERS, SCALES, bits_of_channel, unpack

from spinplane.behavioral import OutputStageError
from spinplane.behavioral.output.parameters import Parameters

BANKS = ("parameters", "scales", "thresholds")


def banks_of(seed: int) -> dict[str, np.ndarray]:
    return {name: words for name, words in fill_banks(FEW, seed).items() if name in BANKS}


@pytest.mark.parametrize("seed", range(20))
def test_every_number_of_every_channel(seed: int) -> None:
    layer_pass, banks = random_pass(FEW, seed), banks_of(seed)
    found = Parameters.read(layer_pass, **banks)
    for channel in range(layer_pass.channel_beats * layer_pass.lanes):
        beat, lane = divmod(channel, layer_pass.lanes)
        word = bits_of_channel(banks["parameters"], layer_pass.parameter_base + beat, lane)
        numbers = unpack(PARAMETERS, word)
        scales = dict.fromkeys((name for name, _ in SCALES), 0)
        if layer_pass.multiplies:
            scales = unpack(SCALES, bits_of_channel(banks["scales"], layer_pass.scale_base + beat, lane))
        else:
            numbers["search"] = 1
        of_channel = found.only(channel)
        for name, number in (numbers | scales).items():
            assert getattr(found, name)[channel] == getattr(of_channel, name)[0] == number, name


@pytest.mark.parametrize(
    ("bank", "choices"),
    [
        ("parameters", {}),
        ("scales", {"multiplies": 1}),
        ("thresholds", {"multiplies": 0, "raw": 0, "search_reads": 2}),
        ("thresholds", {"raw": 0, "search_reads": 0, "table": 1}),
    ],
)
def test_a_bank_that_changes_holds_them_no_more(bank: str, choices: dict[str, int]) -> None:
    layer_pass, banks = random_pass(FEW, 5, **choices), banks_of(5)
    found = Parameters.read(layer_pass, **banks)
    assert found.are_in(**banks)
    name, first, words = next(held for held in found.words if held[0] == bank)
    for at in (first, first + len(words) - 1):
        changed = {one: held.copy() for one, held in banks.items()}
        changed[name][at, -1] ^= 1
        assert not found.are_in(**changed)
    beside = {one: held.copy() for one, held in banks.items()}
    beside[name][first + len(words) :] ^= 255
    assert found.are_in(**beside)


def test_tables_of_channels_end_with_their_bank() -> None:
    layer_pass = random_pass(FEW, 5, raw=0, search_reads=0, table=1)
    banks = banks_of(5)
    found = Parameters.read(layer_pass, **banks)
    assert found.table is not None
    short = int(found.table.words.max()) + 3
    found = Parameters.read(layer_pass, **banks | {"thresholds": banks["thresholds"][:short]})
    assert found.table is not None
    levels = np.full(len(found.bias), 47)
    codes = found.table.look_up(levels)
    for channel, word in enumerate(found.table.words.tolist()):
        entries = banks["thresholds"][word + 2].reshape(-1, 16)[channel % layer_pass.lanes]
        assert codes[channel] == entries[15]
    with pytest.raises(OutputStageError, match=f"^thresholds: word {short} is beyond the bank of {short}$"):
        found.table.look_up(levels + 1)
    # Minus 1 is entry 511.
    with pytest.raises(OutputStageError, match=f"^thresholds: word {short + 28} is beyond"):
        found.table.look_up(np.full(len(levels), -1))
