"""Qt objects as PythonQt shows them to Python: properties are attributes, signals are connected by signature."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterable
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets
from shiboken6 import Shiboken

from .facts import ClassFacts, class_names, facts_of
from .values import property_value

# Exceptions raised in slots: PythonQt prints them and goes on; a test that provokes none must find none here.
slot_errors: list[BaseException] = []

_QT_MODULES = (QtWidgets, QtGui, QtCore)
_classes_by_type: dict[type, PythonQtClass] = {}
_wrappers: dict[int, PythonQtObject] = {}


class PythonQtClass:
    """A Qt class as ``qt.QPushButton`` is one: called to make an object, asked for enumerators and static functions.

    Parameters
    ----------
    name
        As in facts.json, e.g. ``"qt.QPushButton"``.
    qt_type
        The PySide6 class behind it, or one that stands in for a class of CTK or Slicer.
    """

    def __init__(self, name: str, qt_type: type) -> None:
        self.facts = facts_of(name)
        self.qt_type = qt_type
        _classes_by_type[qt_type] = self

    def __call__(self, *arguments: object) -> PythonQtObject:
        return wrap(self.qt_type(*map(unwrap, arguments)), self.facts)

    def __getattr__(self, name: str) -> Any:
        _refuse_unlisted(self.facts, name)
        return _implementation(self.facts, self.qt_type, name)

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, PythonQtObject) and isinstance(unwrap(instance), self.qt_type)


class PythonQtObject:
    """One Qt object as PythonQt wraps it."""

    __slots__ = ("__weakref__", "_facts", "_object")

    def __init__(self, qt_object: Any, facts: ClassFacts) -> None:
        object.__setattr__(self, "_object", qt_object)
        object.__setattr__(self, "_facts", facts)

    def __getattr__(self, name: str) -> Any:
        facts, qt_object = self._facts, self._object
        if isinstance(qt_object, QtCore.QObject) and name in _OF_EVERY_QOBJECT:
            return _OF_EVERY_QOBJECT[name](self)
        _refuse_unlisted(facts, name)
        if name in facts.properties:
            return wrap_value(qt_object.property(name))
        return _implementation(facts, qt_object, name)

    def __setattr__(self, name: str, value: object) -> None:
        facts, qt_object = self._facts, self._object
        if name == "name" and isinstance(qt_object, QtCore.QObject):
            name = "objectName"
        kind = facts.properties.get(name)
        if kind is None:
            listed = "cannot be overwritten" if name in facts.members else "does not exist"
            raise AttributeError(f"{name!r} {listed} on {facts.name}")
        if kind.endswith("(read only)"):
            raise AttributeError(f"property {name!r} of {facts.name} is not writable")
        if not qt_object.setProperty(name, unwrap(property_value(facts.name, name, kind, value))):
            raise NotImplementedError(f"the stand-in does not implement the property {name!r} of {facts.name}")

    def __repr__(self) -> str:
        return f"{self._facts.name} ({self._object!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PythonQtObject) and self._object is other._object

    def __hash__(self) -> int:
        return id(self._object)


_OF_EVERY_QOBJECT: dict[str, Callable[[PythonQtObject], Any]] = {
    "name": lambda wrapper: wrapper._object.objectName(),  # not listed, but slicer.util.findChildren lives on it
    "connect": lambda wrapper: lambda signal, slot: connect(wrapper, signal, slot),
    "disconnect": lambda wrapper: lambda signal, slot: disconnect(wrapper, signal, slot),
    "className": lambda wrapper: lambda: wrapper._facts.name.rsplit(".", 1)[-1],
    "delete": lambda wrapper: lambda: Shiboken.delete(wrapper._object),
}


def _refuse_unlisted(facts: ClassFacts, name: str) -> None:
    signals = {signature.split("(", 1)[0] for signature in facts.signals}
    slots = {signature.split("(", 1)[0] for signature in facts.slots}
    if name not in facts.members | facts.properties.keys() | signals | slots:
        raise AttributeError(f"{facts.name} has no attribute named {name!r} in Slicer")


def _implementation(facts: ClassFacts, owner: object, name: str) -> Any:
    found = getattr(owner, "raise_" if name == "raise" else name, None)
    if found is None:
        raise NotImplementedError(f"the stand-in does not implement {name!r} of {facts.name}")
    if not callable(found) or isinstance(found, type):
        return found

    def call(*arguments: object) -> Any:
        return wrap_value(found(*map(unwrap, arguments)))

    return call


def wrap(qt_object: Any, facts: ClassFacts | None = None) -> PythonQtObject:
    """Return the wrapper of a Qt object: always the same for a QObject that lives."""
    known = _wrappers.get(id(qt_object))
    if known is not None and known._object is qt_object:
        return known
    wrapper = PythonQtObject(qt_object, facts or _facts_of_type(type(qt_object)))
    if isinstance(qt_object, QtCore.QObject):
        _wrappers[id(qt_object)] = wrapper
    return wrapper


def _facts_of_type(qt_type: type) -> ClassFacts:
    for base in qt_type.__mro__:
        if base in _classes_by_type:
            return _classes_by_type[base].facts
        for space in ("qt", "ctk", "slicer"):
            if f"{space}.{base.__name__}" in class_names():
                return facts_of(f"{space}.{base.__name__}")
    raise NotImplementedError(f"the stand-in lists no class for {qt_type.__name__}")


def wrap_value(value: Any) -> Any:
    """Return what Python gets for a value of Qt: objects wrapped, lists as tuples, the rest as it is."""
    if isinstance(value, list | tuple):
        return tuple(map(wrap_value, value))
    if type(value).__name__ == "QOverrideCursorGuard":
        return None  # PySide6's own invention
    is_qt = isinstance(value, Shiboken.Object) and not isinstance(value, QtCore.Qt)
    return wrap(value) if is_qt and type(value).__module__.startswith(("PySide6", __package__)) else value


def unwrap(value: Any) -> Any:
    """Return what Qt gets for a value of Python."""
    if isinstance(value, PythonQtObject):
        return value._object
    if isinstance(value, list | tuple):
        return type(value)(map(unwrap, value))
    return value


def connect(wrapper: PythonQtObject, signature: str, slot: Callable[..., object]) -> bool:
    """Connect a signal by its signature, as in ``button.connect("clicked(bool)", f)``."""
    facts, qt_object = wrapper._facts, unwrap(wrapper)
    name = signature.split("(", 1)[0]
    listed = signature in facts.signals or (not facts.is_listed_whole and name in facts.members)
    if not listed or not signature.endswith(")"):
        raise AttributeError(f"signal {signature!r} does not exist on {facts.name}: it has {sorted(facts.signals)}")
    if not callable(slot):
        raise TypeError(f"{slot!r} cannot be called")
    target = _bound_signal(qt_object, signature)
    if target is None:
        raise NotImplementedError(f"the stand-in does not implement the signal {signature!r} of {facts.name}")
    deliver = _delivery(slot, _argument_count(signature))
    target.connect(deliver)
    _deliveries.setdefault((id(qt_object), signature), []).append((slot, deliver))
    return True


def disconnect(wrapper: PythonQtObject, signature: str, slot: Callable[..., object]) -> bool:
    """Take a connection back; False where there is none."""
    qt_object = unwrap(wrapper)
    for known in _deliveries.get((id(qt_object), signature), []):
        if known[0] == slot:
            _bound_signal(qt_object, signature).disconnect(known[1])
            _deliveries[id(qt_object), signature].remove(known)
            return True
    return False


_deliveries: dict[tuple[int, str], list[tuple[Callable[..., object], Callable[..., object]]]] = {}


def _bound_signal(qt_object: QtCore.QObject, signature: str) -> Any:
    """Return PySide's signal of a signature, e.g. the overload ``currentIndexChanged[int]``."""
    name, kinds = signature[:-1].split("(")
    signal = getattr(qt_object, name, None)
    if signal is None or not hasattr(signal, "connect"):
        return None
    own = {method.methodSignature().data().decode() for method in _signals(qt_object) if method.name() == name}
    if signature in own and len(own) > 1:
        return signal[tuple(map(_python_type, kinds.split(",")))] if kinds else signal
    return signal


def _signals(qt_object: QtCore.QObject) -> Iterable[QtCore.QMetaMethod]:
    meta = qt_object.metaObject()
    methods = (meta.method(index) for index in range(meta.methodCount()))
    return (method for method in methods if method.methodType() == QtCore.QMetaMethod.MethodType.Signal)


def _python_type(kind: str) -> type | str:
    return {"int": int, "bool": bool, "double": float, "QString": str}.get(kind, kind)


def _argument_count(signature: str) -> int:
    kinds = signature.split("(", 1)[1][:-1]
    return kinds.count(",") + 1 if kinds else 0


def _delivery(slot: Callable[..., object], sent: int) -> Callable[..., None]:
    """Return what is called with a signal's arguments: a function gets as many as it can take, others all of them."""
    takes = sent
    if isinstance(slot, types.FunctionType | types.MethodType):
        code = inspect.unwrap(slot).__code__ if isinstance(slot, types.FunctionType) else slot.__func__.__code__
        if not code.co_flags & inspect.CO_VARARGS:
            takes = min(sent, code.co_argcount - isinstance(slot, types.MethodType))

    def deliver(*arguments: object) -> None:
        try:
            slot(*map(wrap_value, arguments[:takes]))
        except Exception as error:  # noqa: BLE001 - as PythonQt: told, not passed on
            slot_errors.append(error)

    return deliver
