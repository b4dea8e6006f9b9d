"""The published schemas are fresh, valid, and take what the program writes and reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from scripts import make_schemas

from postureaudit import __file__ as package
from postureaudit import baseline, strict_yaml
from postureaudit.errors import ConfigError
from postureaudit.render import Style, renderer
from postureaudit.settings import Settings
from tests.render.zoo import a_report
from tests.test_baseline import a_finding, a_result

FOLDER = Path(package).parent / "schemas"


def schema(name: str) -> Any:
    """A shipped schema."""
    return json.loads((FOLDER / f"{name}.json").read_text())


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.json")), ids=lambda file: file.stem)
def test_each_is_a_valid_schema(file: Path) -> None:
    """By the draft that it names."""
    jsonschema.Draft202012Validator.check_schema(json.loads(file.read_text()))


@pytest.mark.parametrize("name", make_schemas.texts())
def test_generated_schemas_are_fresh(name: str) -> None:
    """Run scripts/make_schemas.py when this fails."""
    assert (FOLDER / name).read_text() == make_schemas.texts()[name]


def test_tickets_fit_their_schema() -> None:
    """Whatever the names."""
    jsonschema.validate(json.loads(renderer("tickets")(a_report(), Style())), schema("tickets"))


def test_a_baseline_fits_its_schema() -> None:
    """And one with a name in it does not."""
    text = baseline.of(a_result(a_finding(eu_west_1="fail"))).text()
    jsonschema.validate(json.loads(text), schema("baseline"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"version": 1, "findings": {"config.recorder-on": []}}, schema("baseline"))


def test_settings_fit_their_schema() -> None:
    """Every key that the program reads, and no other."""
    text = (
        "regions: [eu-*]\nfail-on: high\nparameters: {LOG_BUCKET: b}\nseverities: {config.retention: low}\n"
    )
    data = strict_yaml.load(text, name="c", error=ConfigError)
    jsonschema.validate(data, schema("config"))
    for wrong in ({"region": []}, {"fail-on": "hihg"}, {"parameters": {"BUCKET": "b"}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema("config"))
    assert set(schema("config")["properties"]) == {
        name.replace("_", "-") for name in Settings.__struct_fields__
    }
