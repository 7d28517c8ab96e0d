import pytest

from spinplane.sim.runner import run_bench

# Registers each payload and takes the next one in the cycle in which the last leaves.
STAGE = """module stage(clk, rst, i__payload, i__valid, i__ready, o__payload, o__valid, o__ready,
             ping__valid, ping__ready);
  input clk, rst, i__valid, o__ready, ping__valid;
  input [7:0] i__payload;
  output i__ready, o__valid, ping__ready;
  output [7:0] o__payload;
  reg full = 0;
  reg [7:0] held = 0;
  reg was_offered = 0;
  assign i__ready = ~full | o__ready;
  assign o__valid = full;
  assign o__payload = held;
  assign ping__ready = 1;
  always @(posedge clk) begin
    if (was_offered & ~i__valid) $fatal(1, "valid fell before ready");
    was_offered <= i__valid & ~i__ready & ~rst;
    if (rst) full <= 0;
    else if (i__ready) begin
      full <= i__valid;
      held <= i__payload;
    end
  end
endmodule
"""

BENCH = """
import os
from random import Random
import cocotb
from cocotb.utils import get_sim_time
from spinplane.sim.streams import receive, reset, send

PAYLOADS = [(7 * n) % 256 for n in range(200)]


@cocotb.test()
@cocotb.parametrize(stall_in=[0.0, 0.6], stall_out=[0.0, 0.6])
async def all_payloads_arrive_in_order(dut, stall_in, stall_out):
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    start = get_sim_time("ns")
    cocotb.start_soon(send(dut, "i", PAYLOADS, stall_in, Random(rng.random())))
    assert await receive(dut, "o", len(PAYLOADS), stall_out, rng) == PAYLOADS
    cycles = (get_sim_time("ns") - start) / 10
    if stall_in or stall_out:
        assert cycles > 1.5 * len(PAYLOADS)
    else:
        assert cycles == len(PAYLOADS) + 1


@cocotb.test()
async def calls_in_a_row_leave_no_gap(dut):
    async def send_twice():
        await send(dut, "i", PAYLOADS[:10])
        await send(dut, "i", PAYLOADS[10:20])

    await reset(dut)
    start = get_sim_time("ns")
    cocotb.start_soon(send_twice())
    assert await receive(dut, "o", 5) + await receive(dut, "o", 15) == PAYLOADS[:20]
    assert (get_sim_time("ns") - start) / 10 == 21


@cocotb.test()
async def a_stream_without_payload_is_sent(dut):
    await reset(dut)
    await send(dut, "ping", [0, 0])


@cocotb.test()
async def wrong_stalls_are_refused(dut):
    await reset(dut)
    for stall, message in ((1.0, "the chance of a stall must be at least 0 and below 1, not 1.0"),
                           (0.5, "random stalls need a Random of the bench's seed")):
        try:
            await send(dut, "i", [1], stall)
        except ValueError as error:
            assert str(error) == message
        else:
            raise AssertionError("not refused")
"""


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_streams(simulator, tmp_path, monkeypatch):
    (tmp_path / "bench_of_streams.py").write_text(BENCH)
    monkeypatch.syspath_prepend(tmp_path)
    run = run_bench("bench_of_streams", {"stage": STAGE}, "stage", simulator=simulator).check()
    assert run.tests == 7


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_a_design_without_a_clock_is_only_given_its_inputs(simulator, tmp_path, monkeypatch):
    (tmp_path / "bench_of_buffer.py").write_text(
        "import cocotb\nfrom spinplane.sim.streams import reset\n"
        "@cocotb.test()\nasync def settles(dut):\n    await reset(dut)\n    assert dut.b.value == 1\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    inverter = "module inverter(input a, output b);\n  assign b = ~a;\nendmodule\n"
    run_bench("bench_of_buffer", {"inverter": inverter}, "inverter", simulator=simulator).check()
