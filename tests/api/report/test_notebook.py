"""What a real notebook shows of a result: HTML where it is the value of a cell, text alone where it is printed."""

import tempfile

from nbclient import NotebookClient
from nbformat import v4
from traitlets.config import Config

_MADE = "import spinplane\nresult = spinplane.catalogue('machines')"


def test_a_printed_result_is_one_stream_and_a_shown_one_is_html_and_text() -> None:
    cells = [v4.new_code_cell(source) for source in (_MADE, "print(result)", "result")]
    with tempfile.TemporaryDirectory() as sockets:
        # Through sockets in a folder of this user's, not through ports that others could listen to.
        manager = {"transport": "ipc", "ip": f"{sockets}/kernel"}
        NotebookClient(
            v4.new_notebook(cells=cells), timeout=600, config=Config({"AsyncKernelManager": manager})
        ).execute()
    made, printed, shown = (cell.outputs for cell in cells)
    assert made == []
    (stream,) = printed
    assert (stream.output_type, stream.name) == ("stream", "stdout")
    assert "paper8" in stream.text
    (value,) = shown
    assert value.output_type == "execute_result"
    assert set(value.data) == {"text/html", "text/plain"}
    assert value.data["text/plain"].startswith("<")
