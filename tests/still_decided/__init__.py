"""Checks that read a call and are decided without it, with the answer that decides: one table a service.

A key is (call, check id); "*" stands for every check that reads the call.
"""

from __future__ import annotations

import importlib
import pkgutil

STILL_DECIDED: dict[tuple[str, str], str] = {
    key: answer
    for module in pkgutil.iter_modules(__path__)
    for key, answer in importlib.import_module(f"{__name__}.{module.name}").DECIDED.items()
}
