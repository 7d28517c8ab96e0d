"""Programs in files."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spinplane.machine import Machine, SpinplaneError
from spinplane.machine.codec import End, Header, encode
from spinplane.machine.descriptor import FORMAT_VERSION
from spinplane.machine.passes import Pass
from spinplane.machine.program import FeatureMap, Program, ProgramLayer, ProgramOutput
from spinplane.machine.registers import machine_digest

MACHINE = Machine(name="small", sub_arrays=2, rows=16, columns=32, segments=1)
MAP = FeatureMap(
    layout="planes",
    base=64,
    line_bits=32,
    pixel_bits=8,
    plane_bits=4,
    planes=2,
    channels=3,
    height=2,
    width=4,
)


PASS = Pass(machine=MACHINE, first_lines=1, first_columns=1, interval=1, total_low=-3)


def program(**changes: object) -> Program:
    rng = np.random.default_rng(0)
    fields = {
        "machine": MACHINE,
        "name": "net",
        "descriptors": np.array(
            [
                encode(Header(machine=machine_digest(MACHINE), tag=5)),
                encode(PASS),
                encode(End()),
            ]
        ),
        "kernel_rows": rng.integers(0, 256, (5, 4), dtype=np.uint8),
        "parameters": rng.integers(0, 256, (2, 32), dtype=np.uint8),
        "scales": rng.integers(0, 256, (2, 32), dtype=np.uint8),
        "thresholds": np.zeros((0, 32), dtype=np.uint8),
        "input": MAP,
        "layers": (ProgramLayer(name="conv", descriptors=(1,), output=MAP, kept=True),),
        "outputs": (ProgramOutput(name="y", layers=(0,)),),
    }
    return Program(**fields | changes)  # type: ignore[arg-type]


def test_a_program_comes_back_as_it_was(tmp_path: Path) -> None:
    before = program()
    before.save(tmp_path / "net.program")
    after = Program.load(tmp_path / "net.program")
    for key in ("descriptors", "kernel_rows", "parameters", "scales", "thresholds"):
        read = getattr(after, key)
        assert read.dtype == getattr(before, key).dtype
        assert np.array_equal(read, getattr(before, key))
    assert (after.machine, after.name, after.input, after.layers) == (MACHINE, "net", MAP, before.layers)
    assert after.outputs == before.outputs
    assert after.output_layers == [0]
    assert (after.header.tag, after.passes) == (5, (PASS,))


def test_maps_of_a_batch_lie_behind_each_other(tmp_path: Path) -> None:
    of_batch = replace(MAP, image_bits=96)
    layers = (ProgramLayer(name="conv", descriptors=(1,), output=of_batch, kept=True),)
    program(input=of_batch, layers=layers, batch=3).save(tmp_path / "net")
    after = Program.load(tmp_path / "net")
    assert after.batch == 3
    assert [one.base for one in after.inputs] == [64, 160, 256]
    assert after.maps_of(after.layers[0].output) == after.inputs
    assert replace(after.inputs[1], base=64) == after.input == of_batch
    after.check_images(6)
    with pytest.raises(SpinplaneError, match=r"^7 images: the program takes 3 in each run$"):
        after.check_images(7)


def test_a_file_that_knows_no_batches_is_read(tmp_path: Path) -> None:
    path = tmp_path / "net.npz"
    program().save(path)
    with np.load(path) as file:
        arrays = dict(file)
    header = json.loads(str(arrays.pop("header")))
    del header["batch"], header["input"]["image_bits"], header["layers"][0]["output"]["image_bits"]
    np.savez(path, header=np.array(json.dumps(header)), **arrays)
    after = Program.load(path)
    assert (after.batch, after.input, after.inputs) == (1, MAP, (MAP,))


@pytest.mark.parametrize(
    ("batch", "image_bits", "text"),
    [
        (0, 0, "a batch of 0 images"),
        (10**9, 0, "a batch of 1000000000 images"),
        (3, 10**7, "a map does not lie in the image bank"),
        (2, -64, "a map does not lie in the image bank"),
    ],
)
def test_batches_beyond_the_bank_are_refused(batch: int, image_bits: int, text: str, tmp_path: Path) -> None:
    path = tmp_path / "net"
    program(input=replace(MAP, image_bits=image_bits), batch=batch).save(path)
    with pytest.raises(SpinplaneError, match=f"^{path}: damaged program header: {text}$"):
        Program.load(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04"])
def test_a_file_that_is_no_program(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "net"
    path.write_bytes(content)
    with pytest.raises(SpinplaneError, match=f"^{path}: not a spinplane program file: "):
        Program.load(path)


def test_a_program_that_is_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "net"
    program().save(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(SpinplaneError, match="not a spinplane program file"):
        Program.load(path)


def test_a_program_with_a_wrong_bit(tmp_path: Path) -> None:
    path = tmp_path / "net"
    program().save(path)
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    refusals = []
    for place, bit in zip(rng.integers(len(content), size=400), rng.integers(8, size=400), strict=True):
        damaged = bytearray(content)
        damaged[place] ^= 1 << bit
        path.write_bytes(damaged)
        try:
            Program.load(path)
        except SpinplaneError as error:
            refusals.append(str(error))
    assert len(refusals) > 200
    assert not [text for text in refusals if "\n" in text]


def test_words_of_another_size_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net"
    program(kernel_rows=np.zeros((5, 8), dtype=np.uint8)).save(path)
    with pytest.raises(SpinplaneError) as raised:
        Program.load(path)
    assert str(raised.value) == (
        f"{path}: kernel_rows of (5, 8), uint8: machine small takes at most 65536 words of 4, uint8"
    )


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"descriptors": np.full((2, 128), 2**32 - 1, np.uint32)}, ": damaged descriptors: "),
        ({"descriptors": np.zeros((0, 128), np.uint32)}, ": damaged descriptors: "),
        (
            {"descriptors": np.zeros((2, 128), np.uint32)},
            ": damaged descriptors: expected a header, passes and END",
        ),
        (
            {"descriptors": np.stack([encode(Header(machine=0)), encode(End())])},
            ": its descriptors are for a machine of digest 0x00000000, machine small has 0x",
        ),
    ],
)
def test_descriptors_of_no_program_of_the_machine(
    changes: dict[str, np.ndarray], text: str, tmp_path: Path
) -> None:
    path = tmp_path / "net"
    program(**changes).save(path)
    with pytest.raises(SpinplaneError) as raised:
        Program.load(path)
    assert str(raised.value).startswith(f"{path}{text}")


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ([], "not a spinplane program file: its header does not say 'spinplane program'"),
        (
            {"format": "spinplane program", "version": 7},
            f"program of version 7, expected version {FORMAT_VERSION}",
        ),
        (
            {"format": "spinplane program", "version": FORMAT_VERSION},
            "damaged program header: missing: 'machine' @ .machine",
        ),
    ],
)
def test_headers_of_no_program(header: object, text: str, tmp_path: Path) -> None:
    path = tmp_path / "net.npz"
    words = np.zeros((1, 4), dtype=np.uint8)
    banks = dict.fromkeys(("descriptors", "kernel_rows", "parameters", "scales", "thresholds"), words)
    np.savez(path, header=np.array(json.dumps(header)), **banks)
    with pytest.raises(SpinplaneError) as raised:
        Program.load(path)
    assert str(raised.value) == f"{path}: {text}"
