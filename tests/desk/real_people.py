"""People at the pages of a real centre: what they see by its names, and what they press."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, Locator, expect

from deploy.lab.call import Call
from tests.desk.browser import NARROW, WIDE, Desk, desk
from tests.desk.real_site import ANNA, BEN, PASSWORDS, Crm, Lines
from tests.system.center import MUSIC_HZ, tone_of

PATIENCE_MS = 20_000  # a telephone system, a server and a browser share a small machine
expect.set_options(timeout=PATIENCE_MS)


@dataclass(slots=True)
class Person:
    """Somebody with a browser of his own; `own` is the part of the page that is about himself."""

    name: str
    at: Desk

    def sign_in(self, password: str = "") -> None:
        """With his name and password, on the page that anybody gets who comes to the desk."""
        page = self.at.page
        self.at.open("/desk/")
        page.get_by_label("Name").fill(self.name)
        page.get_by_label("Password").fill(password or PASSWORDS[self.name])
        page.get_by_role("button", name="Sign in").click()

    def is_there(self) -> None:
        """The scripts of his page run, and its stream speaks."""
        expect(self.at.page.locator("html[data-ready]")).to_be_attached()

    def sign_out(self) -> None:
        """By the menu of his name."""
        self.at.page.locator("summary", has_text="Signed in:").click()
        self.at.page.get_by_role("button", name="Sign out").click()
        expect(self.at.page.get_by_label("Password")).to_be_visible()

    def goes_to(self, page: str) -> None:
        """By the bar at the top."""
        self.at.page.get_by_role("navigation").get_by_role("link", name=page, exact=True).click()
        expect(self.at.page).to_have_title(re.compile(rf"^{page} "))

    def is_in(self, *told: str) -> None:
        """An agent's state, as his own page tells it."""
        self.sees(*told, within=self.me.get_by_role("status").first)

    def part(self, name: str) -> Locator:
        """Of the page, by how that begins which people and their screen readers call it."""
        return self.at.page.get_by_role("region", name=re.compile("^" + re.escape(name)))

    @property
    def me(self) -> Locator:
        return self.part("Me")

    @property
    def call(self) -> Locator:
        return self.at.page.get_by_role("article")

    def press(self, name: str, within: Locator | None = None) -> None:
        (within or self.at.page.get_by_role("main")).get_by_role("button", name=name).click()

    def keys(self, *keys: str) -> None:
        """Shortcuts, as pressed by somebody who types nothing."""
        for key in keys:
            self.at.page.keyboard.press(key)

    def chooses(self, whom: str) -> None:
        """In the dialog of targets that is open: types a part of the name, then takes the one that is found."""
        dialog = self.at.page.get_by_role("dialog")
        dialog.get_by_role("searchbox").fill(whom[:3])
        dialog.get_by_role("button", name=whom).click()
        expect(dialog).to_be_hidden()

    def sees(self, *texts: str, within: Locator | None = None) -> None:
        where = within or self.at.page.get_by_role("main")
        for text in texts:
            expect(where).to_contain_text(text)

    def finds_the_page_sound(self) -> None:
        """Nothing in it is out of reach for anybody, and on a telephone's screen it needs no sideways scroll."""
        assert self.at.axe() == []
        self.at.page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
        assert not self.at.is_too_wide()
        self.at.page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})


@dataclass(slots=True)
class Day:
    """`caller`, `one` and `two`: the telephones of the customer, of anna and of ben in the call of now."""

    lines: Lines
    crm: Crm
    anna: Person
    ben: Person
    sam: Person
    caller: Call = field(init=False, repr=False)
    one: Call = field(init=False, repr=False)
    two: Call = field(init=False, repr=False)

    def connect(self) -> None:
        """A new caller with anna."""
        self.caller = self.lines.dial()
        self.one = self.lines.pick_up(ANNA)
        self.anna.sees("Connected", within=self.anna.call)
        self.lines.together(self.caller, self.one)

    def consult_ben(self) -> None:
        """He has picked up; the customer is on hold."""
        self.anna.keys("c")
        self.anna.chooses("Ben Carter")
        self.ben.sees("Anna Berger", "Pick up your telephone", within=self.ben.part("Consult"))
        self.two = self.lines.pick_up(BEN)
        for person, other in ((self.anna, "Ben Carter"), (self.ben, "Anna Berger")):
            person.sees(other, "Consulting", within=person.call)
        self.lines.together(self.one, self.two, apart=(self.caller,))
        self.lines.hears(self.caller, MUSIC_HZ, never=(tone_of(self.one), tone_of(self.two)))

    def ben_has_it_alone(self) -> None:
        """The customer is with him, and anna is out of the call."""
        self.lines.is_over(self.one)
        self.lines.together(self.caller, self.two)
        self.wrap_up(self.anna)

    def wrap_up(self, who: Person, reason: str = "Done") -> None:
        """The call is over for him: he says why, and is available again."""
        who.sees("Wrap-up", within=who.call)
        who.call.get_by_label(reason).check()
        who.keys("Shift+W")
        who.is_in("Available")
        expect(who.call).to_have_count(0)


@contextmanager
def people(browser: Browser, lines: Lines, crm: Crm) -> Iterator[Day]:
    """A browser for everybody who has a password."""
    with ExitStack() as opened:
        found = {name: Person(name, opened.enter_context(desk(browser, lines.site.api_url))) for name in PASSWORDS}
        for person in found.values():
            person.at.page.set_default_timeout(PATIENCE_MS)
        yield Day(lines, crm, **found)
