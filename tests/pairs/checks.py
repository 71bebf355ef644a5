"""What is wrong with a row: it is trained, and every property is asked of it."""

import warnings

import data_properties
import properties
import tool_properties
from cases import Case

PROPERTIES = [
    *properties.PROPERTIES,
    *data_properties.PROPERTIES,
    *tool_properties.PROPERTIES,
]


def wrong_with(row, properties_asked=PROPERTIES):
    """What does not hold, by property, and the names of the properties that apply.

    A row whose training raises has "fit" alone.
    """
    try:
        case = Case(row)
    except Exception as error:
        return {"fit": f"{type(error).__name__}: {error}"}, []
    wrong, applied = {}, []
    for check in properties_asked:
        found = asked(check, case)
        if found != properties.SKIPPED:
            applied.append(check.__name__)
            if found is not None:
                wrong[check.__name__] = found
    return wrong, applied


def asked(check, case):
    """What a property finds wrong, None for nothing; what it raises is wrong too."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return check(case)
    except Exception as error:
        return f"raised {type(error).__name__}: {error}"
