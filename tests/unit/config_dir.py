"""A small right configuration, and a way to break it in one place."""

from __future__ import annotations

from pathlib import Path

GOOD = {
    "pbx.toml": """\
[pbx.ast1]
secret_env = "NOBODY_SETS_THIS"
""",
    "people.toml": """\
[skills]
english = "English"
billing = "Billing"

[teams.front]
queues = { sales = 1 }

[agents.anna]
name = "Anna"
team = "front"
phone = "PJSIP/1001"
skills = { english = 8 }

[agents.ben]
name = "Ben"
team = "front"
phone = "PJSIP/1002"
skills = { english = 3, billing = 5 }
""",
    "queues.toml": """\
[queues.sales]
requires = { english = 5 }
wrap_up = { timeout_s = 20, default_reason = "Done" }

[[queues.sales.relaxation]]
after_s = 30
requires = { english = 2 }

[entry_points.main]
queue = "sales"
numbers = ["100"]

[cad.customer]
label = "Customer"

[reasons]
idle = ["Break"]
wrap_up = ["Done"]
""",
}


def write(directory: Path, **changes: str) -> Path:
    """The good files; a keyword `queues="..."` replaces or adds the file queues.toml."""
    files = GOOD | {f"{name}.toml": text for name, text in changes.items()}
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8")
    return directory


def replaced(name: str, old: str, new: str) -> str:
    """The good file with one place changed; the place must be there."""
    text = GOOD[f"{name}.toml"]
    if text.count(old) != 1:
        raise ValueError(f"{old!r} stands {text.count(old)} times in {name}.toml")
    return text.replace(old, new)
