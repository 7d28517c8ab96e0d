"""What the site adds to docs/ while mkdocs builds it: pages of the root, sources that pages link, executed notebooks.

The pages are written for a reader of the repository: a link leads to any file in it, and lists follow a line as they do
there. Here links lead to pages of the site instead, and each file that is no page gets one that shows it.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
#: Pages outside docs/, and what they are called in the site.
OF_ROOT = {
    "README.md": "index.md",
    **{name: name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")},
}
#: A link or an image with a target in the repository.
_LINK = re.compile(r"\]\((?![a-z]+:|#)([^)\s#]+)(#[^)\s]*)?\)")
_FENCED = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
_HIGHLIGHTED = {".py": "python", ".v": "verilog", ".toml": "toml", ".sh": "sh"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of the root, a page for each source that is linked, and the notebooks."""
    for name, site in OF_ROOT.items():
        files.append(File.generated(config, site, content=(ROOT / name).read_text(encoding="utf-8")))
    for path in _linked_sources(files):
        files.append(_unlisted(config, f"source/{path}.md", _source_page(path)))
    for notebook in _notebooks(config).rglob("*.ipynb"):
        uri = notebook.relative_to(_notebooks(config)).as_posix()
        files.append(File.generated(config, uri, abs_src_path=str(notebook)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links of the repository into links of the site; name a page's notebook below its title."""
    uri = page.file.src_uri
    if re.match(r"(tutorial|examples)/[0-9]", uri):
        name = posixpath.basename(uri).removesuffix(".md")
        title, rest = markdown.split("\n", 1)
        markdown = f"{title}\n\n[This page as an executed notebook]({name}.ipynb)\n{rest}"
    elif uri.startswith("source/") and not (ROOT / _in_repository(uri)).is_dir():
        return markdown
    parts = _FENCED.split(markdown)
    return "".join(part if part.startswith("```") else _separated(_site_links(part, uri)) for part in parts)


def _in_repository(uri: str) -> str:
    """Path in the repository of a page of the site."""
    if uri.startswith("source/"):
        return uri.removeprefix("source/").removesuffix(".md")
    return next((path for path, site in OF_ROOT.items() if site == uri), f"docs/{uri}")


def _in_site(path: str) -> str:
    """Page of the site for a path in the repository."""
    if path.startswith("docs/"):
        inside = path.removeprefix("docs/")
        return f"{inside}/README.md" if (ROOT / path).is_dir() else inside
    return OF_ROOT.get(path, f"source/{path}.md")


def _target(path: str, link: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), link))


def _site_links(text: str, uri: str) -> str:
    path = _in_repository(uri)

    def replaced(link: re.Match[str]) -> str:
        target = _target(path, link[1])
        if not (ROOT / target).exists():
            return link[0]  # mkdocs reports it, unless it is a notebook
        return f"]({posixpath.relpath(_in_site(target), posixpath.dirname(uri) or '.')}{link[2] or ''})"

    return _LINK.sub(replaced, text)


def _separated(text: str) -> str:
    """`text` with an empty line before each list and table that follows a line, as GitHub reads them."""
    text = re.sub(r"(?m)^(?![-*|\d\s#>])(.+)\n(?=[-*] |1\. |\|)", r"\1\n\n", text)
    # Text that belongs to a point is indented by 2 or 3 spaces there, by 4 here.
    return re.sub(r"(?m)^ {2,3}(?=[-*] )", "    ", text)


def _linked_sources(files: Files) -> set[str]:
    """Files and folders of the repository that pages link and that are no pages; folders with what they hold."""
    pages = [
        (_in_repository(file.src_uri), file.content_string) for file in files if file.is_documentation_page()
    ]
    linked = {
        _target(path, link[1])
        for path, text in pages
        for link in _LINK.finditer("".join(_FENCED.split(text)[::2]))
    }
    sources = {path for path in linked if _in_site(path).startswith("source/") and (ROOT / path).exists()}
    inside = {
        path.relative_to(ROOT).as_posix()
        for folder in sources
        for path in sorted((ROOT / folder).glob("*.*") if (ROOT / folder).is_dir() else ())
    }
    return sources | inside


def _source_page(path: str) -> str:
    source = ROOT / path
    if source.is_dir():
        names = sorted(inside.name for inside in source.glob("*.*"))
        return f"# {path}\n\n" + "".join(f"- [{name}]({source.name}/{name})\n" for name in names)
    language = _HIGHLIGHTED.get(source.suffix, "text")
    return f"# {path}\n\n~~~~ {language}\n{source.read_text(encoding='utf-8')}~~~~\n"


def _unlisted(config: MkDocsConfig, uri: str, content: str) -> File:
    return File.generated(config, uri, content=content, inclusion=InclusionLevel.NOT_IN_NAV)


def _notebooks(config: MkDocsConfig) -> Path:
    return ROOT / config.extra["notebooks"]
