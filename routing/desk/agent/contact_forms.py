"""The form of a contact: its fields as they were typed, to be sent to the API or shown once more."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

SPARE = 1  # empty rows for what is new
MOST = 50
KINDS = ("phone", "email", "address")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactForm:
    """`id` empty: a new contact. `channels`: rows of kind, value and label; `attributes`: rows of name and value."""

    id: str = ""
    version: int = 0
    name: str = ""
    external_id: str = ""
    channels: list[dict[str, str]] = field(default_factory=list)
    attributes: list[dict[str, str]] = field(default_factory=list)

    @classmethod
    def of(cls, contact: dict[str, Any]) -> ContactForm:
        return cls(
            id=contact["id"],
            version=contact["version"],
            name=contact["name"],
            external_id=contact["external_id"],
            channels=[dict(one) for one in contact["channels"]],
            attributes=[{"name": name, "value": value} for name, value in contact["attributes"].items()],
        )

    @classmethod
    def typed(cls, contact_id: str, form: MultiDict[str, str]) -> ContactForm:
        """As the browser sent it; a row without a value is one that was emptied."""
        channels = _rows(form, kind="channel_kind", value="channel_value", label="channel_label")
        attributes = _rows(form, name="attribute_name", value="attribute_value")
        version = form.get("version", "0")
        return cls(
            id=contact_id,
            version=int(version) if version.isdecimal() else 0,
            name=form.get("name", ""),
            external_id=form.get("external_id", ""),
            channels=[row for row in channels if row["value"].strip()],
            attributes=[row for row in attributes if row["name"].strip()],
        )

    def spare(self, channels: int = SPARE, attributes: int = SPARE) -> dict[str, Any]:
        """Its rows, and empty ones behind them."""
        empty_channel = {"kind": "phone", "value": "", "label": ""}
        return {
            "channels": self.channels + [empty_channel] * min(channels, MOST - len(self.channels)),
            "attributes": self.attributes + [{"name": "", "value": ""}] * attributes,
        }

    def body(self) -> dict[str, Any]:
        """For the API."""
        return {
            "name": self.name,
            "external_id": self.external_id,
            "channels": self.channels,
            "attributes": {row["name"].strip(): row["value"] for row in self.attributes},
        }

    def patch(self, stored: dict[str, Any]) -> dict[str, Any]:
        """As `body`; attributes that are not there any more go."""
        body = self.body()
        gone = dict.fromkeys(name for name in stored["attributes"] if name not in body["attributes"])
        return body | {"attributes": body["attributes"] | gone}

    def differing(self, stored: dict[str, Any]) -> list[tuple[str, str]]:
        """(name of a field, what is stored), for each that was typed otherwise."""
        mine, theirs = self.body(), ContactForm.of(stored).body()
        return [(name, _told(theirs[name])) for name in mine if mine[name] != theirs[name]]


def _rows(form: MultiDict[str, str], **names: str) -> list[dict[str, str]]:
    """Of lists of equal length, one per column."""
    columns = {name: form.getlist(sent) for name, sent in names.items()}
    most = max((len(values) for values in columns.values()), default=0)
    return [{name: _at(values, place) for name, values in columns.items()} for place in range(min(most, 2 * MOST))]


def _at(values: list[str], place: int) -> str:
    return values[place] if place < len(values) else ""


def _told(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {text}" for name, text in value.items())
    if isinstance(value, list):
        return ", ".join(str(one["value"]) for one in value)
    return str(value)
