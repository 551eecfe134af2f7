"""The configuration files of a private Asterisk, as text. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

# Everything Switchroom's dialplan may want, and no more. bridge_native_rtp stays out: in native bridges
# the customer's DTMF passes, but no DTMF event reaches the manager interface. app_system stays out too.
MODULES = """
pbx_config res_timing_timerfd res_musiconhold res_rtp_asterisk res_clioriginate res_crypto
res_sorcery_config res_sorcery_memory res_sorcery_astdb res_pjproject res_pjsip res_pjsip_session
res_pjsip_sdp_rtp res_pjsip_endpoint_identifier_user res_pjsip_endpoint_identifier_ip res_pjsip_registrar
res_pjsip_authenticator_digest res_pjsip_outbound_authenticator_digest res_pjsip_dtmf_info
res_pjsip_caller_id res_pjsip_refer res_pjsip_rfc3326 res_pjsip_header_funcs res_pjsip_logger
res_pjsip_maintenance res_pjsip_outbound_publish res_pjsip_pubsub res_pjsip_exten_state res_pjsip_nat
chan_pjsip func_pjsip_endpoint func_pjsip_aor func_pjsip_contact res_manager_devicestate
app_dial app_queue app_confbridge app_mixmonitor app_playback app_originate app_userevent app_echo app_amd
app_stack app_senddtmf app_read app_bridgewait app_channelredirect app_milliwatt app_chanspy app_playtones
app_exec app_verbose app_while app_cdr app_waitforsilence app_attended_transfer app_blind_transfer
app_bridgeaddchan app_controlplayback app_transfer app_sayunixtime app_waituntil app_softhangup app_db app_record
bridge_simple bridge_softmix bridge_holding bridge_builtin_features bridge_builtin_interval_features
codec_ulaw codec_alaw codec_a_mu codec_resample codec_gsm format_pcm format_wav format_gsm format_sln
func_callerid func_channel func_cdr func_db func_devstate func_logic func_strings func_timeout
func_hangupcause func_global func_math func_rand func_uri func_talkdetect func_holdintercept func_groupcount
func_json func_md5 func_base64 func_dialplan func_module func_sprintf func_cut func_periodic_hook
""".split()

# Asterisk complains about each of these when it is missing.
EMPTY_FILES = (
    "acl ari ccss cli cli_aliases cli_permissions codecs dnsmgr dsp extconfig res_stun_monitor sorcery "
    "stasis udptl websocket_client"
).split()

NOISY_EVENTS = ("VarSet", "TestEvent", "Newexten", "RTCPSent", "RTCPReceived")


@dataclass(frozen=True, slots=True)
class Plan:
    """What the files are written for."""

    directory: Path
    modules: Path
    data: Path
    major: int
    system_name: str
    sip_port: int
    ami_port: int
    carrier_port: int
    rtp: tuple[int, int]
    ami_secret: str
    observer_secret: str
    agents: dict[str, str]  # number -> SIP password
    trunk_context: str
    agent_context: str
    dialplan: str
    queues: str = ""
    overrides: dict[str, str] = field(default_factory=dict)  # file name -> text


def render(plan: Plan) -> dict[str, str]:
    """File name -> text of the whole etc directory."""
    available = {path.stem for path in plan.modules.glob("*.so")}
    moh = plan.directory / "moh"
    files = {f"{name}.conf": "" for name in EMPTY_FILES}
    files |= {
        "asterisk.conf": _asterisk(plan),
        "modules.conf": "[modules]\nautoload = no\n"
        + "".join(f"load = {name}.so\n" for name in MODULES if name in available),
        "logger.conf": "[general]\nqueue_log = no\n[logfiles]\nmessages.log => notice,warning,error,verbose(3)\n",
        "manager.conf": _manager(plan),
        "cdr.conf": "[general]\nenable = no\n",
        "cel.conf": "[general]\nenable = no\n",
        "http.conf": "[general]\nenabled = no\n",
        "rtp.conf": f"[general]\nrtpstart = {plan.rtp[0]}\nrtpend = {plan.rtp[1]}\nstrictrtp = no\nicesupport = no\n",
        "musiconhold.conf": f"[default]\nmode = files\ndirectory = {moh}\n",
        "features.conf": "[general]\n[featuremap]\n",
        "indications.conf": INDICATIONS,
        "confbridge.conf": CONFBRIDGE,
        "pjproject.conf": PJPROJECT,
        "pjsip.conf": _pjsip(plan),
        "queues.conf": plan.queues or "[general]\npersistentmembers = no\n",
        "amd.conf": AMD,
        "extensions.conf": plan.dialplan,
    }
    return files | plan.overrides


def _asterisk(plan: Plan) -> str:
    d = plan.directory
    return f"""[directories]
astcachedir => {d}/cache
astetcdir => {d}/etc
astmoddir => {plan.modules}
astvarlibdir => {d}/var
astdbdir => {d}/var
astkeydir => {d}
astdatadir => {plan.data}
astagidir => {d}/agi
astspooldir => {d}/spool
astrundir => {d}/run
astlogdir => {d}/log
astsbindir => /usr/sbin
[options]
verbose = 3
systemname = {plan.system_name}
defaultlanguage = en
hideconnect = yes
live_dangerously = no
"""


def _manager(plan: Plan) -> str:
    """The user `switchroom` has the least rights Switchroom works with; `observer` is for tests only."""
    if plan.major >= 20:
        filters = [f"eventfilter(action(exclude),name({name})) =" for name in NOISY_EVENTS]
    else:
        filters = [f"eventfilter = !Event: {name}" for name in NOISY_EVENTS]
    login = "deny = 0.0.0.0/0.0.0.0\npermit = 127.0.0.1/255.255.255.255\nwritetimeout = 5000\n"
    return f"""[general]
enabled = yes
webenabled = no
bindaddr = 127.0.0.1
port = {plan.ami_port}
timestampevents = yes
displayconnects = no
channelvars = SR_IID,SR_LEG
[switchroom]
secret = {plan.ami_secret}
{login}read = system,call,user,dtmf,reporting
write = call,originate,user,reporting
{chr(10).join(filters)}
[observer]
secret = {plan.observer_secret}
{login}read = all
write = all
"""


def _pjsip(plan: Plan) -> str:
    agents = "".join(_agent(number, password, plan) for number, password in plan.agents.items())
    # The trunk knows its callers by address only. The fixed callerid keeps what a caller puts into From
    # out of CallerIDNum, where a coded line break would become a forged manager event.
    return f"""[global]
type = global
user_agent = Switchroom lab
endpoint_identifier_order = username,ip
[system]
type = system
timer_t1 = 500
[udp]
type = transport
protocol = udp
bind = 127.0.0.1:{plan.sip_port}
{agents}
[trunk]
type = endpoint
context = {plan.trunk_context}
callerid = trunk <0>
aors = trunk
identify_by = ip
{MEDIA}
[trunk]
type = aor
contact = sip:127.0.0.1:{plan.carrier_port}
qualify_frequency = 0
[trunk]
type = identify
endpoint = trunk
match = 127.0.0.1
"""


def _agent(number: str, password: str, plan: Plan) -> str:
    return f"""
[{number}]
type = endpoint
context = {plan.agent_context}
auth = {number}
aors = {number}
identify_by = username
force_rport = yes
rewrite_contact = yes
device_state_busy_at = 1
allow_subscribe = yes
callerid = Agent {number} <{number}>
{MEDIA}
[{number}]
type = auth
auth_type = userpass
username = {number}
password = {password}
[{number}]
type = aor
max_contacts = 1
remove_existing = yes
"""


MEDIA = """disallow = all
allow = ulaw,alaw
direct_media = no
media_address = 127.0.0.1
bind_rtp_to_media_address = yes
rtp_symmetric = yes
dtmf_mode = rfc4733"""

# The caller's number comes from the raw From header, still percent-coded, and is filtered; numbers that
# may be dialled have fixed lengths (a pattern with "." would let coded line breaks through).
TRUNK_DIALPLAN = (
    "\n[lab-trunk]\n"
    + "".join(f"exten => _{'X' * digits},1,Goto(lab-caller,${{EXTEN}},1)\n" for digits in range(2, 16))
    + """
[lab-caller]
exten => _X!,1,Set(F=${PJSIP_HEADER(read,From)})
 same => n,ExecIf($[${FIELDQTY(F,<)} > 1]?Set(F=${CUT(F,<,2)}))
 same => n,Set(F=${CUT(F,@,1)})
 same => n,Set(F=${CUT(F,:,2)})
 same => n,Set(CALLERID(all)=<${IF($[${FIELDQTY(F,%)} > 1]?0:${FILTER(0-9+,${F})})}>)
 same => n,Goto(from-trunk,${EXTEN},1)
"""
)

INDICATIONS = """[general]
country = de
[de]
description = Germany
ringcadence = 1000,4000
dial = 425
busy = 425/480,0/480
ring = 425/1000,0/4000
congestion = 425/240,0/240
"""

PJPROJECT = """[startup]
type = startup
log_level = default
[log_mappings]
type = log_mappings
asterisk_error = 0,1
asterisk_warning = 2
"""

AMD = """[general]
initial_silence = 2500
greeting = 1500
after_greeting_silence = 800
total_analysis_time = 5000
min_word_length = 100
between_words_silence = 50
maximum_number_of_words = 3
silence_threshold = 256
maximum_word_length = 5000
"""

# What ConfBridge() takes when the dialplan names no profile; 8 kHz, as every codec here.
CONFBRIDGE = """[general]
[default_bridge]
type = bridge
internal_sample_rate = 8000
mixing_interval = 20
[default_user]
type = user
"""
