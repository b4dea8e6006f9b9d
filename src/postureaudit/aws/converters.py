"""An output shape compiled to one function: from the bytes of an answer to what `answers.plain` makes of it.

botocore's parsers ask each member's shape anew what to do with it, and then `answers.plain` asks again. A converter
has asked once. It takes only answers that are exactly what the shape says; anything else raises, and the caller has
botocore's own parser decide (Odd is one such error; a converter may raise any other). Sources of what is done: the
parsers in botocore/parsers.py, which the tests compare with for every call of the allow-list.
"""

from __future__ import annotations

from typing import Any

from postureaudit.aws.compiling import Converter, NotCompiled
from postureaudit.aws.json_answers import Json, RestJson
from postureaudit.aws.xml_answers import Xml

_COMPILERS = {"json": Json, "rest-json": RestJson, "query": Xml, "ec2": Xml}


def compiled(shape: Any, protocol: str, service: str) -> Converter | None:
    """The converter of an operation's output shape, or None where only botocore's own parser will do."""
    if shape is None or protocol not in _COMPILERS or not shape.members:
        return None
    try:
        return _COMPILERS[protocol](service).whole(shape)
    except (NotCompiled, RecursionError):
        return None
