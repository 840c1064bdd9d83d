"""The pages lead somewhere: no link to a page that is not there, no page that nobody links, no number used twice."""

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", *DOCS.rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def links(page: Path) -> list[Path]:
    """The files of this repository that a page links."""
    found = _LINK.findall(page.read_text(encoding="utf-8"))
    return [(page.parent / link).resolve() for link in found if "://" not in link]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    assert [link for link in links(page) if not link.exists()] == []


def test_every_page_is_on_the_map() -> None:
    assert sorted(set(DOCS.glob("*.md")) - set(links(DOCS / "README.md")) - {DOCS / "README.md"}) == []


def test_every_decision_has_a_number_of_its_own() -> None:
    numbers = Counter(path.name[:4] for path in (DOCS / "decisions").glob("*.md"))
    assert [number for number, count in numbers.items() if count > 1 or not number.isdigit()] == []
