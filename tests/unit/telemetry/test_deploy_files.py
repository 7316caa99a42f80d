"""The dashboard and the alerts ask for metrics that exist, with labels that they have."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from outdial.telemetry.exposition import label_names
from outdial.telemetry.metrics import CATALOGUE

ROOT = Path(__file__).parents[3]
ALERTS = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"][0]["rules"]
PANELS = json.loads((ROOT / "deploy/grafana/outdial.json").read_text())["panels"]


def _queries() -> Iterator[str]:
    for rule in ALERTS:
        yield rule["expr"]
    for panel in PANELS:
        for target in panel["targets"]:
            yield target["expr"]


@pytest.mark.parametrize("query", list(_queries()))
def test_a_query_asks_for_what_there_is(query: str) -> None:
    known = set()
    for name in re.findall(r"outdial_\w+", query):
        instrument = (
            CATALOGUE.instruments.get(name)
            or CATALOGUE.instruments[
                name.removesuffix("_bucket")  # a KeyError here: there is no such metric
            ]
        )
        assert name.endswith("_bucket") == (instrument.about.kind == "histogram"), name
        known |= set(label_names(instrument.about))
    for labels in re.findall(r"by \(([^)]*)\)", query):
        wanted = {label.strip() for label in labels.split(",")} - {"le"}
        assert wanted <= known, query


def test_each_alert_is_explained() -> None:
    guide = (ROOT / "docs/guides/operations.md").read_text()
    explained = set(re.findall(r"^\| `(\w+)` \|", guide, re.MULTILINE))
    assert explained == {rule["alert"] for rule in ALERTS}
