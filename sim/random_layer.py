"""Random layers for benches of the way in: descriptors that walk over maps of every kind."""

from random import Random

from spinplane.behavioral import bits_needed, walk_rows
from spinplane.machine import Machine
from spinplane.machine.descriptor import Descriptor

_MOST_ROWS = 250


def random_layer(machine: Machine, rng: Random) -> Descriptor:
    """A layer whose rows lie in the array, and the map's part of them in the image bank.

    Units may overlap, or lie outside of the map altogether; every field of the walk takes part.
    """
    while True:
        layer = _draw(machine, rng)
        requests = []
        for request in walk_rows(layer):
            requests.append(request)
            if len(requests) > _MOST_ROWS or request.row >= machine.rows:
                break
        else:
            bank_bits = machine.image_words * machine.columns
            if all(bits_needed(layer, request, machine.columns) <= bank_bits for request in requests):
                return layer


def _draw(machine: Machine, rng: Random) -> Descriptor:
    width, leaves = machine.columns, machine.leaves
    log_slots = rng.randrange(machine.segments.bit_length())
    log_planes = rng.randrange(min(4, (leaves >> log_slots).bit_length()))
    block_columns = width >> log_slots + log_planes
    in_bytes = rng.random() < 0.5
    longest = min(block_columns, width // 8) if in_bytes else block_columns
    planes = rng.randint(1, 8)
    log_groups = rng.randrange(machine.row_buses.bit_length())
    pieces, unit = rng.choice((1, 1, 2, 3)), rng.choice((8, width // 2, width))
    lines = rng.randint(1, 3)
    height, valid = rng.randint(1, 8), 8 * rng.randint(1, width // 4) + rng.choice((0, 0, 5))
    return Descriptor(
        in_base=rng.choice((0, rng.randrange(machine.image_words * width))),
        in_line_bits=rng.choice((valid, valid + rng.randrange(64))),
        in_height=height,
        in_valid_bits=valid,
        in_bytes=in_bytes,
        in_planes=planes - 1,
        pad_code=rng.getrandbits(8),
        start_x=rng.choice((0, -8, -24, rng.randint(-width, width))),
        start_y=rng.choice((0, -1, -2, rng.randint(-9, 9))),
        unit_bits=rng.choice((unit, rng.randrange(2 * width))),
        piece_bits=rng.randrange(width),
        plane_group_bits=rng.randrange(width),
        pieces=pieces - 1,
        plane_groups=rng.randint(1, max(1, -(-planes >> log_planes))) - 1,
        log_slots=log_slots,
        log_planes=log_planes,
        length=rng.randint(1, longest) - 1,
        last_length=rng.randint(1, longest) - 1,
        input_row=rng.randrange(machine.rows // 2),
        line_rows=rng.randint(1, 8),
        group_rows=rng.randint(1, 4),
        ring_lines=rng.choice((1, lines, rng.randint(1, 5))) - 1,
        first_lines=lines,
        next_lines=rng.choice((0, 1, 1, rng.randint(1, 3))),
        line_skip=rng.choice((0, 0, 1, rng.randrange(6))),
        first_columns=rng.randint(1, 3),
        next_columns=rng.choice((0, 1, 1, 2)),
        log_groups=log_groups,
        log_groups_x=rng.randint(0, log_groups),
        group_x_bits=rng.choice((unit, rng.randrange(2 * width))),
        group_y_lines=rng.randrange(6),
        region_rows=rng.randrange(4),
        region_columns=rng.randrange(4),
    )


def waits(layer: Descriptor) -> int:
    """Cycles in which a walk that nothing else stops looks for the first lines of rows of regions."""
    columns = layer["first_columns"] + layer["region_columns"] * layer["next_columns"]
    rows_of_line = columns * (layer["plane_groups"] + 1) * (layer["pieces"] + 1) << layer["log_groups"]
    lines = [layer["first_lines"], *[layer["next_lines"]] * layer["region_rows"]]
    if layer["next_lines"] == 0:
        lines = lines[:1]
    return sum(max(0, n + layer["line_skip"] - n * rows_of_line) for n in lines[:-1])
