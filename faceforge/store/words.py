"""A vocabulary of few words for a small text encoder: letters to spell with, and pieces that grow into whole words."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789,.-"
_END = "</w>"  # of a word, as CLIP's tokenizer marks it

Pair = tuple[str, str]


def vocabulary(words: Iterable[str]) -> tuple[dict[str, int], list[Pair]]:
    """Tokens by name, and the pairs to be merged in this order, until each word is one token (byte-pair encoding)."""
    spelled = [[*word[:-1], word[-1] + _END] for word in sorted(set(words))]
    merges: list[Pair] = []
    while pairs := Counter(pair for word in spelled for pair in pairwise(word)):
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        spelled = [_merged(word, best) for word in spelled]
    tokens = ["<|startoftext|>", "<|endoftext|>", *LETTERS, *(letter + _END for letter in LETTERS)]
    tokens += ["".join(pair) for pair in merges]
    return {token: number for number, token in enumerate(dict.fromkeys(tokens))}, merges


def _merged(word: list[str], pair: Pair) -> list[str]:
    found: list[str] = []
    for piece in word:
        if found and (found[-1], piece) == pair:
            found[-1] += piece
        else:
            found.append(piece)
    return found
