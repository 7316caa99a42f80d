"""`outdial flow list`, `versions`, `publish` and `rollback`: what a server has, and what new calls get."""

from typing import Annotated, Any

import typer

from outdial.cli.client import ApiClient, with_client
from outdial.cli.flow_files import show_warnings
from outdial.cli.options import URL_DEFAULT, TokenOption, UrlOption
from outdial.cli.output import JsonOption, console, print_json, print_rows

FlowId = Annotated[int, typer.Argument(help="Id of the flow.")]

_FLOWS = {
    "id": "id",
    "name": "name",
    "published": "published",
    "revision": "revision",
    "updated_at": "changed",
}
_VERSIONS = {
    "version": "version",
    "current": "current",
    "published_at": "published",
    "published_by": "by",
    "note": "note",
}


def list_(
    name: Annotated[str | None, typer.Option(help="Only flows with this in their name.")] = None,
    url: UrlOption = URL_DEFAULT,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the flows of a server; `published` is the version that new calls get."""

    async def work(client: ApiClient) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        query = {} if name is None else {"filter[name]": name}
        page, last = 1, 1
        while page <= last:
            answer = await client.get("flows", per_page=100, page=page, **query)
            found += answer["data"]
            page, last = page + 1, answer["meta"]["last_page"]
        return found

    _rows(with_client(url, token, work), _FLOWS, "There are no flows.", as_json=as_json)


def versions(
    flow: FlowId, url: UrlOption = URL_DEFAULT, token: TokenOption = None, as_json: JsonOption = False
) -> None:
    """List the published versions of a flow, the newest first."""

    async def work(client: ApiClient) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await client.get(f"flows/{flow}/versions"))["data"]
        return found

    empty = f"Nothing of the flow {flow} was published."
    _rows(with_client(url, token, work), _VERSIONS, empty, as_json=as_json)


def publish(
    flow: FlowId,
    note: Annotated[str, typer.Option(help="What is new.")] = "",
    url: UrlOption = URL_DEFAULT,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Publish the draft of a flow: new calls get it. With errors it is refused, and each is named."""
    _show(_posted(f"flows/{flow}/publish", {"note": note}, url, token), as_json=as_json)


def rollback(
    flow: FlowId,
    version: Annotated[int, typer.Argument(help="A published version.")],
    url: UrlOption = URL_DEFAULT,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let new calls get an older version of a flow. The draft stays as it is."""
    _show(_posted(f"flows/{flow}/rollback", {"version": version}, url, token), as_json=as_json)


def _rows(rows: list[dict[str, Any]], columns: dict[str, str], empty: str, *, as_json: bool) -> None:
    if as_json:
        print_json(rows)
    else:
        print_rows(rows, columns, empty=empty)


def _posted(path: str, form: dict[str, Any], url: str, token: str | None) -> Any:
    async def work(client: ApiClient) -> Any:
        return await client.send_json("POST", path, form)

    return with_client(url, token, work)


def _show(answer: Any, *, as_json: bool) -> None:
    if as_json:
        print_json(answer["data"])
        return
    console().print(answer["message"], soft_wrap=True, markup=False)
    show_warnings(answer["data"])
