"""The site, by Sphinx: the guide, the README, the benchmarks, examples and the API.

Pages that live elsewhere in the repository are copied into _site, which git ignores,
and links between files become links between pages. `bash .ci/docs` builds it.
"""

import re
import shutil
import sys
from pathlib import Path, PurePosixPath

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SITE = HERE / "_site"
sys.path.insert(0, str(ROOT))

import skwd  # noqa: E402

project = "skwd"
author = "The skwd developers"
copyright = f"{author}, BSD 3-Clause"
version = release = skwd.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "sphinx_gallery.gen_gallery",
]
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
exclude_patterns = ["README.md", "_build", "_site/examples"]
suppress_warnings = ["config.cache"]  # of an order that cannot be pickled

myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 4

default_role = "autolink"
autosummary_generate = True
templates_path = ["templates"]
autodoc_typehints = "none"
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

html_theme = "pydata_sphinx_theme"
html_title = "skwd"
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "show_toc_level": 2,
    "show_prev_next": True,
    "navigation_with_keys": False,
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "footer_start": ["copyright"],
    "footer_end": [],
}
ALONE = ("readme", "benchmarks", "changelog", "contributing", "security")
html_sidebars = {"index": [], **{f"_site/{name}": [] for name in ALONE}}
html_static_path = ["static"]
html_css_files = ["skwd.css"]

# Pages of the site by the file that they are made of, without the guide's own.
PAGES = {
    "README.md": "_site/readme.md",
    "CHANGELOG.md": "_site/changelog.md",
    "benchmarks/README.md": "_site/benchmarks.md",
    ".github/CONTRIBUTING.md": "_site/contributing.md",
    ".github/SECURITY.md": "_site/security.md",
    "examples/README.md": "_site/gallery/index.rst",
    "examples/guide/README.md": "_site/guide.md",
}
# Examples in the order of the page that gathers them.
ORDER = re.findall(r"^\[(\w+\.py)\]", (ROOT / "examples/README.md").read_text(), re.M)

# The guide's pages in the order of the page that lists them.
GUIDE = re.findall(r"^- \[.*?\]\((\w+)\.md\)", (HERE / "README.md").read_text(), re.M)

CONTENTS = """
```{toctree}
:hidden:

"""

GALLERY = """\
Examples
========

Each is one idea, one file and one picture. The files print their tables as well; start
them from a clone, as each page says.
"""


def staged() -> None:
    """Copy the pages that live elsewhere, and the examples with their pictures."""
    shutil.rmtree(SITE, ignore_errors=True)
    (SITE / "examples").mkdir(parents=True)
    for source, page in PAGES.items():
        if page.endswith(".md") and page.startswith("_site"):
            shutil.copy(ROOT / source, HERE / page)
    with (SITE / "guide.md").open("a", encoding="utf-8") as guide:
        guide.write(CONTENTS + "".join(f"/{name}\n" for name in GUIDE) + "```\n")
    (SITE / "examples/GALLERY_HEADER.rst").write_text(GALLERY)
    for path in (ROOT / "examples").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        if path.with_suffix(".png").exists():
            # Below the docstring's title and text, and as the thumbnail.
            end = text.index('"""', 3)
            picture = f"\n.. image:: ../../../{path.stem}.png\n   :alt: {path.stem}\n"
            small = f"# sphinx_gallery_thumbnail_path = '../{path.stem}.png'\n"
            text = text[:end] + picture + text[end:] + small
        (SITE / "examples" / path.name).write_text(text, encoding="utf-8")


class InOrder:
    """The order of the examples in the gallery: that of the page that gathers them."""

    def __init__(self, folder: str):
        self.folder = folder

    def __call__(self, filename: str) -> int:
        return ORDER.index(filename) if filename in ORDER else len(ORDER)


staged()

sphinx_gallery_conf = {
    "examples_dirs": str(SITE / "examples"),
    "gallery_dirs": "_site/gallery",
    "filename_pattern": r"$^",  # the tests run them; pictures are those of the clone
    "within_subsection_order": InOrder,
    "download_all_examples": False,
    "show_signature": False,
    "remove_config_comments": True,
    "copyfile_regex": "",
    "min_reported_time": 1e9,
}


def to_pages(app, docname: str, source: list) -> None:
    """Links between files of the repository, as links between pages of the site."""
    path = PurePosixPath(app.env.doc2path(docname, base=False))
    if path.suffix != ".md":
        return
    origins = {page: file for file, page in PAGES.items()}
    origin = PurePosixPath(origins.get(str(path), f"examples/guide/{path}"))
    if str(path) == "index.md":
        origin = PurePosixPath("examples/guide/index.md")

    def page_of(match: re.Match) -> str:
        target, hash_, anchor = match[1].partition("#")
        if not target or "://" in target or target.startswith("mailto:"):
            return match[0]
        file = PurePosixPath(_plain(origin.parent / target))
        if file.parent == PurePosixPath("examples") and file.suffix == ".py":
            page = f"_site/gallery/{file.stem}.rst"
        else:
            known = PAGES.get(str(file)) or PAGES.get(f"{file}/README.md")
            page = known or f"../../{file}"
        if page.startswith("../../examples/guide/"):
            page = page.removeprefix("../../examples/guide/")
        if page.startswith("_site/gallery"):
            hash_ = anchor = ""  # of the page that gathers them on GitHub
        up = "../" * (len(path.parts) - 1)
        return f"]({up}{page}{hash_}{anchor})"

    source[0] = re.sub(r"\]\(([^)\s]+)\)", page_of, source[0])


def _plain(path: PurePosixPath) -> str:
    """A path without ``..`` and ``.``."""
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def of_others(app, what, name, member, skip, options):
    """Leave out what a class has from scikit-learn, which documents it."""
    module = getattr(member, "__module__", None)
    return True if module is not None and not module.startswith("skwd") else None


def with_links(app, what, name, obj, options, lines: list) -> None:
    """Pages of the guide that docstrings name, which help() shows too, as links."""
    lines[:] = [re.sub(r"\bguide/(\w+)\.md", r":doc:`/\1`", line) for line in lines]


def setup(app) -> None:
    app.connect("source-read", to_pages)
    app.connect("autodoc-process-docstring", with_links)
    app.connect("autodoc-skip-member", of_others)
