"""The array boundary: a black box in Verilog, a behavioral model in Amaranth's simulator."""

from amaranth.hdl import Assert, Cat, Const, Format, Module, Mux, Signal, Value
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import Machine, bits_for


class SotMramArray(wiring.Component):
    """SOT-MRAM cells with word lines, bit lines, references and one sense amplifier a bit line.

    The only thing of an engine that is not logic. A write holds one write word line for ``write_cycles``
    clock edges with stable data; a sense holds one (EN_M) or two (EN_AND, EN_OR) read word lines for
    ``sense_cycles`` edges, and ``sense`` shows the result after the last edge until the next sense ends.
    With the machine's ``write_overlap`` rows are sensed while another one is written; without it no row is. With its
    ``xor_sensing`` EN_AND and EN_OR together sense the XOR of two rows, an event of either.
    Other biasing, a cut pulse, and sensing a cell that was never written stop a simulation with a message.
    The Verilog of the same contract is ``sot_mram_array.v``; ``docs/array.md`` has the rules.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    standby : In(1)
        No word line and no reference is high; ``sense`` becomes 0. A write pulse that it cuts leaves its row unknown.
        A simulation of the Verilog begins with it, one of Amaranth as after it.
    wwl : In(rows)
        Write word lines.
    wbl, wbl_enable : In(columns)
        Bits to write and the columns that take them.
    rwl : In(rows)
        Read word lines.
    rbl_enable : In(columns)
        Columns that are sensed; the others show 0.
    en_m, en_and, en_or : In(1)
        References of the sense amplifiers.
    sense : Out(columns)

    Attributes
    ----------
    writes, reads, ands, ors : Signal(32)
        Events: row operations that were completed, for a simulation to look at.
    """

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.writes, self.reads, self.ands, self.ors = (
            Signal(32, name=name) for name in ("writes", "reads", "ands", "ors")
        )
        super().__init__(
            {
                "standby": In(1),
                "wwl": In(machine.rows),
                "wbl": In(machine.columns),
                "wbl_enable": In(machine.columns),
                "rwl": In(machine.rows),
                "rbl_enable": In(machine.columns),
                "en_m": In(1),
                "en_and": In(1),
                "en_or": In(1),
                "sense": Out(machine.columns),
            }
        )

    @property
    def black_box(self) -> dict[str, int]:
        """Parameters of the Verilog module, which has no description here."""
        overlap = {"WRITE_OVERLAP": 1} if self.machine.overlaps_writes else {}
        exclusive = {"XOR_SENSING": 1} if self.machine.xor_sensing else {}
        return {
            "ROWS": self.machine.rows,
            "COLUMNS": self.machine.columns,
            "SENSE_CYCLES": self.machine.sense_cycles,
            "WRITE_CYCLES": self.machine.write_cycles,
            **overlap,
            **exclusive,
        }

    def elaborate(self, platform: object) -> Module:
        m = Module()
        size = {"shape": self.machine.columns, "depth": self.machine.rows, "init": []}
        m.submodules.cells = self._cells = memory.Memory(**size)
        m.submodules.written = self._written = memory.Memory(**size)
        references = Cat(self.en_m, self.en_and, self.en_or)
        with m.If(self.standby):
            lines = Cat(self.wwl, self.rwl, references)
            m.d.sync += Assert(~lines.any(), "a word line or a reference is high in standby")
        if self.machine.overlaps_writes:
            m.d.sync += Assert(~(self.wwl & self.rwl).any(), "senses a row during its write pulse")
        else:
            with m.If(self.wwl.any()):
                m.d.sync += Assert(~self.rwl.any() & ~references.any(), "sensing during a write pulse")
        self._write_rules(m)
        self._sense_rules(m, references)
        return m

    def _write_rules(self, m: Module) -> None:
        lines = Cat(self.wbl_enable, self.wwl, self.wbl & self.wbl_enable)
        needed = self.machine.write_cycles
        done, edges, changed, held = self._pulse(m, "write", self.wwl.any(), lines, needed)
        row, rest = self._lowest(self.wwl)
        cells, written = self._row(m, self._cells, row), self._row(m, self._written, row)
        with m.If(self.wwl.any()):
            m.d.sync += [
                Assert(~rest.any(), "more than one write word line"),
                Assert(~changed, "write word line or bit lines changed during a write pulse"),
                self.writes.eq(self.writes + done),
            ]
        with m.Elif(~self.standby):
            message = Format(f"write pulse of {{:d}} cycles, the cell needs {needed}", edges)
            m.d.sync += Assert(edges == 0, message)
        to_cells, to_written = self._cells.write_port(), self._written.write_port()
        m.d.comb += [
            to_cells.addr.eq(row),
            to_cells.data.eq((cells & ~self.wbl_enable) | (self.wbl & self.wbl_enable)),
            to_cells.en.eq(done),
            to_written.addr.eq(row),
            to_written.data.eq(written | self.wbl_enable),
            to_written.en.eq(done),
        ]
        with m.If(self.standby & (edges != 0)):
            columns, rows = self.machine.columns, self.machine.rows
            cut_columns, (cut_row, _) = held[:columns], self._lowest(held[columns : columns + rows])
            m.d.comb += [
                to_written.addr.eq(cut_row),
                to_written.data.eq(self._row(m, self._written, cut_row) & ~cut_columns),
                to_written.en.eq(1),
            ]

    def _sense_rules(self, m: Module, references: Value) -> None:
        lines, needed = Cat(self.rwl, self.rbl_enable, references), self.machine.sense_cycles
        done, edges, changed, _ = self._pulse(m, "sense", self.rwl.any(), lines, needed)
        row_a, rest = self._lowest(self.rwl)
        row_b, beyond = self._lowest(rest)
        cells_a, written_a = self._row(m, self._cells, row_a), self._row(m, self._written, row_a)
        cells_b, written_b = self._row(m, self._cells, row_b), self._row(m, self._written, row_b)
        both = self.en_and & self.en_or & ~self.en_m if self.machine.xor_sensing else Const(0)
        several = (references & (references - 1)).any() & ~both
        with m.If(self.rwl.any()):
            m.d.sync += [
                Assert(~beyond.any(), "more than two read word lines"),
                Assert(references.any(), "no reference is enabled"),
                Assert(~several, "several references are enabled"),
                Assert(~self.en_m | ~rest.any(), "EN_M senses one row, not two"),
                Assert(self.en_m | rest.any(), "EN_AND and EN_OR sense two rows, not one"),
                Assert(~changed, "read word lines, columns or reference changed during a sense"),
                self.reads.eq(self.reads + (done & self.en_m)),
                self.ands.eq(self.ands + (done & self.en_and)),
                self.ors.eq(self.ors + (done & self.en_or)),
            ]
        with m.Elif(~self.standby):
            message = Format(f"sense of {{:d}} cycles, the amplifier needs {needed}", edges)
            m.d.sync += [
                Assert(~references.any(), "a reference is enabled without a read word line"),
                Assert(edges == 0, message),
            ]

        # A cell that is unknown may hold anything, what it held before its write was cut included.
        known_a, known_b = cells_a & written_a, cells_b & written_b
        sensed, unknown = Signal(self.machine.columns), Signal(self.machine.columns)
        with m.If(self.en_m):
            m.d.comb += [sensed.eq(known_a), unknown.eq(~written_a)]
        with m.Elif(both):
            m.d.comb += [sensed.eq(known_a ^ known_b), unknown.eq(~(written_a & written_b))]
        with m.Elif(self.en_and):
            both_could_be_1 = (cells_a | ~written_a) & (cells_b | ~written_b)
            m.d.comb += [sensed.eq(known_a & known_b), unknown.eq(both_could_be_1 & ~sensed)]
        with m.Else():
            m.d.comb += [sensed.eq(known_a | known_b), unknown.eq(~sensed & ~(written_a & written_b))]
        unknown_columns = Signal(self.machine.columns)
        digits = -(-self.machine.columns // 4)
        m.d.comb += unknown_columns.eq(unknown & self.rbl_enable)
        with m.If(done):
            message = Format(
                f"senses an unknown cell in row {{:d}} or {{:d}}, columns {{:0{digits}x}}",
                *(row_a, Mux(self.en_m, row_a, row_b), unknown_columns),
            )
            m.d.sync += [self.sense.eq(sensed & self.rbl_enable), Assert(~unknown_columns.any(), message)]
        with m.If(self.standby):
            m.d.sync += self.sense.eq(0)

    def _pulse(
        self, m: Module, kind: str, active: Value, lines: Value, needed: int
    ) -> tuple[Value, Value, Value, Value]:
        """Follow a pulse over its clock edges, unless a standby ends it.

        Returns
        -------
        done, edges, changed, held : Value
            1 before its last edge; the edges that have passed; 1 when `lines` are not those of the edge
            before; those of the edge before.
        """
        edges = Signal(range(needed), name=f"{kind}_edges")
        held = Signal(len(lines), name=f"held_{kind}")
        done, changed = Signal(name=f"{kind}_done"), Signal(name=f"{kind}_changed")
        m.d.comb += [
            done.eq(active & (edges == needed - 1)),
            changed.eq((edges != 0) & (held != lines)),
        ]
        with m.If(self.standby):
            m.d.sync += edges.eq(0)
        with m.Elif(active):
            m.d.sync += [edges.eq(Mux(done, 0, edges + 1)), held.eq(lines)]
        return done, edges, changed, held

    def _lowest(self, lines: Value) -> tuple[Value, Value]:
        """Index of the lowest line that is on, and the lines without it."""
        rest = (lines & (lines - 1))[: len(lines)]
        line = lines & ~rest
        index = [
            Cat(line[row] for row in range(len(lines)) if row >> bit & 1).any()
            for bit in range(bits_for(len(lines) - 1))
        ]
        return Cat(index), rest

    def _row(self, m: Module, cells: memory.Memory, row: Value) -> Value:
        port = cells.read_port(domain="comb")
        m.d.comb += port.addr.eq(row)
        return port.data
