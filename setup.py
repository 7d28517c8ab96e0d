"""The README as a package index shows it: without the pictures and files that lie beside it in the repository."""

import re
from pathlib import Path

from setuptools import setup

#: A picture, and a link to a file of the repository or to a heading.
PICTURE = re.compile(r"^!\[[^]]*\]\(.*\)\n\n?", re.MULTILINE)
LINK = re.compile(r"\[([^]]*)\]\((?!https?:)[^)]*\)")

readme = Path(__file__).with_name("README.md").read_text(encoding="utf-8")
setup(
    long_description=LINK.sub(r"\1", PICTURE.sub("", readme)),
    long_description_content_type="text/markdown",
)
