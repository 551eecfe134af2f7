"""A scriptable SIP telephone for tests and demonstrations: asyncio, standard library only, UDP and PCMU.

    phone = await Phone.create("1001", server=("127.0.0.1", 5060), password="...", tone=700)
    await phone.register()
    phone.on_invite = Answer(after=0.2)  # or Reject(486), Ring(), Ignore(), or a coroutine taking the call
    call = await phone.next_call()       # incoming; call.answer(), call.reject(486)
    call = await phone.dial("7001")      # outgoing; await call.answered()
    await call.hears(440, within=2)      # the other side's tone really arrives (Goertzel)
    await call.hears_not(700); await call.quiet()
    await call.dtmf("12#"); call.digits  # RFC 4733, both ways
    await call.hold(); await call.unhold(); await call.refer("1002"); await call.hangup()
    await call.ended(); call.by, call.code, call.reason, call.cause, call.t
    await phone.close()

Give each party a tone of its own (customers 1100, agents 700 and 900, music 440): one `hears` then proves
who is connected with whom. Tones should not be multiples of one another.
"""

from deploy.lab.call import Call
from deploy.lab.phone import Phone, RegistrationRefused
from deploy.lab.policies import Answer, Ignore, Policy, Reject, Ring

__all__ = ["Answer", "Call", "Ignore", "Phone", "Policy", "RegistrationRefused", "Reject", "Ring"]
