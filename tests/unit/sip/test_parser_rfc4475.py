"""The torture messages of RFC 4475, one file each in tests/wire/rfc4475: what we read, forgive or refuse."""

from collections.abc import Callable
from pathlib import Path

import pytest

from outdial.errors import SdpError, SipParseError
from outdial.sdp.parser import parse_description
from outdial.sip.headers.credentials import DigestCredentials
from outdial.sip.headers.name_addr import NameAddr
from outdial.sip.headers.retry_after import RetryAfter
from outdial.sip.headers.via import Via
from outdial.sip.message import Message, Request, Response
from outdial.sip.parser import parse_message

WIRE = Path(__file__).parents[2] / "wire" / "rfc4475"
NAMES = sorted(path.stem for path in WIRE.glob("*.dat"))
REFUSED = {
    "badvers": "unsupported version in the request line 'OPTIONS sip:t.watson@example.org SIP/7.0'",
    "bigcode": "not a status code in the status line 'SIP/2.0 4294967301 better not break the receiver'",
    "lwsruri": "not a SIP start line: 'INVITE sip:user@example.com; lr SIP/2.0'",
}
"""Start lines that make the whole message unreadable; of every other one at least the start line is read."""


def read(name: str) -> Message:
    return parse_message((WIRE / f"{name}.dat").read_bytes())


def request(name: str) -> Request:
    message = read(name)
    assert isinstance(message, Request)
    return message


def response(name: str) -> Response:
    message = read(name)
    assert isinstance(message, Response)
    return message


def refusal(parse: Callable[[], object]) -> str:
    with pytest.raises(SipParseError) as caught:
        parse()
    return str(caught.value)


def test_every_message_of_the_rfc_is_here() -> None:
    assert len(NAMES) == 49


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_messages_that_are_refused_whole(name: str) -> None:
    assert refusal(lambda: read(name)) == REFUSED[name]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in REFUSED])
def test_what_was_read_survives_being_written(name: str) -> None:
    message = read(name)
    again = parse_message(message.to_bytes())
    assert type(again) is type(message)
    assert again.body == message.body
    assert again.headers.get("Content-Length") == str(len(message.body))
    message.headers.set("Content-Length", "0")
    again.headers.set("Content-Length", "0")
    assert sorted(again.headers) == sorted(message.headers)


# 3.1.1 Valid messages


def test_wsinv_a_short_tortuous_invite() -> None:
    message = request("wsinv")
    assert message.uri == "sip:vivekg@chair-dnrc.example.com;unknownparam"
    assert message.request_uri.parameters.has("unknownparam")
    assert str(message.to) == "<sip:vivekg@chair-dnrc.example.com>;tag=1918181833n"
    assert message.from_.display_name == 'J Rosenberg \\"'
    assert message.from_.tag == "98asjd8"
    assert message.headers.get("Max-Forwards") == "0068"
    assert message.call_id == "wsinv.ndaksdj@192.0.2.1"
    assert (message.cseq.number, message.cseq.method) == (9, "INVITE")
    assert message.headers.get("Subject") == ""
    assert message.headers.get("newfangledheader") == "newfangled value continued newfangled value"
    assert message.headers.get("UnknownHeaderWithUnusualValue") == ";;,,;;,;"
    assert [str(Via.parse(value)) for value in message.headers.get_all("Via")] == [
        "SIP/2.0/UDP 192.0.2.2;branch=390skdjuw",
        "SIP/2.0/TCP spindle.example.com;branch=z9hG4bK9ikj8",
        "SIP/2.0/UDP 192.168.255.111;branch=z9hG4bK30239",
    ]
    route = NameAddr.parse(message.headers.get_all("Route")[0])
    assert str(route) == "<sip:services.example.com;lr;unknownwith=value;unknown-no-value>"
    assert message.contact is not None
    assert message.contact.display_name == 'Quoted string ""'
    assert message.contact.parameters.get("newparam") == "newvalue"
    assert message.contact.parameters.get("secondparam") == ""
    assert message.contact.parameters.get("Q") == "0.33"
    assert len(message.body) == 150
    assert parse_description(message.sdp).media[0].port == 49217


def test_intmeth_a_wide_range_of_valid_characters() -> None:
    message = request("intmeth")
    assert message.method == message.cseq.method == "!interesting-Method0123456789_*+`.%indeed'~"
    assert message.request_uri.host == "example.com"
    assert message.request_uri.user == (
        "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"
    )
    assert message.to.display_name == "BEL:\x07 NUL:\x00 DEL:\x7f"
    assert message.from_.display_name == "token1~` token2'+_ token3*%!.-"
    assert message.from_.parameters.get("fromParam''~+*_!.-%") == "работающий"
    assert message.from_.tag == "_token~1'+`*%!-."
    assert message.call_id == "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"
    assert message.top_via.branch == "z9hG4bK-.!%66*_+`'~"
    assert message.headers.get("extensionHeader-!.%*+_`'~") == "\ufeff大停電"


def test_esc01_percent_escapes_stay_what_they_are() -> None:
    message = request("esc01")
    assert message.request_uri.user == "sips%3Auser%40example.com"
    assert message.request_uri.user_text == "sips:user@example.com"
    assert message.request_uri.host == "example.net"
    assert message.to.uri.user_text == "user"
    assert message.from_.uri.user_text == "I have spaces"
    assert message.contact is not None
    assert str(message.contact.uri) == "sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31"
    assert not message.contact.uri.parameters.has("lr")


def test_escnull_escaped_zero_bytes() -> None:
    message = request("escnull")
    assert message.to.uri.user_text == "null-\0-null"
    assert [NameAddr.parse(value).uri.user for value in message.headers.get_all("Contact")] == [
        "%00",
        "%00%00",
    ]


def test_esc02_percent_signs_that_escape_nothing() -> None:
    message = request("esc02")
    assert message.method == "RE%47IST%45R"
    assert message.from_.display_name == "%Z%45"
    assert message.top_via.branch == "z9hG4bK209%fzsnel234"
    assert len(message.headers.get_all("Contact")) == 2
    assert message.headers.get("C%6Fntact") == "<sip:alias2@host2.example.com>"


def test_lwsdisp_no_space_before_the_bracket() -> None:
    message = request("lwsdisp")
    assert message.from_.display_name == "caller"
    assert message.from_.tag == "323"


def test_longreq_long_values() -> None:
    message = request("longreq")
    vias = message.headers.get_all("Via")
    assert len(vias) == 34
    assert vias[0] == "SIP/2.0/TCP sip33.example.com"
    assert Via.parse(vias[33]).received == "192.0.2.5"
    assert message.to.uri.port == 6000
    assert len(message.from_.tag or "") == 155
    assert message.call_id.startswith("longreq.onereally")


def test_dblreq_what_follows_the_content_length_is_ignored() -> None:
    message = request("dblreq")
    assert message.method == "REGISTER"
    assert message.body == b""


def test_semiuri_parameters_in_the_user_part() -> None:
    message = request("semiuri")
    assert message.request_uri.user == "user;par=u%40example.net"
    assert not message.request_uri.parameters
    assert message.headers.get_all("Accept") == [
        "application/sdp",
        "application/pkcs7-mime",
        "multipart/mixed",
        "multipart/signed",
        "message/sip",
        "message/sipfrag",
    ]


def test_transports_known_and_unknown() -> None:
    transports = [Via.parse(value).transport for value in request("transports").headers.get_all("Via")]
    assert transports == ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]


def test_mpart01_a_binary_multipart_body() -> None:
    message = request("mpart01")
    assert len(message.body) == 553
    assert message.body.endswith(b"\r\n--7a9cbec02ceef655--\r\n")
    assert message.sdp == b""


def test_unreason_an_unusual_reason_phrase() -> None:
    message = response("unreason")
    assert message.status == 200
    assert message.reason == "= 2**3 * 5**2 но сто девяносто девять - простое"


def test_noreason_an_empty_reason_phrase() -> None:
    message = response("noreason")
    assert (message.status, message.reason) == (100, "")


# 3.1.2 Invalid messages: what may be answered with 400, and what is forgiven


def test_badinv01_extra_separators_are_forgiven() -> None:
    message = request("badinv01")
    assert message.top_via.host == "192.0.2.15"
    assert message.contact is not None
    assert str(message.contact) == '"Joe" <sip:joe@example.org>'


def test_clerr_a_content_length_beyond_the_datagram_is_forgiven() -> None:
    assert request("clerr").body.endswith(b"a=rtpmap:31 LPC\r\n\r\n")


def test_ncl_a_negative_content_length_is_forgiven() -> None:
    assert request("ncl").body.endswith(b"a=rtpmap:31 LPC\r\n\r\n")


def test_scalar02_a_cseq_beyond_its_range() -> None:
    assert refusal(lambda: request("scalar02").cseq) == "CSeq 36893488147419103232 is beyond 2**31-1"


def test_scalarlg_a_response_with_huge_numbers() -> None:
    message = response("scalarlg")
    assert refusal(lambda: message.cseq) == "not a CSeq: '9292394834772304023312 OPTIONS'"
    assert refusal(lambda: RetryAfter.parse(message.headers.get("Retry-After", "") or "")) == (
        "not a Retry-After: '949302838503028349304023988'"
    )


def test_quotbal_an_unclosed_quote_is_forgiven() -> None:
    message = request("quotbal")
    assert message.to.display_name == "Mr. J. User"
    assert str(message.to.uri) == "sip:j.user@example.com"


def test_ltgtruri_brackets_around_the_request_uri() -> None:
    message = request("ltgtruri")
    assert refusal(lambda: message.request_uri) == "not a URI: '<sip:user@example.com>'"


def test_lwsstart_extra_spaces_in_the_request_line_are_forgiven() -> None:
    assert request("lwsstart").uri == "sip:user@example.com"


def test_trws_spaces_after_the_request_line_are_forgiven() -> None:
    assert request("trws").uri == "sip:remote-target@example.com"


def test_escruri_headers_in_the_request_uri_are_carried_but_mean_nothing() -> None:
    message = request("escruri")
    assert message.request_uri.headers == "Route=%3Csip:example.com%3E"
    assert message.headers.get_all("Route") == []


def test_baddate_is_not_our_business() -> None:
    assert request("baddate").headers.get("Date") == "Fri, 01 Jan 2010 16:00:00 EST"


def test_regbadct_a_contact_that_needs_brackets_is_forgiven() -> None:
    message = request("regbadct")
    assert message.contact is not None
    assert message.contact.uri.headers == "Route=%3Csip:sip.example.com%3E"


def test_badaspec_spaces_within_the_brackets_are_forgiven() -> None:
    message = request("badaspec")
    assert str(message.to) == '"Watson, Thomas" <sip:t.watson@example.org>'


def test_baddn_a_comma_in_a_name_without_quotes_is_forgiven() -> None:
    message = request("baddn")
    assert message.from_.display_name == "Bell, Alexander"
    assert message.from_.tag == "43"


@pytest.mark.parametrize(("name", "method"), [("mismatch01", "OPTIONS"), ("mismatch02", "NEWMETHOD")])
def test_mismatch_the_methods_of_the_two_lines_are_both_told(name: str, method: str) -> None:
    message = request(name)
    assert message.method == method
    assert message.cseq.method == "INVITE"


# 3.2 Transaction layer, 3.3 application layer, 3.4 backward compatibility


def test_badbranch_a_cookie_with_nothing_behind_it() -> None:
    assert request("badbranch").top_via.branch == "z9hG4bK"


def test_insuf_required_headers_are_missing() -> None:
    message = request("insuf")
    assert refusal(lambda: message.call_id) == "the message has no Call-ID header"
    assert refusal(lambda: message.to) == "the message has no To header"
    assert refusal(lambda: message.from_) == "the message has no From header"
    assert message.contact is None


@pytest.mark.parametrize(
    ("name", "scheme", "rest"),
    [
        ("unkscm", "nobodyknowsthisscheme", "totallyopaquecontent"),
        ("novelsc", "soap.beep", "//192.0.2.103:3002"),
    ],
)
def test_foreign_schemes_in_the_request_uri(name: str, scheme: str, rest: str) -> None:
    uri = request(name).request_uri
    assert (uri.scheme, uri.user, uri.host) == (scheme, rest, "")


def test_unksm2_foreign_schemes_in_addresses() -> None:
    message = request("unksm2")
    assert str(message.to) == "<isbn:2983792873>"
    assert str(message.from_) == "<http://www.example.com>;tag=3234233"
    assert message.contact is not None
    assert str(message.contact) == "<name:John_Smith>"


def test_bext01_unknown_extensions() -> None:
    message = request("bext01")
    assert message.headers.get_all("Require") == ["nothingSupportsThis", "nothingSupportsThisEither"]
    assert message.headers.get_all("Proxy-Require") == ["noProxiesSupportThis", "norDoAnyProxiesSupportThis"]


def test_invut_a_body_of_another_kind_is_no_sdp() -> None:
    message = request("invut")
    assert len(message.body) == 40
    assert message.sdp == b""


def test_regaut01_an_unknown_authentication_scheme() -> None:
    value = request("regaut01").headers.get("Authorization") or ""
    assert refusal(lambda: DigestCredentials.parse(value)) == (
        "authentication scheme NoOneKnowsThisScheme is not supported, only Digest"
    )


def test_multi01_of_headers_that_should_be_single_the_first_counts() -> None:
    message = request("multi01")
    assert message.call_id == "multi01.98asdh@192.0.2.1"
    assert message.cseq.number == 5
    assert message.from_.tag == "3413415"
    assert message.headers.get_all("To") == ["sip:user@example.com", "sip:other@example.net"]


def test_mcl01_of_two_content_lengths_the_first_counts() -> None:
    assert request("mcl01").body == b"There's no wa"


def test_bcast_a_second_via_in_a_response() -> None:
    assert len(response("bcast").headers.get_all("Via")) == 2


def test_zeromf_no_more_hops() -> None:
    assert request("zeromf").headers.get("Max-Forwards") == "0"


def test_cparam_without_brackets_parameters_are_the_headers() -> None:
    bare, bracketed = request("cparam01").contact, request("cparam02").contact
    assert bare is not None
    assert bracketed is not None
    assert (bare.parameters.has("unknownparam"), bare.uri.parameters.has("unknownparam")) == (True, False)
    assert (bracketed.parameters.has("unknownparam"), bracketed.uri.parameters.has("unknownparam")) == (
        False,
        True,
    )


def test_regescrt_an_escaped_route_in_a_contact() -> None:
    contact = request("regescrt").contact
    assert contact is not None
    assert str(contact) == "<sip:user@example.com?Route=%3Csip:sip.example.com%3E>"


def test_sdp01_an_offer_to_a_caller_who_accepts_no_answer() -> None:
    message = request("sdp01")
    assert message.headers.get_all("Accept") == ["text/nobodyKnowsThis"]
    assert len(parse_description(message.sdp).media) == 2


def test_inv2543_a_caller_of_the_older_rfc() -> None:
    message = request("inv2543")
    assert message.top_via.branch is None
    assert message.from_.tag is None
    assert message.headers.get("Max-Forwards") is None
    assert message.to.parameters.get("user") == "phone"
    assert parse_description(message.sdp).media[0].formats == ("0",)


def test_the_torture_bodies_are_no_trap_for_the_sdp_parser() -> None:
    for name in NAMES:
        if name not in REFUSED and (sdp := read(name).sdp):
            try:
                description = parse_description(sdp)
            except SdpError:
                assert name == "mcl01"
            else:
                assert description.connection or name == "mcl01"
