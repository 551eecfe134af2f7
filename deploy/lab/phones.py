"""The telephones of one scenario around one PBX, closed together whatever happens."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from deploy.lab.phone import Address, Phone


class SipPbx(Protocol):
    """A PBX of the lab, as telephones see it. `sip`: where they register; its trunk calls `carrier_port`."""

    carrier_port: int

    @property
    def sip(self) -> Address: ...

    def password(self, agent: str) -> str: ...


class Phones:
    """async with Phones(pbx) as phones: one = await phones.agent("1001", tone=700)"""

    def __init__(self, pbx: SipPbx) -> None:
        self.pbx = pbx
        self._phones: list[Phone] = []

    async def agent(self, number: str, tone: int | None = None, *, register: bool = True) -> Phone:
        """An agent's telephone with its password, registered unless told otherwise."""
        phone = await self._create(number, self.pbx.password(number), tone, 0)
        if register:
            await phone.register()
        return phone

    async def caller(self, number: str, tone: int | None = None) -> Phone:
        """A customer: his calls reach the PBX by its trunk."""
        return await self._create(number, "", tone, 0)

    async def carrier(self, tone: int | None = None) -> Phone:
        """The far end of the trunk: every call to its trunk rings here."""
        return await self._create("carrier", "", tone, self.pbx.carrier_port)

    async def _create(self, user: str, password: str, tone: int | None, port: int) -> Phone:
        phone = await Phone.create(user, self.pbx.sip, password, tone, port)
        self._phones.append(phone)
        return phone

    async def close(self) -> None:
        """Close every telephone; may be called twice."""
        while self._phones:
            await self._phones.pop().close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
