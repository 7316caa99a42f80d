"""`outdial webhook`: endpoints that are told about calls, over the server's HTTP API."""

from typing import Annotated, Any

import typer

from outdial.cli.client import ApiClient, with_client
from outdial.cli.options import URL_DEFAULT, TokenOption, UrlOption
from outdial.cli.output import JsonOption, console, print_fields, print_json, print_rows
from outdial.cli.problems import CommandFailed

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Add, list, verify and remove webhooks; see and repeat deliveries.",
)

SECRET_VARIABLE = "WEBHOOK_SECRET"  # noqa: S105 - the name of a variable
_EVENT = "voice:message:out"
_PER_PAGE = 100
_COLUMNS = {
    "id": "id",
    "name": "name",
    "uri": "uri",
    "status": "on",
    "failing_since": "failing since",
    "reason": "reason",
}
_DELIVERY_COLUMNS = {
    "id": "id",
    "at": "at (UTC)",
    "call_id": "call",
    "sequence": "event",
    "status": "status",
    "ms": "ms",
    "event": "state",
    "error": "error",
}

WebhookId = Annotated[
    int, typer.Argument(metavar="ID", help="As `outdial webhook list` shows it.", show_default=False)
]


SubscribeOption = Annotated[
    bool, typer.Option("--subscribe", help="Send it the events of all calls, once it is verified.")
]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="For people.", show_default=False)],
    uri: Annotated[str, typer.Argument(help="Where events go; Liquid may stand behind the host.")],
    method: Annotated[str, typer.Option(help="GET, POST or PUT.")] = "POST",
    header: Annotated[
        list[str] | None, typer.Option(help="Sent with every event, as 'Name: value'; may be repeated.")
    ] = None,
    body_format: Annotated[str, typer.Option(help="json or form.")] = "json",
    body: Annotated[
        str | None, typer.Option(help="JSON object whose texts may be Liquid. Unset: the whole event.")
    ] = None,
    secret: Annotated[
        str | None,
        typer.Option(envvar=SECRET_VARIABLE, help="Also sent as Bearer. Unset: one is made that only signs."),
    ] = None,
    subscribe: SubscribeOption = False,
    url: UrlOption = URL_DEFAULT,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a webhook and verify it; prints its secret, this once."""
    form = {"name": name, "uri": uri, "method": method, "body_format": body_format}
    form |= {f"headers[{key}]": value for key, value in map(_header, header or [])}
    form |= {key: value for key, value in (("body", body), ("secret", secret)) if value is not None}

    async def work(client: ApiClient) -> Any:
        answer = await client.post_form("developer/webhooks", form)
        if subscribe and answer["data"]["status"] == 1:
            await _subscribe(client, answer["data"]["id"])
        return answer

    answer = with_client(url, token, work)
    if as_json:
        print_json(answer["data"])
    else:
        print_fields(answer["data"])
    if answer["data"]["status"] != 1:
        again = f"outdial webhook verify {answer['data']['id']}{' --subscribe' if subscribe else ''}"
        raise CommandFailed(f"{answer['message']} Mend that, then: {again}")


@app.command("list")
def list_(
    name: Annotated[str | None, typer.Option(help="Only those with this in their name.")] = None,
    url: UrlOption = URL_DEFAULT,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """List all webhooks."""
    query = {} if name is None else {"filter[name]": name}

    async def work(client: ApiClient) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        page = 1
        while True:
            answer = await client.get("developer/webhooks", page=page, per_page=_PER_PAGE, **query)
            rows += answer["data"]
            if answer["links"]["next"] is None:
                return rows
            page += 1

    rows = with_client(url, token, work)
    if as_json:
        print_json(rows)
    else:
        shown = [{**row, "status": bool(row["status"])} for row in rows]
        print_rows(shown, _COLUMNS, empty="There are no webhooks yet: `outdial webhook add NAME URI`.")


@app.command()
def show(
    webhook: WebhookId, url: UrlOption = URL_DEFAULT, token: TokenOption = None, as_json: JsonOption = False
) -> None:
    """Show everything about one webhook but its secret."""

    async def work(client: ApiClient) -> Any:
        return (await client.get(f"developer/webhooks/{webhook}"))["data"]

    row = with_client(url, token, work)
    if as_json:
        print_json(row)
    else:
        print_fields(row)


@app.command()
def remove(
    webhook: WebhookId, url: UrlOption = URL_DEFAULT, token: TokenOption = None, as_json: JsonOption = False
) -> None:
    """Remove a webhook with its subscriptions; events that wait for it are given up."""

    async def work(client: ApiClient) -> Any:
        return await client.delete(f"developer/webhooks/{webhook}")

    _say(with_client(url, token, work), as_json=as_json)


@app.command()
def verify(
    webhook: WebhookId,
    subscribe: SubscribeOption = False,
    url: UrlOption = URL_DEFAULT,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a webhook's endpoint for the challenge again, and switch it on if it answers."""

    async def work(client: ApiClient) -> Any:
        answer = await client.post_form(f"developer/webhooks/{webhook}/verify", {})
        if subscribe:
            await _subscribe(client, webhook)
        return answer

    _say(with_client(url, token, work), as_json=as_json)


@app.command()
def deliveries(
    webhook: WebhookId,
    limit: Annotated[int, typer.Option(min=1, max=_PER_PAGE, help="How many, the newest first.")] = 20,
    url: UrlOption = URL_DEFAULT,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what was sent to a webhook and what came back."""

    async def work(client: ApiClient) -> Any:
        return (await client.get(f"developer/webhooks/{webhook}/deliveries", per_page=limit))["data"]

    rows = with_client(url, token, work)
    if as_json:
        print_json(rows)
    else:
        print_rows(rows, _DELIVERY_COLUMNS, empty="Nothing was sent to this webhook yet.")


@app.command()
def replay(
    webhook: WebhookId,
    delivery: Annotated[int, typer.Argument(help="As `outdial webhook deliveries` shows it.")],
    url: UrlOption = URL_DEFAULT,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send the event of a delivery once more."""

    async def work(client: ApiClient) -> Any:
        return await client.post_form(f"developer/webhooks/{webhook}/deliveries/{delivery}/replay", {})

    _say(with_client(url, token, work), as_json=as_json)


async def _subscribe(client: ApiClient, webhook: int) -> None:
    wish = {"event": _EVENT, "identity": "all", "webhook_id": str(webhook)}
    await client.post_form("developer/subscriptions", wish)


def _say(answer: Any, *, as_json: bool) -> None:
    if as_json:
        print_json(answer["data"])
    else:
        console().print(answer["message"])


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise typer.BadParameter(f"{text!r} is not 'Name: value'", param_hint="--header")
    return name.strip(), value.strip()
