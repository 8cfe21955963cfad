"""Pickles read as data: a machine of our own follows the opcodes, so nothing in a file can name code to run.

What a pickle wants called or constructed stays an inert `Record`; `faceforge.io.records` knows what the records mean.
"""

from __future__ import annotations

import codecs
import pickletools
import struct
from collections.abc import Callable
from typing import Any

from faceforge.errors import BadWeights, FaceForgeError, UnsafePickle
from faceforge.io.inert import NAMES, Name, Record

_OPERATIONS = 4_000_000  # a head model needs a few hundred; a bomb of nested containers millions
_PROTOCOL = 5
_DIGITS = 32  # of a number in text, and bytes of a long one: beyond that, arithmetic becomes the attack
_LARGEST_KEY = 1 << 60  # larger integers can share a hash, and a dictionary of such takes for ever


def parsed(data: bytes, where: str) -> Any:
    """The numbers, strings, containers, names and records that a pickle spells out; `where` is for the refusals."""
    return parsed_in_turn(data, where, 1)[0][0]


def parsed_in_turn(data: bytes, where: str, count: int) -> tuple[list[Any], bytes]:
    """So many pickles, one after the other, and the bytes that follow them."""
    trees, at = [], 0
    try:
        for _ in range(count):
            machine = _Machine(data, where, at)
            trees.append(machine.run())
            at = machine.at
    except FaceForgeError:
        raise
    except Exception as reason:  # damaged bytes end in almost anything, as they do for pickle itself
        raise damaged(where) from reason
    return trees, data[at:]


def damaged(where: str) -> BadWeights:
    """The refusal of a file whose bytes make no sense."""
    return BadWeights(
        f"{where!r} is cut off, damaged or of another kind than its content says; nothing in it was executed. "
        f"Download it again."
    )


class _Machine:
    def __init__(self, data: bytes, where: str, at: int) -> None:
        self.data, self.where, self.at = data, where, at
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []  # the stacks under each open mark
        self.memo: dict[int, Any] = {}

    def run(self) -> Any:
        for _ in range(_OPERATIONS):
            (code,) = self.take(1)
            if code == ord("."):
                return self.stack.pop()
            if code in _VALUES:
                value = _VALUES[code](
                    self
                )  # before the stack is named: the end of a mark puts another one in its place
                self.stack.append(value)
            elif code in _ACTIONS:
                _ACTIONS[code](self)
            else:
                raise self.unsafe(_opcode(code))
        raise self.unsafe(f"more than {_OPERATIONS} steps")

    def unsafe(self, wish: str) -> UnsafePickle:
        return UnsafePickle(
            f"{self.where!r} asks for {wish[:120]!r}, expected only arrays, numbers and text; nothing in it was "
            f"executed. Download it from its publisher, or save its arrays as .npz."
        )

    def take(self, count: int) -> bytes:
        piece = self.data[self.at : self.at + count]
        if len(piece) != count:
            raise EOFError
        self.at += count
        return piece

    def counted(self, kind: str) -> bytes:
        return self.take(self.number(kind))

    def number(self, kind: str) -> Any:
        return struct.unpack(f"<{kind}", self.take(struct.calcsize(f"<{kind}")))[0]

    def line(self) -> bytes:
        end = self.data.index(b"\n", self.at)
        line, self.at = self.data[self.at : end], end + 1
        return line

    def digits(self) -> str:
        line = self.line()
        if len(line) > _DIGITS:
            raise self.unsafe("a number of too many digits")
        return line.decode("ascii").strip().removesuffix("L")

    def integer(self) -> int | bool:
        digits = self.digits()
        return digits == "01" if digits in ("00", "01") else int(digits)

    def long(self, kind: str) -> int:
        content = self.counted(kind)
        if len(content) > _DIGITS:
            raise self.unsafe("a number of too many digits")
        return int.from_bytes(content, "little", signed=True)

    def quoted(self) -> str:
        line = self.line().strip()
        if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in (b"'", b'"'):
            raise ValueError(line[:1])
        return codecs.escape_decode(line[1:-1])[0].decode("latin1")

    def since_mark(self) -> list[Any]:
        items, self.stack = self.stack, self.below.pop()
        return items

    def last(self, count: int) -> tuple[Any, ...]:
        return tuple(reversed([self.stack.pop() for _ in range(count)]))

    def mark(self) -> None:
        self.below.append(self.stack)
        self.stack = []

    def extend(self, items: list[Any]) -> None:
        if not isinstance(self.stack[-1], list):
            raise self.unsafe("APPEND to something that is no list")
        self.stack[-1].extend(items)

    def update(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if isinstance(target, Record) and target.word == "dict":
            target = target.items
        if not isinstance(target, dict):
            raise self.unsafe("SETITEM on something that is no dictionary")
        target.update(self.pairs(items))

    def pairs(self, items: list[Any]) -> dict[Any, Any]:
        for key in items[::2]:
            if not (isinstance(key, str | bytes) or (isinstance(key, int) and abs(key) < _LARGEST_KEY)):
                raise self.unsafe(f"a {type(key).__name__} as the key of a dictionary")
        return dict(zip(items[::2], items[1::2], strict=True))

    def name(self, module: Any, name: Any) -> Name:
        wish = f"{module}.{name}"
        if not (isinstance(module, str) and isinstance(name, str) and wish in NAMES):
            raise self.unsafe(wish if isinstance(module, str) and isinstance(name, str) else "a name that is no text")
        return Name(NAMES[wish])

    def make(self) -> None:
        callable_, arguments = self.last(2)
        if not (isinstance(callable_, Name) and isinstance(arguments, tuple)):
            raise self.unsafe("a call of something that is no name")
        self.stack.append(Record(callable_.word, arguments))

    def refer(self) -> None:
        self.stack.append(Record("reference", (self.stack.pop(),)))

    def build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if not isinstance(target, Record) or target.state is not None:
            raise self.unsafe("BUILD on something that takes no state")
        target.state = state

    def remember(self, key: int) -> None:
        if not 0 <= key < _LARGEST_KEY:
            raise self.unsafe("a memo of that number")
        self.memo[key] = self.stack[-1]

    def drop(self) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self.since_mark()

    def frame(self) -> None:
        self.take(8)  # its length, which says nothing that the bytes do not

    def version(self) -> None:
        if self.number("B") > _PROTOCOL:
            raise self.unsafe(f"a pickle protocol newer than {_PROTOCOL}")


def _opcode(code: int) -> str:
    known = next((each.name for each in pickletools.opcodes if each.code == chr(code)), None)
    return f"the opcode {known}" if known else f"an opcode {code:#04x} that pickle does not have"


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogatepass")


# Opcodes that push a value, and opcodes that do something with the stack; what is in neither is refused.
_VALUES: dict[int, Callable[[_Machine], Any]] = {
    ord("N"): lambda machine: None,
    0x88: lambda machine: True,
    0x89: lambda machine: False,
    ord("I"): _Machine.integer,
    ord("L"): lambda machine: int(machine.digits()),
    ord("F"): lambda machine: float(machine.digits()),
    ord("J"): lambda machine: machine.number("i"),
    ord("K"): lambda machine: machine.number("B"),
    ord("M"): lambda machine: machine.number("H"),
    0x8A: lambda machine: machine.long("B"),
    0x8B: lambda machine: machine.long("I"),
    ord("G"): lambda machine: struct.unpack(">d", machine.take(8))[0],
    ord("S"): _Machine.quoted,
    ord("T"): lambda machine: machine.counted("I").decode("latin1"),
    ord("U"): lambda machine: machine.counted("B").decode("latin1"),
    ord("V"): lambda machine: machine.line().decode("raw-unicode-escape"),
    ord("X"): lambda machine: _text(machine.counted("I")),
    0x8C: lambda machine: _text(machine.counted("B")),
    0x8D: lambda machine: _text(machine.counted("Q")),
    ord("B"): lambda machine: machine.counted("I"),
    ord("C"): lambda machine: machine.counted("B"),
    0x8E: lambda machine: machine.counted("Q"),
    0x96: lambda machine: machine.counted("Q"),
    ord("]"): lambda machine: [],
    ord(")"): lambda machine: (),
    ord("}"): lambda machine: {},
    0x8F: lambda machine: [],  # a set; nothing asks whether it is one
    ord("l"): _Machine.since_mark,
    ord("t"): lambda machine: tuple(machine.since_mark()),
    ord("d"): lambda machine: machine.pairs(machine.since_mark()),
    0x91: _Machine.since_mark,
    0x85: lambda machine: machine.last(1),
    0x86: lambda machine: machine.last(2),
    0x87: lambda machine: machine.last(3),
    ord("c"): lambda machine: machine.name(_text(machine.line()), _text(machine.line())),
    0x93: lambda machine: machine.name(*machine.last(2)),
    ord("2"): lambda machine: machine.stack[-1],
    ord("g"): lambda machine: machine.memo[int(machine.digits())],
    ord("h"): lambda machine: machine.memo[machine.number("B")],
    ord("j"): lambda machine: machine.memo[machine.number("I")],
}
_ACTIONS: dict[int, Callable[[_Machine], None]] = {
    ord("("): _Machine.mark,
    ord("0"): _Machine.drop,
    ord("1"): lambda machine: machine.since_mark().clear(),
    ord("a"): lambda machine: machine.extend([machine.stack.pop()]),
    ord("e"): lambda machine: machine.extend(machine.since_mark()),
    0x90: lambda machine: machine.extend(machine.since_mark()),
    ord("s"): lambda machine: machine.update(list(machine.last(2))),
    ord("u"): lambda machine: machine.update(machine.since_mark()),
    ord("R"): _Machine.make,
    0x81: _Machine.make,
    ord("Q"): _Machine.refer,
    ord("b"): _Machine.build,
    ord("p"): lambda machine: machine.remember(int(machine.digits())),
    ord("q"): lambda machine: machine.remember(machine.number("B")),
    ord("r"): lambda machine: machine.remember(machine.number("I")),
    0x94: lambda machine: machine.remember(len(machine.memo)),
    0x80: _Machine.version,
    0x95: _Machine.frame,
}
