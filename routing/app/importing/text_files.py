"""Reading strangers' files: sizes have a limit, text is UTF-8, and includes end."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from routing.app.importing.findings import ImportRefused

MAX_BYTES = 16 * 1024 * 1024
MAX_FILES = 2000
MAX_DEPTH = 20


@dataclass(slots=True)
class Budget:
    """What all files of one import may be together."""

    files: int = MAX_FILES
    bytes: int = MAX_BYTES

    def read(self, file: Path) -> str:
        """The file's text. Raises ImportRefused."""
        self.files -= 1
        if self.files < 0:
            raise ImportRefused(file, 0, f"more than {MAX_FILES} files are included")
        try:
            with file.open("rb") as stream:
                raw = stream.read(self.bytes + 1)
        except (OSError, ValueError) as error:  # ValueError: a path with a zero byte
            raise ImportRefused(file, 0, f"cannot be read: {getattr(error, 'strerror', None) or error}") from error
        if len(raw) > self.bytes:
            raise ImportRefused(file, 0, f"the files are larger than {MAX_BYTES} bytes")
        self.bytes -= len(raw)
        try:
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            raise ImportRefused(file, line, "not UTF-8 text") from error


def included(pattern: str, beside: Path, place: tuple[Path, int]) -> list[Path]:
    """Files that an include names, relative to the file that includes it; sorted. Raises ImportRefused."""
    try:
        whole = Path(re.sub(r"\*\*+", "*", pattern))  # both PBXs use glob(3), to which ** is *
        if whole.is_absolute():
            return sorted(f for f in Path(whole.anchor).glob(str(whole.relative_to(whole.anchor))) if f.is_file())
        return sorted(f for f in beside.glob(str(whole)) if f.is_file())
    except (ValueError, NotImplementedError, OSError) as error:
        raise ImportRefused(*place, f"cannot be included: {error}") from error


def check_depth(depth: int, place: tuple[Path, int]) -> None:
    if depth > MAX_DEPTH:
        raise ImportRefused(*place, f"files include one another more than {MAX_DEPTH} deep")
