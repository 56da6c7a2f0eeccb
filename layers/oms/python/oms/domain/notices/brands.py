"""Who writes to customers: the brands of the shops, and the policy of what is told when."""

from __future__ import annotations

from dataclasses import dataclass

WHITE, BLACK = "#ffffff", "#000000"


@dataclass(frozen=True, slots=True)
class Brand:
    """`colour` is #rrggbb; `channels` are the shops that write under it."""

    brand: str = "default"
    title: str = ""
    colour: str = "#0b5cad"
    logo: str = ""
    address: str = ""
    support: str = ""
    channels: tuple[str, ...] = ()

    @property
    def ink(self) -> str:
        """What can be read best on its colour."""
        return max((WHITE, BLACK), key=lambda ink: contrast(ink, self.colour))


@dataclass(frozen=True, slots=True)
class NoticePolicy:
    """`quiet_from` and `quiet_to` are hours of the customer's day, equal: there is no quiet;
    `quiet_mails`: mails about the progress wait, too, not text messages alone. `texts` are the
    events of which text messages tell, `silent` those that nobody is told of, `language` that of
    customers whose own is not known."""

    brands: tuple[Brand, ...] = ()
    quiet_from: int = 21
    quiet_to: int = 8
    quiet_mails: bool = False
    texts: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    language: str = "en"

    def brand_of(self, channel: str) -> Brand:
        """That of the channel; else the one that is called `default`."""
        of_channel = (each for each in self.brands if channel in each.channels)
        default = next((each for each in self.brands if each.brand == "default"), Brand())
        return next(of_channel, default)

    def named(self, brand: str) -> Brand | None:
        return next((each for each in self.brands if each.brand == brand), None)


def luminance(colour: str) -> float:
    """Of #rrggbb, by WCAG 2: 0 of black, 1 of white."""
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts)
    return sum(w * x for w, x in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    """1 to 21; 4.5 is what text needs."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)
