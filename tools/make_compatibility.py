"""Writes docs/compatibility.md from the tables by which requests are treated.

    uv run python tools/make_compatibility.py

`tests/unit/test_operations_members.py` fails when the page is not what this command would write.
"""

from pathlib import Path

from sagestone.operations.compatibility import compatibility_page

TARGET = Path(__file__).parents[1] / "docs" / "compatibility.md"

if __name__ == "__main__":
    TARGET.write_text(compatibility_page())
