"""Colours of things as photographs show them, and how to draw one in linear light."""

from faceforge.synth.draws import Draws

Rgb = tuple[float, float, float]  # linear light; 1 is a white wall, lamps and windows exceed it
Palette = tuple[Rgb, ...]


def _linear(*channels: int) -> Rgb:
    # A cubic fit to the sRGB curve: products round alike everywhere, powers do not.
    red, green, blue = (
        round(value * (value * (value * 0.305306 + 0.682171) + 0.012523), 6) for value in (c / 255 for c in channels)
    )
    return (red, green, blue)


def palette(swatches: str) -> Palette:
    """sRGB colours in hexadecimal, separated by blanks, as linear light.

    >>> palette("ffffff 000000")
    ((1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    """
    return tuple(_linear(*bytes.fromhex(swatch)) for swatch in swatches.split())


WALLS = palette("ece8e0 d6cec0 bebec2 a8b4aa 96a8ba cdb49e 787c80 5c4a42 3a424e e2d6b0 b07a68 6e8070 e8e8ea dcd8d4")
BACKDROPS = palette("808082 46484c 242528 e1e2e4 606c7e 745c50 586456 aaa096 f0f0f0 34495e")
THINGS = palette("b23a30 26466e d4b05c 3c5c42 e8e2d6 242224 7a543a c4844c 683c54 548494 a0a09e f0ece4 8c2f39 2f4858")
WOODS = palette("60402a 8e6644 ba946a 3e2c22 ceb89a 4a3a30")
SKIES = palette("6294ce b0becc 4670b0 8cb0d6 c8d2da")
HORIZONS = palette("c4d8e8 d6dadc e8ceb0 e0e4e2 eea468")
GREENS = palette("243a1a 3a5224 1c2c1e 545c28 604e24 2a4030")
LEAVES = palette("70943a 96ac4e 5c7e42 bab052 c48e40 a8c070 86a24a 6c8c50")
GROUNDS = palette("686866 847c6c 587038 a6987c 46484c 948a7e")
FACADES = palette("b4a898 8e8a86 a06c54 c8c0b0 6c7078 d8d0c4 7c5c4c 989ca4")
LAMPS = palette("ffc478 ffe0b2 ff7846 ff4838 78beff 8cf0aa fafaff ffd090 ffb060")
SKINS = palette("e8c4a8 d4a480 b07c58 8c5c40 60402e 483024")
HAIRS = palette("181210 3a2618 5c3c24 8c6438 c0985c 9a9690 742e1c")
PAPERS = palette("f4f2ec e8e0c8 d8e4ec f2d8c8 fff2a8 c8e0c0 f0f0f0")


def picked(draws: Draws, colours: Palette, gain: float = 1.0) -> Rgb:
    """One of the colours, a little lighter or darker and a little off its hue, times a gain."""
    red, green, blue = draws.choice(colours)
    light = gain * draws.uniform(0.75, 1.25)
    return (
        round(red * light * draws.uniform(0.93, 1.07), 6),
        round(green * light * draws.uniform(0.96, 1.04), 6),
        round(blue * light * draws.uniform(0.93, 1.07), 6),
    )


def scaled(rgb: Rgb, gain: float) -> Rgb:
    """The colour under so much light."""
    return (round(rgb[0] * gain, 6), round(rgb[1] * gain, 6), round(rgb[2] * gain, 6))


def mixed(one: Rgb, other: Rgb, part: float) -> Rgb:
    """From one colour to the other by a part of the way."""
    red, green, blue = (round(left + (right - left) * part, 6) for left, right in zip(one, other, strict=True))
    return (red, green, blue)
