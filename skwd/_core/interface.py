"""The base of every interface: a class that leaves a member out cannot be made."""

from __future__ import annotations

from typing import Any


class Interface:
    """What a kind of object must answer.

    A method under ``abstractmethod``, or an attribute set to ``asked()``, has to be
    answered by every class below, unless that class says ``abstract=True``::

        class Penalty(Interface, abstract=True): ...

    Raises
    ------
    TypeError
        When a class is made that leaves a member out; the message names it.
    """

    def __init_subclass__(cls, *, abstract: bool = False, **given: Any) -> None:
        super().__init_subclass__(**given)
        if abstract:
            return
        missing = [name for name in dir(cls) if is_asked(getattr(cls, name, None))]
        if missing:
            raise TypeError(
                f"{cls.__name__} leaves out {', '.join(missing)} of the interface "
                f"{cls.__mro__[1].__name__}. Define them, or pass abstract=True."
            )


def is_asked(member: Any) -> bool:
    """Whether a member of a class is still to be answered."""
    return bool(getattr(member, "__isabstractmethod__", False))


class _Asked:
    __isabstractmethod__ = True


def asked() -> Any:
    """The place of a class attribute that every class below has to set."""
    return _Asked()
