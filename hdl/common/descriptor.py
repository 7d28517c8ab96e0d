"""The descriptor as an Amaranth layout: a pass as the accelerator's units receive it."""

from amaranth.hdl import signed
from amaranth.lib import data

from spinplane.machine.descriptor import DESCRIPTOR_FIELDS

#: Fields of `spinplane.machine.descriptor.DESCRIPTOR_FIELDS` at their own widths; held constant during a pass.
DESCRIPTOR = data.StructLayout(
    {field.name: signed(field.bits) if field.signed else field.bits for field in DESCRIPTOR_FIELDS}
)
