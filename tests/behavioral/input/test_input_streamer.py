import numpy as np
import pytest

from spinplane.behavioral import RowRequest, bits_needed, elements_inside, form_row, form_row_sets, walk_rows
from spinplane.behavioral.input.input_streamer import FormedRows
from spinplane.machine import Machine
from spinplane.machine.passes import Pass

MACHINE = Machine(name="rows", sub_arrays=4, rows=64, columns=64, segments=2, row_buses=4)
#: 3 lines of 4 pixels with 16 channels of 2 planes: 32 bits a pixel, from bit 7 on.
PLANES_MAP = {
    "in_base": 7,
    "in_line_bits": 128,
    "in_height": 3,
    "in_valid_bits": 128,
    "in_planes": 2,
}
#: 3 lines of 5 pixels with 3 bytes.
BYTES_MAP = {
    "in_line_bits": 120,
    "in_height": 3,
    "in_valid_bits": 120,
    "in_bytes": True,
    "in_planes": 8,
    "pad_code": 0b1010_0101,
}


def pass_of(feature_map: dict[str, int] | None = None, **numbers: int) -> Pass:
    return Pass(machine=MACHINE, **(feature_map or {}) | numbers)


def image() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 2, 512).astype(np.uint8)


def test_a_kernel_as_wide_as_three_pixels_walks_over_a_padded_map() -> None:
    """Stride 1, 3·3 windows, ring of 3 lines: each region needs a new column, each row of regions a new line."""
    layer_pass = pass_of(
        start_x=-32,
        start_y=-1,
        unit_bits=32,
        input_row=5,
        line_rows=6,
        ring_lines=3,
        first_lines=3,
        next_lines=1,
        first_columns=3,
        next_columns=1,
        region_rows=2,
        region_columns=4,
    )
    rows = list(walk_rows(layer_pass))
    assert len(rows) == 3 * 6 + 6
    assert [(row.row, row.y, row.x) for row in rows[:4]] == [
        (5, -1, -32),
        (11, 0, -32),
        (17, 1, -32),
        (6, -1, 0),
    ]
    assert [i for i, row in enumerate(rows) if row.last_of_region] == [8, 11, 14, 17, 20, 21, 22, 23]
    assert {row.row for row in rows} == set(range(5, 5 + 18))
    # The fourth line takes the place of the first one.
    assert [(row.row, row.y) for row in rows[18:]] == [(5 + u, 2) for u in range(6)]


def test_lines_that_are_left_out_take_their_places_in_the_ring() -> None:
    layer_pass = pass_of(
        ring_lines=5, line_rows=1, first_lines=2, next_lines=2, line_skip=1, first_columns=1, region_rows=3
    )
    assert [(row.row, row.y) for row in walk_rows(layer_pass)] == [
        (0, 0),
        (1, 1),
        (3, 3),
        (4, 4),
        (1, 6),
        (2, 7),
    ]


def test_regions_that_need_nothing_new_have_no_rows() -> None:
    layer_pass = pass_of(
        first_lines=2, first_columns=1, region_rows=4, region_columns=4, line_rows=1, ring_lines=2
    )
    assert [row.row for row in walk_rows(layer_pass)] == [0, 1]


def test_clusters_take_their_parts_of_the_map_in_turn() -> None:
    layer_pass = pass_of(
        first_lines=1,
        first_columns=1,
        pieces=2,
        piece_bits=10,
        cluster_x_bits=100,
        cluster_y_lines=7,
        clusters=4,
        clusters_x=2,
    )
    rows = list(walk_rows(layer_pass))
    assert [(row.y, row.x) for row in rows] == [(y, x + p) for p in (0, 10) for y in (0, 7) for x in (0, 100)]
    assert [row.row for row in rows] == [0] * 4 + [1] * 4


def request(**fields: int) -> RowRequest:
    values = {
        "row": 0,
        "y": 0,
        "x": 0,
        "plane_group": 0,
        "last_piece": True,
        "cluster": 0,
        "plane": 0,
        "last_of_region": True,
    }
    return RowRequest(**{**values, **fields})


def test_planes_stand_side_by_side_in_every_slot() -> None:
    layer_pass, bits = pass_of(PLANES_MAP, slots=2, planes=2, last_length=10), image()
    row, row_sum = form_row(bits, layer_pass, request(y=1, x=64))
    at = 7 + 128 + 64
    slot = np.zeros(32, dtype=np.uint8)
    slot[:10], slot[16:26] = bits[at : at + 10], bits[at + 16 : at + 26]
    np.testing.assert_array_equal(row, np.tile(slot, 2))
    codes = bits[at : at + 10] + 2 * bits[at + 16 : at + 26]
    assert row_sum == codes.sum()
    assert bits_needed(layer_pass, request(y=1, x=64)) == at + 26


@pytest.mark.parametrize("place", [{"y": -1}, {"y": 3}, {"x": -1}, {"x": 128}])
def test_a_unit_lies_outside_as_a_whole(place: dict[str, int]) -> None:
    layer_pass = pass_of(PLANES_MAP, pad_code=0b10, planes=2, last_length=16)
    row, row_sum = form_row(image(), layer_pass, request(**place))
    np.testing.assert_array_equal(row, np.repeat([0, 0, 1, 0], [16, 16, 16, 16]))
    assert row_sum == 32
    assert bits_needed(layer_pass, request(**place)) == 0


def test_planes_that_the_map_does_not_have_are_0() -> None:
    layer_pass, bits = pass_of(PLANES_MAP, pad_code=0b100, planes=4, last_length=16), image()
    row, _ = form_row(bits, layer_pass, request())
    np.testing.assert_array_equal(row[:32], bits[7:39])
    assert not row[32:].any()
    assert bits_needed(layer_pass, request()) == 7 + 32


@pytest.mark.parametrize(
    ("place", "plane", "needed"),
    [
        ({}, 0, 7 + 16),
        ({}, 1, 7 + 16 + 16),
        ({}, 2, 0),
        ({}, 3, 0),
        ({"y": 2, "x": 96}, 0, 7 + 2 * 128 + 96 + 16),
        ({"y": 2, "x": 96}, 1, 7 + 2 * 128 + 96 + 16 + 16),
        ({"y": 3}, 0, 0),
        ({"plane_group": 1}, 0, 0),
    ],
)
def test_a_plane_of_a_spread_row_needs_its_own_bits(place: dict[str, int], plane: int, needed: int) -> None:
    layer_pass = pass_of(PLANES_MAP, spread=True, planes=4, plane_group_bits=64, last_length=16)
    assert bits_needed(layer_pass, request(**place, plane=plane)) == needed


def test_bytes_are_taken_apart_and_padded_one_by_one() -> None:
    layer_pass = pass_of(BYTES_MAP, planes=4, last_length=8)
    bits = image()
    codes = np.packbits(bits[:120], bitorder="little").astype(int)
    wanted = np.array([0b1010_0101] * 3 + [*codes[:5]])
    for plane_group in range(2):
        asked = request(x=-24, plane_group=plane_group)
        row, row_sum = form_row(bits, layer_pass, asked)
        nibbles = wanted >> 4 * plane_group & 15
        blocks = row.reshape(4, 16)
        np.testing.assert_array_equal(blocks[:, :8], [nibbles >> p & 1 for p in range(4)])
        assert not blocks[:, 8:].any()
        assert row_sum == nibbles.sum()
        np.testing.assert_array_equal(elements_inside(layer_pass, asked), [False] * 3 + [True] * 5)
        assert bits_needed(layer_pass, asked) == 40


def test_pieces_have_their_lengths() -> None:
    layer_pass = pass_of(BYTES_MAP, length=4, last_length=2)
    bits = np.ones(512, dtype=np.uint8)
    assert [form_row(bits, layer_pass, request(last_piece=last))[1] for last in (False, True)] == [4, 2]


def test_buses_carry_the_rows_of_their_clusters() -> None:
    layer_pass = pass_of(
        PLANES_MAP,
        clusters=2,
        clusters_x=2,
        cluster_x_bits=32,
        last_length=16,
        first_lines=1,
        first_columns=1,
    )
    bits = image()
    (row_set,) = form_row_sets(bits, layer_pass)
    for bus in range(4):
        begin = 7 + bus // 2 * 32
        np.testing.assert_array_equal(row_set.bits[bus, :16], bits[begin : begin + 16])
        assert row_set.sums[bus] == bits[begin : begin + 16].sum()
    assert (row_set.row, row_set.last) == (0, True)


def test_elements_beyond_the_bank_are_refused() -> None:
    layer_pass = pass_of(PLANES_MAP, last_length=16)
    with pytest.raises(IndexError) as caught:
        form_row(np.zeros(100, dtype=np.uint8), layer_pass, request(x=96))
    assert str(caught.value) == "a row needs 119 bits of 100"


@pytest.mark.parametrize(
    ("feature_map", "place", "span"),
    [
        (PLANES_MAP, {"y": 1, "x": 64}, (7 + 192, 7 + 192 + 10)),
        (PLANES_MAP, {"y": -1}, (0, 0)),
        (BYTES_MAP, {"x": -24}, (0, 56)),
        (BYTES_MAP, {"x": 80}, (80, 120)),
        (BYTES_MAP, {"x": 120}, (0, 0)),
    ],
)
def test_the_span_of_a_row(feature_map: dict[str, int], place: dict[str, int], span: tuple[int, int]) -> None:
    """From the first element inside the map to the last one."""
    rows = FormedRows.of_request(pass_of(feature_map, last_length=10), request(**place))
    assert rows.span == span


@pytest.mark.parametrize("spread", [False, True])
def test_planes_that_do_not_exist_are_read_if_not_one_by_one(spread: bool) -> None:
    rows = FormedRows.of_request(
        pass_of(PLANES_MAP, spread=spread, planes=2, last_length=10), request(plane_group=1)
    )
    assert rows.reads.tolist() == [not spread]
    assert rows.read_planes.tolist() == [int(not spread)]
