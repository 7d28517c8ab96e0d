"""Views of a waveform: they name what it holds, in groups, and nothing of the folder in which it lies."""

from pathlib import Path

from spinplane.sim.wave_views import GROUPS, signals_of, write_views

HEADER = """$timescale 1ps $end
$scope module bench $end
$scope module accelerator $end
$var wire 1 ! clk $end
$var wire 32 " axil__awaddr [31:0] $end
$scope module layer_controller $end
$var wire 16 # descriptor [15:0] $end
$upscope $end
$scope module engine $end
$scope module sub_array_0 $end
$scope module sum $end
$var wire 64 $ accumulators [63:0] $end
$upscope $end
$upscope $end
$upscope $end
$upscope $end
$upscope $end
$enddefinitions $end
#0
$var wire 1 % behind_the_header $end
"""


def test_signals_are_those_of_the_header(tmp_path: Path) -> None:
    (tmp_path / "waves.vcd").write_text(HEADER, encoding="utf-8")
    top = "bench", "accelerator"
    assert signals_of(tmp_path / "waves.vcd") == {
        (*top, "clk"): "",
        (*top, "axil__awaddr"): "[31:0]",
        (*top, "layer_controller", "descriptor"): "[15:0]",
        (*top, "engine", "sub_array_0", "sum", "accumulators"): "[63:0]",
    }


def test_views_group_what_is_there_under_any_top(tmp_path: Path) -> None:
    (tmp_path / "waves.vcd").write_text(HEADER, encoding="utf-8")
    gtkwave, surfer = write_views(tmp_path / "waves.vcd")
    assert (gtkwave.name, surfer.name) == ("waves.gtkw", "waves.sucl")
    lines = gtkwave.read_text(encoding="utf-8").splitlines()
    assert lines[:3] == ['[dumpfile] "waves.vcd"', '[savefile] "waves.gtkw"', "[timestart] 0"]
    at = lines.index("-host bus")
    assert lines[at - 1 : at + 7] == [
        *("@800200", "-host bus", "@28", "bench.accelerator.clk"),
        *("@22", "bench.accelerator.axil__awaddr[31:0]", "@1000200", "-host bus"),
    ]
    assert surfer.read_text(encoding="utf-8").splitlines() == [
        "divider_add host_bus",
        "variable_add bench.accelerator.clk",
        "variable_add bench.accelerator.axil__awaddr",
        "divider_add controller",
        "variable_add bench.accelerator.layer_controller.descriptor",
        *("divider_add row_decoder", "divider_add sense_and_references", "divider_add counts"),
        "divider_add sums",
        "variable_add bench.accelerator.engine.sub_array_0.sum.accumulators",
        *("divider_add output", "zoom_fit"),
    ]
    assert str(tmp_path) not in gtkwave.read_text(encoding="utf-8")


def test_each_group_of_a_view_has_a_word_of_its_own_in_surfer() -> None:
    words = [group.replace(" ", "_") for group in GROUPS]
    assert len(set(words)) == len(words)
    assert all(word.isidentifier() for word in words)
