"""Random passes for benches of the input streamer, which walk over maps of every kind."""

from random import Random

from spinplane.behavioral import bits_needed, walk_rows
from spinplane.machine import Machine
from spinplane.machine.passes import Pass

_MOST_ROWS = 250


def random_pass(machine: Machine, rng: Random) -> Pass:
    """A pass whose rows lie in the array, and the map's part of them in the image bank.

    Units may overlap, or lie outside of the map altogether; every field of the walk takes part.
    """
    while True:
        layer_pass = _draw(machine, rng)
        requests = []
        for request in walk_rows(layer_pass):
            requests.append(request)
            if len(requests) > _MOST_ROWS or request.row >= machine.rows:
                break
        else:
            bank_bits = machine.image_words * machine.columns
            if all(bits_needed(layer_pass, request) <= bank_bits for request in requests):
                return layer_pass


def _draw(machine: Machine, rng: Random) -> Pass:
    width, leaves = machine.columns, machine.leaves
    slots = 1 << rng.randrange(machine.segments.bit_length())
    block_planes = 1 << rng.randrange(min(4, (leaves // slots).bit_length()))
    block_columns = width // (slots * block_planes)
    in_bytes = rng.random() < 0.5
    spread = not in_bytes and rng.random() < 0.4
    longest = min(block_columns, width // 8) if in_bytes else block_columns * (slots if spread else 1)
    planes = rng.randint(1, 8)
    log_clusters = rng.randrange(machine.row_buses.bit_length())
    log_clusters_x = rng.randint(0, log_clusters)
    pieces, unit = rng.choice((1, 1, 2, 3)), rng.choice((8, width // 2, width))
    lines = rng.randint(1, 3)
    height, valid = rng.randint(1, 8), 8 * rng.randint(1, width // 4) + rng.choice((0, 0, 5))
    return Pass(
        machine=machine,
        in_base=rng.choice((0, rng.randrange(machine.image_words * width))),
        in_line_bits=rng.choice((valid, valid + rng.randrange(64))),
        in_height=height,
        in_valid_bits=valid,
        in_bytes=in_bytes,
        in_planes=planes,
        pad_code=rng.getrandbits(8),
        start_x=rng.choice((0, -8, -24, rng.randint(-width, width))),
        start_y=rng.choice((0, -1, -2, rng.randint(-9, 9))),
        unit_bits=rng.choice((unit, rng.randrange(2 * width))),
        piece_bits=rng.randrange(width),
        plane_group_bits=rng.randrange(width) // block_planes * block_planes,
        pieces=pieces,
        plane_groups=rng.randint(1, max(1, -(-planes // block_planes))),
        slots=slots,
        planes=block_planes,
        spread=spread,
        length=rng.randint(1, longest),
        last_length=rng.randint(1, longest),
        input_row=rng.randrange(machine.rows // 2),
        line_rows=rng.randint(1, 8),
        group_rows=rng.randint(1, 4),
        ring_lines=rng.choice((1, lines, rng.randint(1, 5))),
        first_lines=lines,
        next_lines=rng.choice((0, 1, 1, rng.randint(1, 3))),
        line_skip=rng.choice((0, 0, 1, rng.randrange(6))),
        first_columns=rng.randint(1, 3),
        next_columns=rng.choice((0, 1, 1, 2)),
        clusters=1 << log_clusters,
        clusters_x=1 << log_clusters_x,
        cluster_x_bits=rng.choice((unit, rng.randrange(2 * width))),
        cluster_y_lines=rng.randrange(6),
        region_rows=rng.randint(1, 4),
        region_columns=rng.randint(1, 4),
    )


def waits(layer_pass: Pass) -> int:
    """Cycles in which a walk that nothing else stops looks for the first lines of rows of regions."""
    units = layer_pass.first_columns + (layer_pass.region_columns - 1) * layer_pass.next_columns
    rows_of_line = units * layer_pass.plane_groups * layer_pass.pieces * layer_pass.row_set_cycles
    lines = [layer_pass.first_lines, *[layer_pass.next_lines] * (layer_pass.region_rows - 1)]
    if layer_pass.next_lines == 0:
        lines = lines[:1]
    return sum(max(0, n + layer_pass.line_skip - n * rows_of_line) for n in lines[:-1])
