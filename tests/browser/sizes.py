"""The screens on which the pages are tried."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """A window in CSS pixels; `scale` is how many dots the screen has for one."""

    name: str
    width: int
    height: int
    scale: float = 1

    def __str__(self) -> str:
        return self.name


DESKTOP = Size("desktop", 1280, 800)
PHONE = Size("phone", 390, 844)
NARROW = Size("narrow", 360, 740)
ZOOMED = Size("zoomed", 640, 400, scale=2)  # a desktop at 200 %
