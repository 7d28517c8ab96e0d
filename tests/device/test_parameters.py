"""Keys of technologies have units and ranges."""

from spinplane.device.parameters import BY_RESISTANCE, BY_TORQUE, COMMON, OPTIONAL
from spinplane.machine.parameter import UNITS


def test_every_key_has_a_unit_that_fits() -> None:
    tables = [COMMON, OPTIONAL, *BY_TORQUE.values(), *BY_RESISTANCE.values()]
    assert all(unit in UNITS and low < high for table in tables for unit, low, high in table.values())
