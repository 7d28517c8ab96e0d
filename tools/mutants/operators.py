"""What a mutation may change: cosmic-ray's operators, and three for Amaranth's statements."""

import io
import tokenize
from collections.abc import Iterator
from functools import cache

import cosmic_ray.mutating
import parso
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.operators import (
    binary_operator_replacement,
    boolean_replacer,
    break_continue,
    comparison_operator_replacement,
    number_replacer,
    unary_operator_replacement,
    zero_iteration_for_loop,
)
from cosmic_ray.operators.operator import Operator
from parso.tree import NodeOrLeaf

Position = tuple[tuple[int, int], tuple[int, int]]


def _trailers(node: NodeOrLeaf) -> list[NodeOrLeaf]:
    """Parts of `a.b(c)`, or nothing."""
    return list(node.children) if node.type in ("atom_expr", "power") else []


class _AmaranthOperator(Operator):
    """Changes a whole expression of Amaranth; `mutated` has its new text, or None."""

    def mutated(self, node: NodeOrLeaf) -> str | None:
        raise NotImplementedError

    def mutation_positions(self, node: NodeOrLeaf) -> Iterator[Position]:
        if self.mutated(node) is not None:
            yield node.start_pos, node.end_pos

    def mutate(self, node: NodeOrLeaf, index: int) -> NodeOrLeaf:
        text = self.mutated(node)
        assert index == 0
        assert text is not None
        prefix = node.get_first_leaf().prefix
        return parso.parse(prefix + text)

    @classmethod
    def examples(cls) -> tuple[()]:
        return ()


class DropAssignment(_AmaranthOperator):
    """`a.eq(b)` becomes `[]`: no statement."""

    def mutated(self, node: NodeOrLeaf) -> str | None:
        parts = _trailers(node)
        assigns = len(parts) > 2 and parts[-2].get_code() == ".eq" and parts[-1].get_code().startswith("(")
        return "[]" if assigns else None


class NegateCondition(_AmaranthOperator):
    """`m.If(a)` becomes `m.If((a) == 0)`, `m.Elif` likewise."""

    def mutated(self, node: NodeOrLeaf) -> str | None:
        parts = [part.get_code(include_prefix=False) for part in _trailers(node)]
        if len(parts) == 3 and parts[0] == "m" and parts[1] in (".If", ".Elif"):
            return f"m{parts[1]}(({parts[2][1:-1]}) == 0)"
        return None


class SwapArms(_AmaranthOperator):
    """`Mux(a, b, c)` becomes `Mux(a, c, b)`."""

    def mutated(self, node: NodeOrLeaf) -> str | None:
        parts = _trailers(node)
        if len(parts) != 2 or parts[0].get_code(include_prefix=False) != "Mux":
            return None
        arguments = parts[1].children[1]
        if arguments.type != "arglist":
            return None
        texts = [part.get_code().strip() for part in arguments.children if part.get_code().strip() != ","]
        return f"Mux({texts[0]}, {texts[2]}, {texts[1]})" if len(texts) == 3 else None


AMARANTH: dict[str, type[Operator]] = {
    operator.__name__: operator for operator in (DropAssignment, NegateCondition, SwapArms)
}
#: Those of cosmic-ray that leave a program that can be imported: exceptions, decorators and names stay.
COSMIC_RAY: dict[str, type[Operator]] = {
    operator.__name__: operator
    for operator in (
        *binary_operator_replacement.operators(),
        *comparison_operator_replacement.operators(),
        *unary_operator_replacement.operators(),
        boolean_replacer.AddNot,
        boolean_replacer.ReplaceTrueWithFalse,
        boolean_replacer.ReplaceFalseWithTrue,
        boolean_replacer.ReplaceAndWithOr,
        boolean_replacer.ReplaceOrWithAnd,
        break_continue.ReplaceBreakWithContinue,
        break_continue.ReplaceContinueWithBreak,
        number_replacer.NumberReplacer,
        zero_iteration_for_loop.ZeroIterationForLoop,
    )
}
OPERATORS = COSMIC_RAY | AMARANTH
#: Types of the nodes that an operator can change, by how its name begins; others look at all.
_CHANGES = {
    "ReplaceBinaryOperator": {"operator"},
    "ReplaceComparisonOperator": {"comparison"},
    "ReplaceUnaryOperator": {"factor", "not_test"},
    "NumberReplacer": {"number"},
}


def mutations(code: str, operators: dict[str, type[Operator]]) -> Iterator[tuple[Position, str, int]]:
    """Place, operator and number among its mutations, of all that may be changed in a file.

    Annotations mean nothing when a program runs, and are left out.
    """
    nodes = list(ast_nodes(get_ast(code)))
    annotations = [(node.start_pos, node.end_pos) for node in nodes if node.type in ("tfpdef", "annassign")]
    annotations += [
        (node.annotation.start_pos, node.annotation.end_pos)
        for node in nodes
        if node.type == "funcdef" and node.annotation is not None
    ]
    of_types = {start: [node for node in nodes if node.type in types] for start, types in _CHANGES.items()}
    for name, operator in operators.items():
        occurrence, finds = 0, operator().mutation_positions
        for node in of_types.get(name.partition("_")[0], nodes):
            for position in finds(node):
                if not any(start <= position[0] < end for start, end in annotations):
                    yield position, name, occurrence
                occurrence += 1


def mutate(code: str, operator: str, occurrence: int) -> str:
    """A file with one mutation."""
    mutated = cosmic_ray.mutating.mutate_code(code, OPERATORS[operator](), occurrence)
    assert mutated is not None
    return mutated


@cache
def _tokens(code: str) -> list[tuple[int, str]]:
    return [(token.type, token.string) for token in tokenize.generate_tokens(io.StringIO(code).readline)]


def means_the_same(code: str, mutated: str) -> bool:
    """Whether two texts differ in white space alone."""
    return _tokens(code) == _tokens(mutated)
