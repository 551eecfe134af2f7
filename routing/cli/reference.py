"""The generated parts of documents in docs/: `python -m routing.cli.reference` writes them anew."""

from __future__ import annotations

import re
from pathlib import Path

from routing.cli import reference_flows
from routing.cli.reference_cli import commands, exit_codes, json_shapes
from routing.cli.reference_config import sections

DOCS = Path(__file__).parents[2] / "docs"
PARTS = {
    "configuration.md": {"keys": sections},
    "flows.md": {"steps": reference_flows.steps, "parts": reference_flows.parts},
    "cli.md": {"exit-codes": exit_codes, "commands": commands, "shapes": json_shapes},
}


def renewed(name: str, text: str) -> str:
    """The document with its generated parts as the code has them now. Raises ValueError when a place is missing."""
    for part, render in PARTS[name].items():
        begin, end = f"<!-- generated: {part} -->", "<!-- end -->"
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        if not pattern.search(text):
            raise ValueError(f"{name} has no place for {part}")
        body = f"{begin}\n\n{render().strip()}\n\n{end}"
        text = pattern.sub(lambda _match, body=body: body, text, count=1)  # type: ignore[misc]
    return text


def main() -> None:
    """Rewrite the documents in place."""
    for name in PARTS:
        path = DOCS / name
        path.write_text(renewed(name, path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
