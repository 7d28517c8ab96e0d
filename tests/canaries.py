"""Texts that would leave a file ``canary`` if any program took them for commands."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Of shells, Tcl, Yosys, SPICE, Verilog, make, Python, YAML, HTML and paths.
COMMANDS = (
    "$(touch canary)",
    "`touch canary`",
    "; touch canary",
    "| touch canary",
    "&& touch canary #",
    "a\n! touch canary\n",
    "a\n!touch canary\n",
    "a; exec touch canary",
    "[exec touch canary]",
    "[open canary w]",
    "a\nexec touch canary\n",
    "a\ntee -o canary help\n",
    "a\n.control\nshell touch canary\n.endc\n",
    'a\n.include "canary"\n',
    "a\n*ng_script\nshell touch canary\n",
    "{shell touch canary}",
    '"; $system("touch canary"); //',
    'a; initial $system("touch canary"); wire b',
    'a (); endmodule module b; initial $fopen("canary", "w"); endmodule //',
    '\n`include "canary"\n',
    "\\a `include canary ",
    "$(shell touch canary)",
    "a\n\ttouch canary\n",
    "a: ; touch canary",
    "-o canary",
    "-D=canary",
    "--output=canary",
    "../canary",
    "../../canary",
    "/tmp/../canary",
    "{{ open('canary', 'w') }}",
    "{% for x in ().__class__.__base__.__subclasses__() %}{% endfor %}",
    "__import__('os').system('touch canary')",
    "!!python/object/apply:os.system ['touch canary']",
    "cos\nsystem\n(S'touch canary'\ntR.",
    "%s%n%x${canary}",
    "<script>canary</script>",
    "<img src=x onerror=canary>",
    "a\0b; touch canary",
    "a\r\ntouch canary",
    "а",  # Cyrillic
    "ａ；touch canary",
    "\u202ecanary\u2066",
    "\ud7ff\uffff\U0010ffff",
    "canary " * 2000,
    "",
    " ",
)


@contextmanager
def watched(folder: Path) -> Iterator[None]:
    """See to it that no canary lies in a folder, above it or in the temporary one afterwards."""
    yield
    assert list(folder.rglob("canary")) == []
    for above in (folder.parent, folder.parent.parent, Path("/tmp"), Path("/")):
        assert not (above / "canary").exists()
