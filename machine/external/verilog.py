"""Generated Verilog, and what stands beside Verilog for its readers."""

import re
from collections.abc import Iterable, Mapping, Sequence

from ..names import DottedName, Name, PinName
from .text import Text, fill, joined, matching

# Carries ripple: the smallest adder, not the fastest. An operand that `opt` found to be 0 has no bits.
RIPPLE_CARRY = fill("""\
(* techmap_celltype = "$alu" *)
module ripple_carry (A, B, CI, BI, X, Y, CO);
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;
  parameter A_WIDTH = 1;
  parameter B_WIDTH = 1;
  parameter Y_WIDTH = 1;
  input [A_WIDTH-1:0] A;
  input [B_WIDTH-1:0] B;
  input CI, BI;
  output [Y_WIDTH-1:0] X, Y, CO;
  wire [Y_WIDTH-1:0] a, b;
  generate
    if (A_WIDTH == 0) assign a = 0;
    else \\$pos #(.A_SIGNED(A_SIGNED), .A_WIDTH(A_WIDTH), .Y_WIDTH(Y_WIDTH)) extend_a (.A(A), .Y(a));
    if (B_WIDTH == 0) assign b = 0;
    else \\$pos #(.A_SIGNED(B_SIGNED), .A_WIDTH(B_WIDTH), .Y_WIDTH(Y_WIDTH)) extend_b (.A(B), .Y(b));
  endgenerate
  wire [Y_WIDTH-1:0] c = b ^ {Y_WIDTH{BI}};
  wire [Y_WIDTH:0] carry;
  assign carry[0] = CI;
  assign X = a ^ c;
  assign CO = carry[Y_WIDTH:1];
  genvar i;
  generate
    for (i = 0; i < Y_WIDTH; i = i + 1) begin : bits
      \\$fa #(.WIDTH(1)) adder (.A(a[i]), .B(c[i]), .C(carry[i]), .X(carry[i+1]), .Y(Y[i]));
    end
  endgenerate
endmodule
""")
"""Yosys' map of an addition to full adders."""

# Bits with a constant are left to ABC, which makes half adders or less of them.
_ADDER_MAP = """\
(* techmap_celltype = "$fa" *)
module full_adder (A, B, C, X, Y);
  parameter WIDTH = 1;
  parameter _TECHMAP_CONSTMSK_A_ = 0;
  parameter _TECHMAP_CONSTMSK_B_ = 0;
  parameter _TECHMAP_CONSTMSK_C_ = 0;
  input [WIDTH-1:0] A, B, C;
  output [WIDTH-1:0] X, Y;
  genvar i;
  generate
    for (i = 0; i < WIDTH; i = i + 1) begin : bits
      if (_TECHMAP_CONSTMSK_A_[i] || _TECHMAP_CONSTMSK_B_[i] || _TECHMAP_CONSTMSK_C_[i]) begin
        assign Y[i] = A[i] ^ B[i] ^ C[i];
        assign X[i] = (A[i] & B[i]) | (A[i] & C[i]) | (B[i] & C[i]);
      end else begin
        \\@cell@ adder (.\\@a@ (A[i]), .\\@b@ (B[i]), .\\@c@ (C[i]), .\\@sum@ (Y[i]), .\\@carry@ (X[i]));
      end
    end
  endgenerate
endmodule
"""

# A black box becomes the cell of a library that has its size.
_MEMORY_MAP = """\
(* techmap_celltype = "@name@" *)
module @name@ #(
@parameters@
) (
@ports@
);
  generate
@choices@  endgenerate
endmodule
"""
_MEMORY_CHOICE = "    if (@sizes@) @cell@ @instance@ (@connections@);\n"

_MODULE = re.compile(r"module (\w+) #\(\n(.*?)\n\) \(\n(.*?)\n\);\nendmodule", re.DOTALL)
_PORT = re.compile(r"^ *(input|output) .*?(\w+),?$", re.MULTILINE)
# Declarations: nothing in them begins a comment, a directive, a task or another module.
_DECLARATIONS = re.compile(r"(?!.*\bendmodule\b)(?:[\w\s,:=()\[\]+*?<>-]|\$clog2\b)*", re.DOTALL)

#: Instance that takes the place, and the name, of what Yosys maps.
MAPPED = Name("_TECHMAP_REPLACE_")

_ICARUS_WAVES = """\
module spinplane_waves;
  initial begin
    $dumpfile("waves.vcd");
    $dumpvars(0, @top@);
  end
endmodule
"""


def full_adder(cell: DottedName, inputs: Sequence[PinName], sum: PinName, carry: PinName) -> Text:
    """Yosys' map of a full adder to a cell with three inputs."""
    a, b, c = inputs
    return fill(_ADDER_MAP, cell=cell, a=a, b=b, c=c, sum=sum, carry=carry)


def memory_map(
    stubs: Mapping[Name, str], cells: Mapping[Name, tuple[Name, Mapping[Name, int]]], instance: Name
) -> Text:
    """Modules of black boxes that place the cell of their size: a map for Yosys, and Verilog for others.

    Parameters
    ----------
    stubs : mapping of Name to str
        Verilog of the ports of each black box.
    cells : mapping of Name to (Name, mapping of Name to int)
        Black box of each cell, and the parameters with which the cell stands for it.
    instance : Name
        Of the cell in the module; `MAPPED` keeps that of the black box, for Yosys.
    """
    return joined(
        fill(
            _MEMORY_MAP,
            name=Name(name, "module"),
            parameters=matching(parameters, _DECLARATIONS),
            ports=matching(ports, _DECLARATIONS),
            choices=joined(
                fill(
                    _MEMORY_CHOICE,
                    cell=cell,
                    instance=instance,
                    sizes=joined(
                        (fill("@key@ == @size@", key=key, size=size) for key, size in sizes.items()), " && "
                    ),
                    connections=joined(
                        (fill(".@port@(@port@)", port=Name(port)) for _, port in _PORT.findall(ports)), ", "
                    ),
                )
                for cell, (box, sizes) in cells.items()
                if box == name
            ),
        )
        for name, parameters, ports in _MODULE.findall("".join(stubs.values()))
    )


def visible_ports(top: Name, ports: Iterable[Name]) -> Text:
    """Verilator's control file that shows a bench the ports of `top`: all signals visible are slower."""
    lines = (fill('public_flat_rw -module "@top@" -var "@port@"\n', top=top, port=port) for port in ports)
    return joined([fill("`verilator_config\n"), *lines])


def icarus_waves(top: Name) -> Text:
    """A second top module, ``spinplane_waves``, with which Icarus writes all signals of `top` to ``waves.vcd``."""
    return fill(_ICARUS_WAVES, top=top)


_CELL = """\
module @name@(@ports@);
@declarations@@body@endmodule
"""
# No name of a library has a `$`. Every flip-flop draws from the simulator's one sequence: bit N of the number that it
# gets is its own in power-up N.
_STORAGE = """\
  reg @state@;
  integer number$;
  reg [31:0] drawn$;
  initial begin
    if (!$value$plusargs("power_up=%d", number$)) number$ = 0;
    drawn$ = $urandom;
    @state@= drawn$[number$];
  end
  wire clock$ = @clock@, data$ = @data@, clear$ = @clear@, preset$ = @preset@;
  wire @inverse@= clear$ && preset$ ? @both_inverse@ : ~@state@;
@takes@  always @(clear$, preset$)
    if (clear$ && preset$) @state@<= @both_state@;
    else if (clear$ || preset$) @state@<= preset$;
"""
_LATCHES = """\
  always @(clock$, data$, clear$, preset$) if (clock$ && !clear$ && !preset$) @state@<= data$;
"""
_FLIPS = "  always @(posedge clock$) if (!clear$ && !preset$) @state@<= data$;\n"
_HELD = {"L": "1'b0", "H": "1'b1", "N": "@state@", "T": "~@state@", "X": "1'bx"}
_OPERATORS = {"^": "(@left@ ^ @right@)", "&": "(@left@ & @right@)", "|": "(@left@ | @right@)"}
#: What stands for the constants of a Liberty function.
CONSTANTS = {"0": fill("1'b0"), "1": fill("1'b1")}


def word(name: PinName) -> Text:
    """A name as Verilog has it whatever its characters: escaped, up to the space."""
    return fill("\\@name@ ", name=name)


def inverted(term: Text) -> Text:
    """The inverse of a term."""
    return fill("(~@term@)", term=term)


def combined(operator: str, left: Text, right: Text) -> Text:
    """Two terms with ``^``, ``&`` or ``|`` between them."""
    return fill(_OPERATORS[operator], left=left, right=right)


def storage(
    state: DottedName,
    inverse: DottedName,
    *,
    clock: Text,
    data: Text,
    clear: Text,
    preset: Text,
    both: tuple[str, str],
    is_latch: bool,
) -> Text:
    """What is inside a flip-flop or latch: it takes `data` as `clock` rises or while it is 1, and powers up at random.

    Parameters
    ----------
    state, inverse : DottedName
    clock, data, clear, preset : Text
        Expressions.
    both : tuple of str
        What `state` and `inverse` are with `clear` and `preset`: ``L``, ``H``, ``N``, ``T`` or ``X``.
    is_latch : bool
    """
    of_state, of_inverse = (fill(_HELD[value], state=word(state)) for value in both)
    return fill(
        _STORAGE,
        state=word(state),
        inverse=word(inverse),
        clock=clock,
        data=data,
        clear=clear,
        preset=preset,
        both_state=of_state,
        both_inverse=of_inverse,
        takes=fill(_LATCHES if is_latch else _FLIPS, state=word(state)),
    )


def cell(name: DottedName, inputs: Sequence[PinName], outputs: Mapping[PinName, Text], inside: Text) -> Text:
    """The module of a cell, with an expression for each output and what is `inside` beside them."""
    declared = [
        *(fill("  input @pin@;\n", pin=word(pin)) for pin in inputs),
        *(fill("  output @pin@;\n", pin=word(pin)) for pin in outputs),
    ]
    driven = (
        fill("  assign @pin@= @value@;\n", pin=word(pin), value=value) for pin, value in outputs.items()
    )
    return fill(
        _CELL,
        name=word(name),
        ports=joined((word(pin) for pin in [*inputs, *outputs]), ", "),
        declarations=joined(declared),
        body=joined([inside, *driven]),
    )
