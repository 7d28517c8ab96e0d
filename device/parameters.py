"""Parameters of a technology: the list of all of them."""

#: Keys that each technology has, the unit that fits them, and their range in SI units.
COMMON: dict[str, tuple[str, float, float]] = {
    "process.feature_size": ("nm", 1e-9, 1e-6),
    "process.supply_voltage": ("V", 0.1, 10.0),
    "process.temperature": ("K", 250.0, 400.0),
    "cell.area": ("F²", 1.0, 1e4),
    "access.off_resistance": ("GΩ", 1e6, 1e15),
    "access.source_swing": ("mV", 0.03, 1.0),
    "mtj.length": ("nm", 1e-9, 1e-6),
    "mtj.width": ("nm", 1e-9, 1e-6),
    "free_layer.thickness": ("nm", 1e-10, 1e-7),
    "free_layer.saturation_magnetisation": ("A/m", 1e4, 1e7),
    "free_layer.damping": ("1", 1e-5, 1.0),
    "free_layer.gyromagnetic_ratio": ("rad/(s·T)", 1e10, 1e12),
    "free_layer.anisotropy": ("J/m³", 0.0, 1e8),
    "free_layer.exchange_stiffness": ("pJ/m", 1e-13, 1e-10),
    "polarizer.pinned_polarisation": ("1", 0.0, 1.0),
    "polarizer.free_polarisation": ("1", 0.0, 1.0),
    "polarizer.pinned_asymmetry": ("1", 1.0, 100.0),
    "polarizer.free_asymmetry": ("1", 1.0, 100.0),
    "temperature.reference": ("K", 250.0, 400.0),
    "temperature.bloch": ("K", 600.0, 3000.0),
    "temperature.anisotropy_exponent": ("1", 1.0, 4.0),
    "temperature.polarisation_loss": ("1/K^1.5", 0.0, 1e-4),
    "retention.attempt_time": ("ns", 1e-12, 1e-6),
    "retention.barrier_exponent": ("1", 1.0, 2.0),
    "endurance.cycles": ("1", 1.0, 1e18),
    "bit_line.cells": ("1", 1.0, 1e5),
    "bit_line.resistance_per_cell": ("Ω", 0.0, 1e4),
    "bit_line.capacitance_per_cell": ("fF", 1e-20, 1e-12),
    "word_line.cells": ("1", 1.0, 1e5),
    "word_line.resistance_per_cell": ("Ω", 0.0, 1e4),
    "word_line.capacitance_per_cell": ("fF", 1e-20, 1e-12),
    "decoder.clock_to_q": ("ps", 0.0, 1e-6),
    "decoder.delay": ("ps", 0.0, 1e-6),
    "write.pulse": ("ns", 1e-12, 1e-6),
    "write.current_0": ("µA", 1e-9, 1e-1),
    "write.current_1": ("µA", 1e-9, 1e-1),
    "read.current": ("µA", 1e-9, 1e-2),
    "sense_amplifier.offset_sigma": ("mV", 0.0, 1.0),
    "sense_amplifier.differential": ("mV", 0.0, 1.0),
    "sense_amplifier.delay": ("ps", 0.0, 1e-6),
    "sense_amplifier.energy": ("fJ", 0.0, 1e-9),
    "variation.resistance_area": ("%", 0.0, 1.0),
    "variation.tmr": ("%", 0.0, 1.0),
    "variation.critical_current": ("%", 0.0, 1.0),
    "variation.stability": ("%", 0.0, 0.2),
}

#: Keys by the torque that writes.
BY_TORQUE: dict[str, dict[str, tuple[str, float, float]]] = {
    "spin_hall": {
        "access.write_resistance": ("Ω", 0.0, 1e6),
        "access.read_resistance": ("Ω", 0.0, 1e6),
        "heavy_metal.resistivity": ("µΩ·cm", 1e-9, 1e-3),
        "heavy_metal.spin_hall_angle": ("1", 1e-4, 10.0),
        "heavy_metal.length": ("nm", 1e-9, 1e-5),
        "heavy_metal.width": ("nm", 1e-9, 1e-5),
        "heavy_metal.thickness": ("nm", 1e-10, 1e-6),
    },
    "spin_transfer": {"access.resistance": ("Ω", 0.0, 1e6)},
}

#: Keys by the model of the junction's resistance.
BY_RESISTANCE: dict[str, dict[str, tuple[str, float, float]]] = {
    "negf": {
        "oxide.thickness": ("nm", 5e-10, 3e-9),
        "oxide.parallel_fit": ("1", -100.0, 100.0),
        "oxide.antiparallel_fit": ("1", -100.0, 100.0),
    },
    "direct": {
        "mtj.resistance_area": ("Ω·µm²", 1e-14, 1e-6),
        "mtj.tmr": ("%", 0.0, 100.0),
        "mtj.tmr_half_voltage": ("V", 1e-3, 100.0),
    },
}

#: Keys of a technology one of whose lines is a mesh.
MESH: dict[str, tuple[str, float, float]] = {
    "mesh.resistance_per_cell": ("Ω", 0.0, 1e4),
    "mesh.strap_columns": ("1", 1.0, 1e5),
    "mesh.strap_resistance_per_cell": ("Ω", 0.0, 1e4),
    "mesh.via_resistance": ("Ω", 0.0, 1e4),
}

#: Keys that may be left out.
OPTIONAL: dict[str, tuple[str, float, float]] = {"free_layer.demagnetisation": ("1", 0.0, 1.0)} | MESH

#: Length of those that are lists.
LISTS = {"oxide.parallel_fit": 4, "oxide.antiparallel_fit": 4, "free_layer.demagnetisation": 3}


def known_keys(torque: str, resistance: str) -> dict[str, tuple[str, float, float]]:
    """Keys of a technology of this kind, with unit and range; the optional ones are not among them."""
    return COMMON | BY_TORQUE[torque] | BY_RESISTANCE[resistance]
