"""Pictures have the format of their suffix, and the same bytes every time."""

from pathlib import Path

import pytest

import spinplane
from spinplane.cli import main
from spinplane.machine import SpinplaneError
from spinplane.machine.drawing import FORMATS, Drawing, Target, check_format
from spinplane.machine.pictures import picture


def draw(to: Target) -> None:
    with picture(to, 2.0, 1.5) as figure:
        figure.suptitle("sum")
        figure.subplots().plot([1, 2])


DRAWING = Drawing(name="line", draw=draw)


@pytest.mark.parametrize("format", FORMATS)
def test_equal_pictures_have_equal_bytes(format: str, tmp_path: Path) -> None:
    first, second = (DRAWING.write(tmp_path / folder, format) for folder in ("a", "b"))
    content = first.read_bytes()
    assert (first.name, content) == (f"line.{format}", second.read_bytes())
    assert content.lstrip().startswith({"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[format])
    assert b"CreationDate" not in content
    assert b"<dc:date>" not in content


def test_letters_of_a_pdf_are_letters(tmp_path: Path) -> None:
    content = DRAWING.write(tmp_path, "pdf").read_bytes()
    assert b"/Subtype /Type0" in content or b"/CIDFontType2" in content
    assert b"/Type3" not in content


def test_a_picture_in_memory_is_the_png(tmp_path: Path) -> None:
    assert DRAWING.png() == DRAWING.write(tmp_path).read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["line.png"]


def test_another_format_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    message = r"its name must end in \.png, \.svg or \.pdf$"
    with pytest.raises(SpinplaneError, match=message):
        DRAWING.write(tmp_path, "gif")
    with pytest.raises(SpinplaneError, match=message):
        spinplane.compile_model("no such network", machine="tiny", picture=tmp_path / "rows.jpg")
    with pytest.raises(
        SpinplaneError, match=r"^format 'gif': pictures are written as \.png, \.svg or \.pdf$"
    ):
        check_format("gif")
    assert list(tmp_path.iterdir()) == []


def test_the_command_refuses_a_suffix_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "rows.jpg"
    with pytest.raises(SystemExit) as ended:
        main(["compile", "digits-1-1", "--picture", str(file)])
    assert ended.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert "its name must end in .png, .svg or .pdf" in printed.err
