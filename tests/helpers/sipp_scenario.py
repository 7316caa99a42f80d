"""From our short scenario files to the XML that sipp reads.

A scenario of ours is sipp's XML in which most of the text is left out. Four elements stand for what is always
the same; everything else (`pause`, `nop`, `send`, `retrans=`, …) is sipp's own and passes through.

`<expect request="ACK" cseq="1" tag="a" uri="REGEXP" optional="…">`
    wait for a request of ours and check what every request must have: Via with branch and rport,
    Max-Forwards, the INVITE's From, the To tag `tag` ("none" for none), `cseq`. ACK is checked against its
    INVITE too: the same branch after a failure, another one after a success, the same CSeq number always.
    `id` names it for `reply to=` (default: its method).
`<expect response="200" to="bye">`
    wait for our response to the `ask` of that id (default: the last one) and check CSeq, branch and tags.
`<reply status="200 OK" to="INVITE" tag="a" sdp="pcmu" contact="none|…">`
    answer a request (default: the last one that was expected). Its text is further header lines, and after an
    empty line a body.
`<ask method="BYE" cseq="1" tag="a" branch="…" uri="…" header-to="…">`
    send a request inside the dialog, or with another To outside of it.
inside `expect`:
    `<match header="Route" nth="2">REGEXP</match>`, `<match part="body">…`, `<match part="msg">…`,
    `<absent header="Route"/>`, `<keep as="name" header="Contact">REGEXP with one group</keep>`,
    `<same as="name" header="…">REGEXP with one group</same>`, `<differs …>` likewise, and `<valid/>` for the
    result of sipp's `<verifyauth assign_to="valid" …/>`.

Regular expressions are POSIX extended. `[port]`, `[media_port]` and the keywords that a test gives are
replaced everywhere, in expressions too. A file in `sdp/` is a session description, named without its suffix.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

SCENARIOS = Path(__file__).parent.parent / "integration" / "sipp"

_FAR_TAG = "far"
_BRANCH = ";branch=(z9hG4bK[0-9a-f]+)"
_OUR_ATTRIBUTES = {"request", "response", "id", "cseq", "tag", "uri", "of", "to"}
_NUMBER = "^ *([0-9]+) "


def render(name: str, keywords: Mapping[str, str]) -> str:
    """Return the XML for sipp of the scenario `name`."""
    text = (SCENARIOS / f"{name}.xml").read_text(encoding="utf-8")
    escaped = {keyword: escape(value, {'"': "&quot;"}) for keyword, value in keywords.items()}
    return _Translator(keywords).translate(ElementTree.fromstring(_fill(text, escaped)))


def _fill(text: str, keywords: Mapping[str, str]) -> str:
    for name, value in keywords.items():
        text = text.replace(f"[{name}]", value)
    return text


class _Translator:
    def __init__(self, keywords: Mapping[str, str]) -> None:
        self._keywords = keywords
        self._variables: list[str] = []
        self._last_request = ""
        self._last_ask = ""
        self._asked: dict[str, tuple[str, str]] = {}
        self._outside: set[str] = set()
        """Ids of requests of the far end that are not inside the dialog."""
        self._tag = _FAR_TAG
        self._refused: dict[str, bool] = {}
        """By id of an INVITE, whether our last final response to it was a failure."""
        self._last_invite = ""
        self._invites: set[str] = set()
        self._untagged: set[str] = set()
        """Ids of requests whose To has no tag yet: our answer adds one."""
        self._count = 0

    def translate(self, scenario: ElementTree.Element) -> str:
        parts = [self._element(element) for element in scenario]
        used = ",".join(dict.fromkeys(self._variables))
        reference = f'<Reference variables="{used}"/>\n' if used else ""
        return (
            '<?xml version="1.0" encoding="ISO-8859-1" ?>\n'
            f"<scenario name={quoteattr(scenario.get('name', 'scenario'))}>\n"
            f"{''.join(parts)}{reference}</scenario>\n"
        )

    def _element(self, element: ElementTree.Element) -> str:
        match element.tag:
            case "expect" if "request" in element.attrib:
                return self._expect_request(element)
            case "expect":
                return self._expect_response(element)
            case "reply":
                return self._reply(element)
            case "ask":
                return self._ask(element)
            case "send":
                return _send(element.text or "", element.attrib)
            case _:
                return ElementTree.tostring(element, encoding="unicode")

    def _expect_request(self, element: ElementTree.Element) -> str:
        method = element.get("request", "")
        id_ = element.get("id", method)
        initial = not self._last_invite
        actions = [
            self._ereg("^ *(.*)$", "Via", f"{id_}_via"),
            self._ereg("^ *(.*)$", "To", f"{id_}_to"),
            self._ereg("^ *(.*)$", "CSeq", f"{id_}_cseq"),
            self._check(f"^ *[0-9]+ {method}$", "CSeq"),
            self._ereg(_BRANCH, "Via", f"{id_}_branch"),
            self._check("^ *SIP/2.0/UDP [0-9.]+:[0-9]+;branch=z9hG4bK[0-9a-f]+;rport$", "Via"),
            self._check("^ *70$", "Max-Forwards"),
        ]
        if initial:
            actions += [
                self._ereg("^ *(.*)$", "From", "from"),
                self._ereg("<(.*)>", "Contact", "target"),
                self._check(";tag=[0-9a-f]+$", "From"),
            ]
        else:
            actions += self._same("^ *(.*)$", "From", "from")
        if "cseq" in element.attrib:
            actions.append(self._check(f"^ *{element.get('cseq')} {method}$", "CSeq"))
        tag = element.get("tag", "none" if method == "INVITE" else None)
        if tag == "none" or method == "CANCEL":
            self._untagged.add(id_)
            actions.append(self._check(";tag=", "To", inverse=True))
        elif tag is not None:
            actions.append(self._check(f";tag={tag}$", "To"))
        if "uri" in element.attrib:
            actions.append(self._search(f"^{method} {element.get('uri')} SIP/2.0", 'search_in="msg"'))
        if method == "ACK":
            actions += self._check_ack(element)
        elif method == "CANCEL":
            actions += self._same(_BRANCH, "Via", f"{self._last_invite}_branch")
        actions += self._children(element)
        if method != "ACK":
            self._last_request = id_
        if method == "INVITE":
            self._last_invite = id_
            self._invites.add(id_)
        return _recv(f'request="{method}"', element, actions)

    def _check_ack(self, element: ElementTree.Element) -> list[str]:
        invite = element.get("of", self._last_invite)
        number = self._same(_NUMBER, "CSeq", f"{invite}_number", source=f"{invite}_cseq")
        success = not self._refused.get(invite, False)
        return number + self._same(_BRANCH, "Via", f"{invite}_branch", differs=success)

    def _expect_response(self, element: ElementTree.Element) -> str:
        asked = element.get("to", self._last_ask)
        method, number = self._asked[asked]
        actions = [
            self._check(f"^ *{number} {method}$", "CSeq"),
            self._check(f"branch=z9hG4bKfar-{asked}-[0-9]+$", "Via"),
            *(self._same("^ *(.*)$", "To", "from") if asked not in self._outside else []),
            *self._children(element),
        ]
        return _recv(f'response="{element.get("response")}"', element, actions)

    def _reply(self, element: ElementTree.Element) -> str:
        to = element.get("to", self._last_request)
        status = element.get("status", "")
        invite = to in self._invites
        if to in self._untagged:
            self._tag = element.get("tag", _FAR_TAG)
        if invite and int(status[:3]) >= 200:
            self._refused[to] = int(status[:3]) >= 300
        tagged = f";tag={self._tag}" if to in self._untagged and self._tag != "none" else ""
        contact = element.get("contact", "<sip:far@127.0.0.1:[port]>" if invite else "none")
        lines = [
            f"SIP/2.0 {status}",
            f"Via: [${to}_via]",
            "From: [$from]",
            f"To: [${to}_to]{tagged}",
            "Call-ID: [call_id]",
            f"CSeq: [${to}_cseq]",
            *([f"Contact: {contact}"] if contact != "none" else []),
        ]
        return self._message(lines, element)

    def _ask(self, element: ElementTree.Element) -> str:
        method, number = element.get("method", ""), element.get("cseq", "1")
        self._count += 1
        id_ = element.get("id", f"{method.lower()}{self._count}")
        if "header-to" in element.attrib:
            self._outside.add(id_)
        if method != "ACK":
            self._asked[id_] = (method, number)
            self._last_ask = id_
        tag = element.get("tag", self._tag)
        branch = element.get("branch", id_)
        uri = element.get("uri", "[$target]")
        contact = element.get("contact", "<sip:far@127.0.0.1:[port]>")
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:[port];branch=z9hG4bKfar-{branch}-[call_number]",
            f"From: [$INVITE_to];tag={tag}",
            f"To: {element.get('header-to', '[$from]')}",
            "Call-ID: [call_id]",
            f"CSeq: {number} {method}",
            "Max-Forwards: 70",
            *([f"Contact: {contact}"] if method in ("INVITE", "UPDATE") and contact != "none" else []),
        ]
        return self._message(lines, element)

    def _message(self, lines: list[str], element: ElementTree.Element) -> str:
        head, _, body = "\n".join(
            line.strip() for line in (element.text or "").strip().split("\n")
        ).partition("\n\n")
        lines += [line for line in head.split("\n") if line]
        if "sdp" in element.attrib:
            body = (SCENARIOS / "sdp" / f"{element.get('sdp')}.sdp").read_text(encoding="utf-8").strip()
            lines.append("Content-Type: application/sdp")
        lines.append("Content-Length: [len]")
        text = "\n".join(lines) + "\n\n" + (body + "\n" if body else "")
        retrans = {"retrans": element.get("retrans", "")} if "retrans" in element.attrib else {}
        return _send(_fill(text, self._keywords), retrans)

    def _children(self, element: ElementTree.Element) -> list[str]:
        actions: list[str] = []
        for child in element:
            regexp, header = (child.text or "").strip(), child.get("header", "")
            match child.tag:
                case "match" if "part" in child.attrib:
                    actions.append(self._search(regexp, f'search_in="{child.get("part")}"'))
                case "match":
                    actions.append(self._check(regexp, header, nth=child.get("nth")))
                case "absent" if "part" in child.attrib:
                    actions.append(self._search(regexp, f'search_in="{child.get("part")}"', inverse=True))
                case "absent":
                    actions.append(self._check(regexp or ".", header, inverse=True))
                case "keep":
                    actions.append(self._ereg(regexp, header, child.get("as", ""), part=child.get("part")))
                case "same" | "differs" as tag:
                    name, differs = child.get("as", ""), tag == "differs"
                    actions += self._same(regexp, header, name, differs=differs, part=child.get("part"))
                case "valid":
                    text = self._new_variable()
                    actions.append(f'<assignstr assign_to="{text}" value="[$valid]"/>')
                    actions.append(self._search("^true$", _in_variable(text)))
                case _:
                    actions.append(ElementTree.tostring(child, encoding="unicode"))
        return actions

    def _ereg(self, regexp: str, header: str, name: str, *, part: str | None = None) -> str:
        """Keep the first group; fails when the header is missing or different."""
        whole = self._new_variable()
        self._variables.append(name)
        where = f'search_in="{part}"' if part else _in_header(header)
        return _search(regexp, where, f"{whole},{name}")

    def _check(self, regexp: str, header: str, *, inverse: bool = False, nth: str | None = None) -> str:
        return self._search(regexp, _in_header(header, nth), inverse=inverse)

    def _search(self, regexp: str, where: str, *, inverse: bool = False) -> str:
        return _search(regexp, where, self._new_variable(), inverse=inverse)

    def _same(
        self,
        regexp: str,
        header: str,
        name: str,
        *,
        differs: bool = False,
        source: str | None = None,
        part: str | None = None,
    ) -> list[str]:
        """Compare what the group finds with a variable; `source` first takes the same group from another."""
        actions = []
        if source is not None:
            whole = self._new_variable()
            self._variables.append(name)
            actions.append(_search(regexp, _in_variable(source), f"{whole},{name}"))
        found, pair = self._new_variable(), self._new_variable()
        return [
            *actions,
            self._ereg(regexp, header, found, part=part),
            f'<assignstr assign_to="{pair}" value="[${name}] == [${found}]"/>',
            self._search(r"^(.*) == \1$", _in_variable(pair), inverse=differs),
        ]

    def _new_variable(self) -> str:
        self._variables.append(f"v{len(self._variables)}")
        return self._variables[-1]


def _search(regexp: str, where: str, assign_to: str, *, inverse: bool = False) -> str:
    check = "check_it_inverse" if inverse else "check_it"
    return f'<ereg regexp={quoteattr(regexp)} {where} {check}="true" assign_to="{assign_to}"/>'


def _in_header(name: str, nth: str | None = None) -> str:
    occurrence = f' occurrence="{nth}"' if nth else ""
    return f'search_in="hdr" header="{name}:" start_line="true"{occurrence}'


def _in_variable(name: str) -> str:
    return f'search_in="var" variable="{name}"'


def _recv(what: str, element: ElementTree.Element, actions: list[str]) -> str:
    ours = {"request", "response", "id", "cseq", "tag", "uri", "of", "to"}
    rest = "".join(
        f" {name}={quoteattr(value)}" for name, value in element.attrib.items() if name not in ours
    )
    return f"<recv {what}{rest}>\n<action>\n" + "\n".join(actions) + "\n</action>\n</recv>\n"


def _send(text: str, attributes: Mapping[str, str]) -> str:
    rest = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    lines = re.sub(r"\n[ \t]+", "\n", text.strip("\n \t"))
    return f"<send{rest}>\n<![CDATA[\n\n{lines}\n\n]]>\n</send>\n"
