"""kamailio (Debian's package) as a carrier on loopback: it wants a login, and relays to a phone.

It is a registrar, too, and may take no call of an account that is not registered.

It stays in the route, with two sockets, one for its customers and one for its phones: two Record-Routes.
"""

import asyncio
import os
import re
import signal
import socket
from contextlib import suppress
from pathlib import Path

from tests.helpers.program import Program

BOUND_S = 20.0
REALM = "carrier.test"
USERNAME, PASSWORD = "1234567", "the carrier's secret"
MOVED, UNKNOWN = "12025550171", "12025550172"
"""Numbers that it answers itself: with 302, and with 404. All others are the phone's."""

_CONFIG = """\
#!KAMAILIO
debug=2
log_stderror=yes
fork=yes
children=2
disable_tcp=yes
auto_aliases=no
listen=udp:{host}:{port}
listen=udp:{host}:{inner_port}
mpath="/usr/lib/{machine}/kamailio/modules/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "auth.so"
loadmodule "xlog.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
modparam("rr", "enable_double_rr", 1)
modparam("auth", "algorithm", "{algorithm}")

request_route {{
  xlog("L_NOTICE", "saw $rm at $Rp\\n");
  if (!mf_process_maxfwd_header("10")) {{
    sl_send_reply("483", "Too Many Hops");
    exit;
  }}
  if (is_method("OPTIONS") && !has_totag()) {{
    sl_send_reply("200", "Here");
    exit;
  }}
  if (is_method("REGISTER")) {{
    if (!pv_www_authenticate("{realm}", "{password}", "0") || $au != "{username}" || $tU != "{username}") {{
      www_challenge("{realm}", "1");
      exit;
    }}
    save("location");
    exit;
  }}
  if (is_method("CANCEL")) {{
    if (t_check_trans()) t_relay();
    exit;
  }}
  if (is_method("ACK") && !has_totag()) {{
    t_check_trans();
    exit;
  }}
  # What comes from its customers needs the password, BYE too; only ACK cannot be challenged.
  if ($Rp == {port} && !is_method("ACK")) {{
    if (!pv_proxy_authenticate("{realm}", "{password}", "0") || $au != "{username}") {{
      proxy_challenge("{realm}", "1");
      exit;
    }}
    $var(account) = $au;
    consume_credentials();
  }}
  if (has_totag()) {{
    if (loose_route()) t_relay();
    else if (!is_method("ACK")) sl_send_reply("481", "Not Here");
    exit;
  }}
  if ({wants_registration} && $Rp == {port} && !registered("location", "sip:$var(account)@{host}")) {{
    sl_send_reply("403", "Not Registered");
    exit;
  }}
  if ($rU == "{username}") {{
    record_route();
    if (lookup("location") > 0) t_relay();
    else sl_send_reply("480", "Not Registered");
    exit;
  }}
  if ($rU == "{unknown}") {{
    sl_send_reply("404", "Not Found");
    exit;
  }}
  if ($rU == "{moved}") {{
    append_to_reply("Contact: <sip:phone@{phone}>\\r\\n");
    sl_send_reply("302", "Moved Temporarily");
    exit;
  }}
  record_route();
  force_send_socket({host}:{inner_port});
  $ru = "sip:phone@{phone}";
  t_relay();
}}
"""


class Kamailio(Program):
    """One kamailio in front of the phone at `phone`; it ends with its context."""

    def __init__(
        self,
        directory: Path,
        phone: tuple[str, int],
        *,
        algorithm: str = "MD5",
        wants_registration: bool = False,
    ) -> None:
        """`algorithm` is that of its challenges: MD5 or SHA-256.

        One that `wants_registration` takes calls of an account only while it knows an address of it.
        """
        self.host = "127.0.0.1"
        self.port, self.inner_port = _free_ports(self.host)
        self._directory = directory
        self._process: asyncio.subprocess.Process | None = None
        (machine,) = (each.parts[3] for each in Path("/usr/lib").glob("*/kamailio"))
        config = _CONFIG.format(
            host=self.host,
            port=self.port,
            inner_port=self.inner_port,
            machine=machine,
            algorithm=algorithm,
            realm=REALM,
            username=USERNAME,
            password=PASSWORD,
            moved=MOVED,
            unknown=UNKNOWN,
            wants_registration=int(wants_registration),
            phone="{}:{}".format(*phone),
        )
        (directory / "kamailio.cfg").write_text(config, encoding="utf-8")

    async def start(self) -> None:
        """Start it and wait until it answers."""
        with (self._directory / "kamailio.log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *("kamailio", "-DD", "-E", "-m", "32", "-M", "4"),
                *("-f", str(self._directory / "kamailio.cfg"), "-Y", str(self._directory)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )
        async with asyncio.timeout(BOUND_S):
            while not await asyncio.to_thread(self._answers):
                assert self._process.returncode is None, f"kamailio did not start: {self.said()}"

    async def stop(self) -> None:
        """End it and its children. Idempotent."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), BOUND_S)
        except TimeoutError:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()

    def saw(self, method: str, *, inside: bool = False) -> int:
        """How many requests with this method have come from its customers, or from its phones."""
        port = self.inner_port if inside else self.port
        return len(re.findall(rf"saw {method} at {port}$", self.said(), re.MULTILINE))

    def said(self) -> str:
        """What it has printed."""
        return (self._directory / "kamailio.log").read_text(encoding="utf-8", errors="replace")

    def _answers(self) -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((self.host, 0))
            probe.settimeout(0.1)
            here = "{}:{}".format(*probe.getsockname())
            request = (
                f"OPTIONS sip:{self.host}:{self.port} SIP/2.0",
                f"Via: SIP/2.0/UDP {here};branch=z9hG4bKprobe;rport",
                f"From: <sip:probe@{here}>;tag=1",
                f"To: <sip:{self.host}>",
                "Call-ID: probe",
                "CSeq: 1 OPTIONS",
                "Max-Forwards: 70",
                "Content-Length: 0",
            )
            probe.sendto("\r\n".join([*request, "", ""]).encode(), (self.host, self.port))
            try:
                return probe.recv(2048).startswith(b"SIP/2.0 200 ")
            except OSError:
                return False


def _free_ports(host: str) -> tuple[int, int]:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        one.bind((host, 0))
        other.bind((host, 0))
        return one.getsockname()[1], other.getsockname()[1]
