"""`outdial flow results` against a server with a few calls."""

import asyncio
import json
from pathlib import Path
from typing import Any

from tests.unit.api.test_flow_results import passages, published, ran
from tests.unit.cli.conftest import ApiInThread, Outdial

from outdial.domain.flow_run import FlowRun


def filled(server: ApiInThread) -> int:
    """A flow that two calls went through."""

    async def work() -> int:
        assert server.api is not None
        flow = await published(server.api)
        for result, steps in (("success", ("split:a", "ask:next", "bye")), ("callee_hung_up", ("split:b",))):
            run = FlowRun(
                flow_id=flow, version=1, result=result, path=passages(*steps), variables={"age": "42"}
            )
            await ran(server.api, run)
        return flow

    assert server._loop is not None
    return asyncio.run_coroutine_threadsafe(work(), server._loop).result(30)


def test_runs_counts_and_csv(outdial: Outdial, api_server: ApiInThread, tmp_path: Path) -> None:
    flow = str(filled(api_server))
    shown = outdial("flow", "results", flow)
    assert "split > ask > bye" in shown.out
    assert "918867135000" in shown.out
    rows: list[Any] = json.loads(outdial("flow", "results", flow, "--result", "success", "--json").out)
    assert [row["flow"]["variables"] for row in rows] == [{"age": "42"}]
    counts = outdial("flow", "results", flow, "--counts").out
    assert any(line.split()[1:5] == ["split", "a", "1", "success"] for line in counts.splitlines() if line)
    assert any(line.split()[1:4] == ["bye", "(end)", "1"] for line in counts.splitlines() if line)
    lines = outdial("flow", "results", flow, "--csv", "--from", "2019-08-16").out.splitlines()
    assert len(lines) == 3
    assert lines[0].endswith("path,age,other")
    outdial("flow", "results", flow, "--counts", "-o", "counts.csv")
    assert (tmp_path / "counts.csv").read_text().startswith("version,flow,node,exit,result,runs")


def test_what_cannot_be_shown(outdial: Outdial, api_server: ApiInThread) -> None:
    failed = outdial("flow", "results", "7")
    assert failed.status != 0
    assert "There is no flow 7" in failed.err
    flow = str(filled(api_server))
    assert "No call went" in outdial("flow", "results", flow, "--from", "2030-01-01").out
    failed = outdial("flow", "results", flow, "--from", "soon", "--csv")
    assert failed.status != 0
    assert "should be a day" in failed.err
