"""What messages say: subjects and contents that must arrive as they are, byte for byte."""
# ruff: noqa: RUF001 - other scripts are the point

from __future__ import annotations

PLANS = ("Happy Birthday", "Welcome", "Βραβείο", "عرض خاص", "Order shipped ✅", "Monthly digest")
SUBJECTS = (
    "Award Provided",
    "  two leading spaces",
    "Χρόνια πολλά, {name}!",
    "С днём рождения 🎂",
    "Re: \u201cquotes\u201d & <tags>",
    "trailing space ",
    "你好，{name}",
)
CONTENTS = (
    "You have been awarded!",
    '<html><body><p>Dear {name},</p><a href="https://shop.example/?a=1&b=2">look</a></body></html>',
    "First line\nsecond line\r\n\tthird, indented\n",
    "   three leading spaces, {name}",
    "Emoji 👩‍👩‍👧‍👦 and flags 🇨🇾, {name}",
    "مرحبا {name}، لديك رصيد جديد",
    'Quotes " and \\ backslashes / slashes',
    "Six characters that are no NUL: \\u0000",
    "שלום {name}",
    "e\u0301 is not é",
    " ",
    "{name}, your code is 0042. Reply STOP to end. " * 6,
)
# Around a message that a device shows: title, subtitle, picture, where a touch leads.
FRAMES: tuple[tuple[str | None, ...], ...] = (
    ("Award Provided", "", "https://cdn.example/in-app/1.png", "https://shop.example/?a=1&b=2"),
    ("Νέα προσφορά!", " two spaces ", "", "shop://offers/42"),
    ("🎁", None, None, None),
    ("", "عرض خاص", "https://cdn.example/in-app/ø.png", ""),
)
NO_FRAME: tuple[str | None, ...] = ("", "", "", "")
WITH_NUL = "before\u0000after {name}\u0000"
