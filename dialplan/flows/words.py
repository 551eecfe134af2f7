"""Names of values, templates and types: whether a text can be what a step makes of it."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping

from dialplan.flows.findings import Finding, Place
from routing.core.cad import canonical
from routing.core.declarations import CadType, CadVariable
from routing.core.flow import Comparison, FlowStep, StepKind, Test
from routing.core.flow_values import NAMES, QUEUE_NAMES, names_in

Key = str | int

# Values that are never a number, and of those the ones in which no digit is found either.
_NO_NUMBER = frozenset({"interaction_id", "ani_name", "entry_point", "queue", "language", "preferred_agent", "now"}) | {
    "weekday"
}
_WORDS = frozenset({"weekday", "language"})
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NO_NUMBER_TYPES = frozenset({CadType.BOOLEAN, CadType.DATE, CadType.DATETIME})
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
# One of each type: a template that becomes a right value with none of them never does.
_SAMPLES = ("1", "true", "2026-01-31", "2026-01-31T12:00:00+00:00", "")
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token"})
_COMPARED = {
    Comparison.ABOVE: "above",
    Comparison.BELOW: "below",
}


def check_words(place: Place) -> Iterator[Finding]:
    """All names, templates and types of one step."""
    step = place.step
    yield from _assigned(place, step.cad, "cad")
    if step.look_up is not None:
        yield from _look_up(place)
    yield from _into(place)
    for index, test in enumerate(step.tests):
        yield from _test(place, test, ("any" if step.any_of else "all", index))
    for key in ("prompts", "invalid_prompts"):
        for index, part in enumerate(getattr(step, key)):
            yield from _spoken(place, part.number, is_number=True, keys=(key, index))
            yield from _spoken(place, part.digits, is_number=False, keys=(key, index))
    yield from _agents(place)


def value_name(place: Place, name: str, *keys: Key) -> Iterator[Finding]:
    """Whether a value of that name exists wherever the step runs."""
    head, _, rest = name.partition(".")
    if head == "cad" and rest:
        yield from variable(place, rest, *keys)
    elif head == "queue" and rest:
        queue, _, what = rest.rpartition(".")
        if what not in QUEUE_NAMES:
            possible = [f"queue.{queue or 'ID'}.{word}" for word in QUEUE_NAMES]
            yield place.error(f"there is no value {name!r}", *keys, word=name, known=possible)
        elif not place.around.has("queues", queue):
            known = place.around.names.get("queues", frozenset())
            yield place.error(f"there is no queue {queue!r}", *keys, word=queue, known=known)
    elif name not in NAMES:
        every = [*NAMES, *(f"cad.{one}" for declared in place.cad.values() for one in declared)]
        yield place.error(f"there is no value {name!r}", *keys, word=name, known=every)


def variable(place: Place, name: str, *keys: Key) -> Iterator[Finding]:
    """Whether that CAD variable is declared for every call that comes here."""
    lacking = sorted(entry_point for entry_point, declared in place.cad.items() if name not in declared)
    if len(lacking) == len(place.cad):
        known = {one for declared in place.cad.values() for one in declared}
        yield place.error(f"no CAD variable {name!r} is declared", *keys, word=name, known=known)
    elif lacking:
        reason = f"CAD variable {name!r} is not declared for calls of entry point {lacking[0]!r}, which lead here too"
        yield place.error(reason, *keys)


def template(place: Place, text: str, *keys: Key) -> Iterator[Finding]:
    for name in names_in(text):
        yield from value_name(place, name, *keys)
    rest = text
    for name in names_in(text):
        rest = rest.replace("{" + name + "}", "", 1)
    if "{" in rest or "}" in rest:
        yield place.error("a brace without a name of a value in it, as in {ani}", *keys)


def _assigned(place: Place, values: Mapping[str, str], key: str) -> Iterator[Finding]:
    """Variables with the templates of what they become."""
    for name, text in values.items():
        unknown = list(variable(place, name, key, name))
        yield from unknown or _typed(place, name, text, key)
        yield from template(place, text, key, name)


def _typed(place: Place, name: str, text: str, key: str) -> Iterator[Finding]:
    for declared in place.variables(name)[:1]:
        if reason := _mistake(declared, text):
            yield place.error(f"variable {name!r} is of type {declared.type.value}: {text!r} is {reason}", key, name)


def _mistake(declared: CadVariable, text: str) -> str:
    """Why no call can give that variable this value, empty when one can."""
    reason = ""
    for sample in _SAMPLES if names_in(text) else ("",):
        filled = text
        for name in names_in(text):
            filled = filled.replace("{" + name + "}", sample)
        try:
            canonical(declared, filled)
        except ValueError as error:
            reason = reason or str(error)
        else:
            return ""
    return reason


def _into(place: Place) -> Iterator[Finding]:
    step = place.step
    if step.do is not StepKind.COLLECT:
        return
    unknown = list(variable(place, step.into, "into"))
    yield from unknown
    for declared in place.variables(step.into)[:1] if not unknown else ():
        if reason := _no_digits(declared, step):
            yield place.error(f"variable {step.into!r} is of type {declared.type.value}: {reason}", "into")


def _no_digits(declared: CadVariable, step: FlowStep) -> str:
    """Why no digits can be its value, empty when some can."""
    reason = ""
    for length in range(step.input.min_digits, step.input.max_digits + 1):
        for sample in ("1" * length, *(("20260131",) if length == 8 else ())):
            try:
                canonical(declared, sample)
            except ValueError as error:
                reason = reason or f"{sample!r} is {error}"
            else:
                return ""
    return reason


def _test(place: Place, test: Test, keys: tuple[Key, ...]) -> Iterator[Finding]:
    unknown = list(value_name(place, test.value, *keys, "value"))
    yield from unknown
    if unknown:
        return
    if test.comparison in _COMPARED:
        if is_no_number(place, test.value):
            yield place.error(f"{test.value} is never a number", *keys, test.comparison.value)
        if not _NUMBER.fullmatch(test.to[0]):
            yield place.error(f"{test.to[0]!r} is no number", *keys, test.comparison.value)
    elif test.comparison in {Comparison.IS, Comparison.IS_NOT, Comparison.ONE_OF}:
        for text in test.to:
            if reason := _never_equal(place, test.value, text):
                yield place.error(f"{test.value} is never {text!r}: {reason}", *keys, test.comparison.value)


def _never_equal(place: Place, name: str, text: str) -> str:
    """Why the value is never that text, empty when it may be."""
    if name == "weekday" and text not in _DAYS:
        return f"days are {', '.join(_DAYS)}"
    for declared in place.variables(name.removeprefix("cad."))[:1] if name.startswith("cad.") else ():
        try:
            stored = canonical(declared, text)
        except ValueError as error:
            return str(error)
        return "" if stored == text else f"it is kept as {stored!r}"
    return ""


def is_no_number(place: Place, name: str) -> bool:
    """Whether that value is never a number."""
    if name.startswith("cad."):
        declared = place.variables(name.removeprefix("cad."))
        return bool(declared) and all(one.type in _NO_NUMBER_TYPES for one in declared)
    return name in _NO_NUMBER


def _spoken(place: Place, name: str, *, is_number: bool, keys: tuple[Key, ...]) -> Iterator[Finding]:
    if not name:
        return
    unknown = list(value_name(place, name, *keys))
    yield from unknown
    if unknown:
        return
    if is_number and is_no_number(place, name):
        yield place.error(f"{name} is never a number that could be spoken", *keys)
    elif name in _WORDS:
        yield place.error(f"{name} has no digits that could be spoken", *keys)
    if _is_secure(place, name):
        yield place.warning(f"{name} is secure, and is spoken aloud", *keys)


def known_value(name: str, queues: Collection[str], cad: Collection[str]) -> bool:
    """Whether a value of that name can be there, outside of flows."""
    head, _, rest = name.partition(".")
    if head == "cad":
        return rest in cad
    queue, _, what = rest.rpartition(".")
    return name in NAMES or (head == "queue" and what in QUEUE_NAMES and queue in queues)


def never_a_number(name: str) -> bool:
    """Whether a value that is no CAD is never a number."""
    return name in _NO_NUMBER


def _is_secure(place: Place, name: str) -> bool:
    return name.startswith("cad.") and any(one.secure for one in place.variables(name.removeprefix("cad.")))


def _look_up(place: Place) -> Iterator[Finding]:
    look_up = place.step.look_up
    if look_up is None:
        return
    yield from template(place, look_up.url, "url")
    for name in names_in(look_up.url):
        if _is_secure(place, name):
            yield place.warning(f"{name} is secure: addresses stay in logs, send it in the body", "url")
    for name in names_in(look_up.body):
        yield from value_name(place, name, "body")
    if look_up.body and not _is_json(look_up.body):
        yield place.error("no JSON, whatever the values are", "body")
    yield from _assigned(place, look_up.default, "default")
    for name, text in look_up.headers.items():
        if name.lower() in _SECRET_HEADERS and not text.startswith("env:"):
            yield place.warning("a secret in the open: take it from the environment, 'env:NAME'", "headers", name)


def _is_json(body: str) -> bool:
    for name in names_in(body):
        body = body.replace("{" + name + "}", "1")
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


def _agents(place: Place) -> Iterator[Finding]:
    """Agents by name; `preferred_agent` may be a template."""
    step = place.step
    yield from template(place, step.preferred_agent, "preferred_agent")
    for key, text in (("agent", step.agent), ("preferred_agent", step.preferred_agent)):
        if text and not names_in(text) and not place.around.has("agents", text):
            known = place.around.names.get("agents", frozenset())
            yield place.error(f"there is no agent {text!r}", key, word=text, known=known)
