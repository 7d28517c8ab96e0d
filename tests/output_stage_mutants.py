"""Faults put into the text of the output stage, and which test of its bench finds each."""

from dataclasses import dataclass

from amaranth.lib import wiring

from spinplane.hdl.output.activation import Activation
from spinplane.hdl.output.batch_norm import BatchNorm
from spinplane.hdl.output.beat_walk import BeatWalk
from spinplane.hdl.output.dpu import Dpu
from spinplane.hdl.output.lane_phases import LanePhases
from spinplane.hdl.output.limiter import Limiter
from spinplane.hdl.output.lookup_walk import LookupWalk
from spinplane.hdl.output.output_address_generator import OutputAddressGenerator
from spinplane.hdl.output.output_stage import OutputStage
from spinplane.hdl.output.pooling import Pooling
from spinplane.hdl.output.quantizer import Quantizer
from spinplane.hdl.output.residual_loader import ResidualLoader
from spinplane.hdl.output.scale_reader import ScaleReader
from spinplane.hdl.output.scaler import Scaler
from spinplane.hdl.output.window_correction import WindowCorrection

#: Tests of the output stage's bench.
KINDS = "every_kind_of_pass"
TOTALS = "totals_of_more_bits_than_a_value"
IMAGE, BANKS = "what_is_beyond_the_image_bank_is_refused", "words_beyond_their_banks_are_refused"
LOOKUPS = "words_that_searches_and_tables_do_not_find_are_refused"
HELD = "windows_of_more_beats_than_can_be_held_are_refused"

#: An error comes, or does not; a unit tells of a word that does not exist; a beat ends in another cycle.
ERROR = r"assert \d+ == \d+"
BEYOND = r"assert Logic\('[01]'\) == "
CYCLES = r"assert \[1, 2, 3, "


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A fault, and what finds it.

    Parameters
    ----------
    component : type
    sound, faulty : str
        Text of the component's file, which is there once, and what takes its place.
    test : str, optional
        Test of the bench that finds it; all are run if it is not given.
    found : str, optional
        Pattern of its message, if it is not that the unit's values differ.
    """

    component: type[wiring.Component]
    sound: str
    faulty: str
    test: str | None = None
    found: str | None = None


MUTANTS = {
    # Rounding and bounds.
    "half_even_is_half_up": Mutant(component=Quantizer, sound="half & (lost | odd)", faulty="half"),
    "half_away_of_the_wrong_sign": Mutant(
        component=Quantizer,
        sound="HALF_AWAY: half & (lost | ~sign)",
        faulty="HALF_AWAY: half & (lost | sign)",
    ),
    "half_to_zero_is_half_down": Mutant(
        component=Quantizer, sound="HALF_TO_ZERO: half & (lost | sign)", faulty="HALF_TO_ZERO: half & lost"
    ),
    "ceil_forgets_what_a_shift_lost": Mutant(
        component=Quantizer, sound="CEIL: half | lost", faulty="CEIL: half"
    ),
    "low_bound_ignored": Mutant(component=Quantizer, sound="level < self.low,", faulty="Const(0),"),
    "bits_beyond_a_code_dropped": Mutant(component=Quantizer, sound="beyond | differ)", faulty="beyond)"),
    # Products.
    "float_without_its_sticky_bit": Mutant(
        component=BatchNorm, sound="half & (odd | below)", faulty="half & odd"
    ),
    "float_whose_halves_go_up": Mutant(component=BatchNorm, sound="half & (odd | below)", faulty="half"),
    "residual_zero_forgotten": Mutant(
        component=BatchNorm,
        sound="operand[:8] - layer.residual_zero",
        faulty="Cat(operand[:8], 0).as_signed()",
    ),
    "half_of_a_code_goes_up": Mutant(
        component=BatchNorm, sound="value[0] & (lost | ~sign)", faulty="value[0]"
    ),
    "high_shift_cuts_off": Mutant(
        component=BatchNorm, sound='"divided_up", fine[0]', faulty='"divided_up", fine[0] & 0'
    ),
    "residual_without_the_sum": Mutant(
        component=BatchNorm, sound="Product.RESIDUAL: value}", faulty="Product.RESIDUAL: Const(0)}"
    ),
    "total_offset_without_its_sign": Mutant(
        component=BatchNorm, sound="layer.total_offset,", faulty="layer.total_offset.as_unsigned(),"
    ),
    "own_multiplier_for_the_total": Mutant(
        component=BatchNorm,
        sound="Product.TOTAL: layer.total_multiplier",
        faulty="Product.TOTAL: layer.own_multiplier",
    ),
    "own_code_without_its_sign": Mutant(
        component=Scaler, sound="Product.OWN: level.as_signed()", faulty="Product.OWN: level", test=KINDS
    ),
    "total_rounded_as_an_own_code": Mutant(
        component=Scaler,
        sound="layer.own_rounding, layer.rounding",
        faulty="layer.own_rounding, layer.own_rounding",
        test=KINDS,
    ),
    "shift_of_a_channel_for_the_total": Mutant(
        component=Scaler, sound="layer.total_shift, shift", faulty="shift, shift", test=KINDS
    ),
    "total_of_a_value's_bits": Mutant(
        component=Scaler,
        sound="Cat(value, level[: POOLED_BITS - RAW_BITS]).as_signed()",
        faulty="value.as_signed()",
        test=TOTALS,
    ),
    "total_clipped_to_what_a_search_looks_at": Mutant(
        component=Scaler,
        sound="limiter.wide.eq(layer.multiplies_total & ",
        faulty="limiter.wide.eq(0 & ",
        test=TOTALS,
    ),
    "low_bound_for_the_high_one": Mutant(
        component=Scaler, sound="quantizer.high.eq(high)", faulty="quantizer.high.eq(low)", test=KINDS
    ),
    "residual_in_the_first_phase": Mutant(
        component=LanePhases, sound="(phase == layer.own_code)", faulty="(phase == 0)", test=KINDS
    ),
    "next_phase_too_soon": Mutant(
        component=LanePhases,
        sound="wait.eq(rest_cycles)",
        faulty="wait.eq(rest_cycles - 1)",
        test=KINDS,
        found=CYCLES,
    ),
    "wide_value_wraps": Mutant(
        component=Limiter, sound="Mux(self.wide, beyond_wide,", faulty="Mux(self.wide, 0,"
    ),
    "searched_value_wraps": Mutant(component=Limiter, sound="beyond_search & ~self.raw", faulty="0"),
    # Sums of a region.
    "window_sum_added": Mutant(
        component=WindowCorrection, sound="biased - correction", faulty="biased + correction"
    ),
    "greatest_for_least": Mutant(component=Pooling, sound="self.least[lane]", faulty="0"),
    "padding_pooled": Mutant(
        component=Pooling, sound="pools & self.counts & self.seen", faulty="pools & self.seen"
    ),
    "memory_read_before_it_is_written": Mutant(
        component=Pooling, sound="(address == self.address)", faulty="0"
    ),
    "regions_beside_the_map_written": Mutant(
        component=BeatWalk, sound=" & (out_y < layer.out_height)", faulty="", test=KINDS
    ),
    "beats_beyond_the_map_written": Mutant(
        component=BeatWalk, sound="place <= self.layer.out_beats", faulty="place == place", test=KINDS
    ),
    "slots_beside_each_other": Mutant(
        component=OutputAddressGenerator,
        sound="Mux(ends_group, beat_bits, slot_bits)",
        faulty="beat_bits",
        test=KINDS,
    ),
    # Levels and codes.
    "digit_to_base_4": Mutant(component=Activation, sound="* 5 + 1", faulty="* 4 + 1"),
    "threshold_not_reached_where_equal": Mutant(
        component=Activation,
        sound='is_at_most(m, f"threshold_{number}", threshold, self.kept_value)',
        faulty='~is_at_most(m, f"threshold_{number}", self.kept_value, Value.cast(threshold))',
    ),
    "falling_levels_one_off": Mutant(
        component=Activation, sound=", falls)[:LEVEL_BITS]", faulty=", falls & 0)[:LEVEL_BITS]"
    ),
    "next_entry_of_the_table": Mutant(
        component=Activation, sound="word_select(entry, ", faulty="word_select((entry + 1)[:_ENTRY_BITS], "
    ),
    "word_of_the_table_ignored": Mutant(component=Activation, sound="level[_ENTRY_BITS:], ", faulty="0, "),
    "table_read_too_late": Mutant(
        component=LookupWalk,
        sound="== layer.search_reads",
        faulty="== layer.search_reads + 1",
        test=KINDS,
    ),
    # What does not exist.
    "word_behind_the_thresholds": Mutant(
        component=Activation,
        sound="word < self.words",
        faulty="word <= self.words",
        found=BEYOND,
    ),
    "lanes_that_do_not_search_read": Mutant(
        component=Activation,
        sound="(step.looks & (self.bounds.search | configuration.searches))",
        faulty="step.looks",
        found=BEYOND,
    ),
    "word_behind_the_scales": Mutant(
        component=ScaleReader,
        sound="word < machine.parameter_beats",
        faulty="word <= machine.parameter_beats",
        test=BANKS,
        found=ERROR,
    ),
    "word_behind_the_parameters_of_sums_that_are_not_multiplied": Mutant(
        component=OutputStage,
        sound="position.word != machine.parameter_beats)",
        faulty="(position.word != machine.parameter_beats) | ~layer.multiplies)",
        test=BANKS,
        found=ERROR,
    ),
    "only_the_first_lane_refuses": Mutant(
        component=Dpu,
        sound="Cat(lane.beyond for lane in self._lanes).any()",
        faulty="self._lanes[0].beyond",
        test=LOOKUPS,
        found=ERROR,
    ),
    "only_all_lanes_refuse": Mutant(
        component=Dpu,
        sound="Cat(lane.beyond for lane in self._lanes).any()",
        faulty="Cat(lane.beyond for lane in self._lanes).all()",
        test=LOOKUPS,
        found=ERROR,
    ),
    "beat_that_is_not_written_refused": Mutant(
        component=Dpu,
        sound="is_written & Cat(lane",
        faulty="Cat(lane",
        test=LOOKUPS,
        found=ERROR,
    ),
    "last_residual_of_the_image_refused": Mutant(
        component=ResidualLoader,
        sound="address <= bank_bits - lanes",
        faulty="address < bank_bits - lanes",
        test=IMAGE,
        found=ERROR,
    ),
    "only_planes_before_the_last_refused": Mutant(
        component=ResidualLoader,
        sound="self.beyond.eq(reads & ~in_bank)",
        faulty="self.beyond.eq(reads & ~in_bank & (plane != self.last_plane))",
        test=IMAGE,
        found=ERROR,
    ),
    "residual_behind_the_image": Mutant(
        component=ResidualLoader,
        sound="address <= bank_bits - lanes",
        faulty="address == address",
        test=IMAGE,
        found=ERROR,
    ),
    "write_at_any_bit": Mutant(
        component=OutputStage, sound=" & (off == 0)", faulty="", test=IMAGE, found=ERROR
    ),
    "beats_without_a_place_in_the_memory": Mutant(
        component=OutputStage,
        sound="position.pool == machine.pool_beats",
        faulty="position.pool == machine.pool_beats + 1",
        test=HELD,
        found=ERROR,
    ),
}
