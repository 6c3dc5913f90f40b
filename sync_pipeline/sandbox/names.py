"""Names of people and companies, in several scripts and with what trips naive code."""
# ruff: noqa: RUF001 - other scripts are the point

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Culture:
    """Names that occur together, with the language and the countries they go with."""

    language: str
    countries: tuple[str, ...]
    female: tuple[str, ...]
    male: tuple[str, ...]
    family: tuple[str, ...]


CULTURES = (
    Culture(
        "en",
        ("GB", "US"),
        ("Mary-Jane", "Siobhán", "Grace", "D'Arcy"),
        ("John", "Conor", "William", "Li'l Tom"),
        ("O'Brien", "Smith", "McDonald", "St. John-Smythe", "Null", "Test"),
    ),
    Culture(
        "el",
        ("GR", "CY"),
        ("Μαρία", "Ελένη", "Ιωάννα"),
        ("Γιώργος", "Νίκος", "Ανδρέας"),
        ("Παπαδοπούλου", "Χριστοδούλου", "Γεωργίου"),
    ),
    Culture(
        "ru",
        ("RU",),
        ("Анна", "Ольга", "Наталья"),
        ("Пётр", "Дмитрий", "Юрий"),
        ("Иванова", "Щербаков", "Ёлкин"),
    ),
    Culture(
        "uk", ("UA",), ("Олена", "Їванна"), ("Тарас", "Євген"), ("Шевченко", "Ґудзь", "Ткаченко")
    ),
    Culture("ar", ("AE", "SA"), ("فاطمة", "ليلى"), ("محمد", "عبد الله"), ("الهاشمي", "بن سعيد")),
    Culture("he", ("IL",), ("שרה", "נועה"), ("דוד", "יוסף"), ("כהן", "בן־דוד", "לוי")),
    Culture("zh", ("CN",), ("丽", "秀英"), ("伟", "建國"), ("王", "歐陽", "李")),
    Culture("ja", ("JP",), ("さくら", "美咲"), ("健太", "翔"), ("髙橋", "渡邉", "サトウ")),
    Culture(
        "no",
        ("NO", "SE"),
        ("Åse", "Solveig", "Bjørg"),
        ("Øyvind", "Håkon", "Bjørn"),
        ("Ødegård", "Sæther", "Aasen"),
    ),
    Culture(
        "de",
        ("DE",),
        ("Käthe", "Jürgen-Marie"),
        ("Günther", "Jörg"),
        ("Müller", "von der Straße", "Groß"),
    ),
    # Letters followed by combining marks, not their composed forms: the difference must survive.
    Culture(
        "fr",
        ("FR",),
        ("Zoe\u0308", "Ame\u0301lie"),
        ("Rene\u0301", "Franc\u0327ois"),
        ("Lefe\u0300vre", "d\u2019Artagnan", "L'Hôpital"),
    ),
    Culture("es", ("ES",), ("María José", "Begoña"), ("Íñigo", "Joaquín"), ("Núñez", "de la Peña")),
    Culture("it", ("IT",), ("Nicolò 🍕", "Lucia"), ("Niccolò", "Gesù"), ("D'Angelo", "De Luca")),
)

COMPANIES = (
    "Alpha & Bravo Ltd",
    "Ægir Shipping AS",
    "Αφοί Παπαδόπουλοι Ο.Ε.",
    "ООО «Ромашка»",
    "شركة النور",
    "株式会社さくら",
    'Smith "The Baker" & Sons',
    "100% Organic; Co.",
    "Tab\\Slash GmbH",
)
