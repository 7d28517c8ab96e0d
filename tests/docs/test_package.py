"""What a package index, a citation and a clean machine get: the source distribution, its metadata, the workflow."""

import email
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
import readme_renderer.markdown
import yaml

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def tracked() -> list[str]:
    """Files of the repository; in an unpacked source distribution those that it came with."""
    if not (ROOT / ".git").exists():
        sources = next(ROOT.glob("*.egg-info")) / "SOURCES.txt"
        return sources.read_text(encoding="utf-8").splitlines()
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for path in listed.splitlines() if (ROOT / path).exists()]


@pytest.fixture(scope="module")
def distribution(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked source distribution of what the repository holds."""
    folder = tmp_path_factory.mktemp("distribution")
    for path in tracked():
        copy = folder / "tree" / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, copy)
    build = f"from setuptools import build_meta; build_meta.build_sdist({str(folder)!r})"
    done = subprocess.run(
        [sys.executable, "-c", build], cwd=folder / "tree", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    return folder / f"spinplane-{PROJECT['version']}"


@pytest.fixture(scope="module")
def metadata(distribution: Path) -> Message:
    return email.message_from_string((distribution / "PKG-INFO").read_text(encoding="utf-8"))


def test_the_source_distribution_holds_what_the_repository_holds(distribution: Path) -> None:
    missing = [path for path in tracked() if not (distribution / path).is_file()]
    assert missing == [], "MANIFEST.in lists what goes into the source distribution"
    needed = [path for path in (".ci/run", "tools/setup.sh") if not os.access(distribution / path, os.X_OK)]
    assert needed == []


def test_the_description_has_no_dead_link_and_no_picture(metadata: Message) -> None:
    assert metadata["Description-Content-Type"] == "text/markdown"
    page = readme_renderer.markdown.render(str(metadata.get_payload()))
    assert page is not None
    assert "<img" not in page
    links = [link for link in re.findall(r'href="([^"]*)"', page) if not link.startswith("#user-content-")]
    assert [link for link in links if not link.startswith("https://")] == []
    assert "<table>" in page
    text = re.sub(r"<[^>]+>", "", page)
    for shown in ("pip install", "spinplane demo", "What it proves, and what it does not"):
        assert shown in text
    # What the renderer leaves as it stands would be read so.
    prose = re.sub(r"<pre.*?</pre>|<code>.*?</code>", "", page, flags=re.DOTALL)
    assert re.findall(r"\]\(|!\[", prose) == []


def test_licences_are_those_of_code_and_data(metadata: Message, distribution: Path) -> None:
    assert metadata["License-Expression"] == "Apache-2.0 AND CC-BY-SA-3.0"
    notice = (distribution / "NOTICE").read_text(encoding="utf-8")
    for data in ("api/data/networks/mnist-test-200.npz", "device/freepdk45-vtg.sp"):
        assert data in notice
        assert (distribution / data).is_file()
    files = metadata.get_all("License-File")
    assert files == ["LICENSE", "NOTICE", "LICENSES/CC-BY-SA-3.0.txt"]
    assert all((distribution / file).stat().st_size for file in files)


def test_the_citation_is_one_of_this_software_and_of_the_paper() -> None:
    citation: dict[str, Any] = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    # Fields that version 1.2.0 requires, and those that it knows of what stands here.
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert set(citation) <= {
        *("abstract", "authors", "cff-version", "keywords", "license", "message", "references", "title"),
        *("type", "version"),
    }
    assert (citation["title"], citation["type"], str(citation["version"])) == (
        PROJECT["name"],
        "software",
        PROJECT["version"],
    )
    assert " AND ".join(citation["license"]) == PROJECT["license"]
    (paper,) = citation["references"]
    assert {"type", "title", "authors"} <= set(paper)
    assert (paper["type"], paper["year"], len(paper["authors"])) == ("conference-paper", 2018, 4)
    assert all(set(author) == {"family-names", "given-names"} for author in paper["authors"])


def test_the_workflow_runs_what_ci_runs_and_may_nothing_else() -> None:
    workflow: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    (job,) = workflow["jobs"].values()
    assert job["steps"][-1] == {"run": ".ci/run"}
    actions = [step["uses"] for step in job["steps"] if "uses" in step]
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action) for action in actions)
