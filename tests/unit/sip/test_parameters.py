"""Parameters of URIs and headers."""

import pytest

from outdial.errors import LocalProtocolError
from outdial.sip.parameters import NO_PARAMETERS, Parameters


def test_parameters_are_read_in_order() -> None:
    parameters = Parameters.parse(';Tag = 1 ;lr;;text="a;b\\"c";=nameless;empty=')
    assert list(parameters) == [("Tag", "1"), ("lr", None), ("text", '"a;b\\"c"'), ("empty", "")]
    assert str(parameters) == ';Tag=1;lr;text="a;b\\"c";empty='


def test_names_are_compared_without_case() -> None:
    parameters = Parameters.parse('TAG=1;lr;text="a b";tag=2')
    assert parameters.get("tag") == "1"
    assert parameters.get("LR") == ""
    assert parameters.get("Text") == "a b"
    assert parameters.get("none") is None
    assert parameters.has("Lr")
    assert not parameters.has("none")


def test_with_replaces_in_place_or_appends() -> None:
    parameters = Parameters.parse("a=1;B=2;c=3")
    assert str(parameters.with_("b", "9")) == ";a=1;b=9;c=3"
    assert str(parameters.with_("d", "4")) == ";a=1;B=2;c=3;d=4"
    assert str(parameters.with_("lr")) == ";a=1;B=2;c=3;lr"
    assert str(parameters) == ";a=1;B=2;c=3"


def test_values_are_quoted_where_they_need_it() -> None:
    parameters = Parameters.of([("text", "a;b"), ("maddr", "[2001:db8::1]"), ("flag", None), ("empty", "")])
    assert str(parameters) == ';text="a;b";maddr=[2001:db8::1];flag;empty=""'
    assert parameters.get("text") == "a;b"
    assert parameters.get("empty") == ""


@pytest.mark.parametrize(("name", "value"), [("a b", "x"), ("", "x"), ("a", "x\r\ny"), ("a", "\n")])
def test_what_would_break_out_is_refused(name: str, value: str) -> None:
    with pytest.raises(LocalProtocolError):
        NO_PARAMETERS.with_(name, value)


def test_no_parameters_are_false() -> None:
    assert not NO_PARAMETERS
    assert str(NO_PARAMETERS) == ""
    assert Parameters.parse("a")
