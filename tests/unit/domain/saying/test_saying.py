"""Numbers, dates and amounts as people say them, and every word of it in the vocabulary."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.domain.saying import (
    GRAMMARS,
    LARGEST,
    language_of,
    say_amount,
    say_date,
    say_digits,
    say_number,
)

LANGUAGES = sorted(GRAMMARS)


@pytest.mark.parametrize(
    ("language", "number", "words"),
    [
        ("en", 0, "zero"),
        ("en", 42, "forty two"),
        ("en", 105, "one hundred five"),
        ("en", 1_000, "one thousand"),
        ("en", 12_019, "twelve thousand nineteen"),
        ("en", 1_200_300, "one million two hundred thousand three hundred"),
        ("es", 21, "veintiuno"),
        ("es", 31, "treinta y uno"),
        ("es", 100, "cien"),
        ("es", 101, "ciento uno"),
        ("es", 1_000, "mil"),
        ("es", 21_000, "veintiún mil"),
        ("es", 31_531, "treinta y un mil quinientos treinta y uno"),
        ("es", 100_000, "cien mil"),
        ("es", 1_000_000, "un millón"),
        ("es", 21_000_001, "veintiún millones uno"),
        ("es", 1_001_000, "un millón mil"),
        ("de", 1, "eins"),
        ("de", 21, "einundzwanzig"),
        ("de", 42, "zweiundvierzig"),
        ("de", 101, "ein hundert eins"),
        ("de", 1_001, "ein tausend eins"),
        ("de", 201_000, "zwei hundert ein tausend"),
        ("de", 1_000_000, "eine Million"),
        ("de", 2_000_000_000, "zwei Milliarden"),
        ("hi", 42, "बयालीस"),
        ("hi", 100, "एक सौ"),
        ("hi", 120_000, "एक लाख बीस हज़ार"),
        ("hi", 12_345_678, "एक करोड़ तेईस लाख पैंतालीस हज़ार छह सौ अठहत्तर"),
    ],
)
def test_numbers(language, number, words):
    assert " ".join(say_number(str(number), language)) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("-1,234.50", "minus one thousand two hundred thirty four point five zero"),
        ("+7", "seven"),
        ("12,34,567", "one million two hundred thirty four thousand five hundred sixty seven"),
        ("007", "zero zero seven"),
        (str(LARGEST), "one " + " ".join(["zero"] * 12)),
        ("12 apples", "12 apples"),
        ("", ""),
        ("1.2.3", "1.2.3"),
    ],
)
def test_what_is_written_in_other_ways(text, words):
    assert " ".join(say_number(text, "en")) == words


@pytest.mark.parametrize(
    ("language", "text", "words"),
    [
        ("en", "40-71", ["four", "zero", "seven", "one"]),
        ("en", "A1*#", ["A", "one", "star", "pound"]),
        ("es", "19", ["uno", "nueve"]),
        ("de", "1", ["eins"]),
        ("hi", "2", ["दो"]),
        ("xx", "1 2", ["1", "2"]),
        ("en", "٣", ["٣"]),
    ],
)
def test_digits(language, text, words):
    assert say_digits(text, language) == words


@pytest.mark.parametrize(
    ("language", "amount", "currency", "words"),
    [
        ("en", "1", "USD", "one dollar"),
        ("en", "42.50", "usd", "forty two dollars and fifty cents"),
        ("en", "0.01", "GBP", "one penny"),
        ("en", "0", "EUR", "zero euros"),
        ("en", "-3.005", "INR", "minus three rupees"),
        ("en", "1.5", "XYZ", "one point five zero X Y Z"),
        ("es", "1", "USD", "un dólar"),
        ("es", "21", "EUR", "veintiún euros"),
        ("es", "221", "INR", "doscientas veintiuna rupias"),
        ("es", "2000000", "EUR", "dos millones de euros"),
        ("es", "3.20", "USD", "tres dólares con veinte centavos"),
        ("de", "1.01", "EUR", "ein Euro und ein Cent"),
        ("de", "1", "INR", "eine Rupie"),
        ("hi", "1.50", "INR", "एक रुपया और पचास पैसे"),
        ("xx", "1", "USD", "1 USD"),
        ("en", "NaN", "USD", "NaN USD"),
    ],
)
def test_amounts(language, amount, currency, words):
    assert " ".join(say_amount(Decimal(amount), currency, language)) == words


@pytest.mark.parametrize(
    ("language", "day", "words"),
    [
        ("en", date(2026, 3, 3), "March third twenty twenty six"),
        ("en", date(2008, 10, 21), "October twenty first two thousand eight"),
        ("en", date(1905, 1, 30), "January thirtieth nineteen oh five"),
        ("en", date(1900, 1, 31), "January thirty first nineteen hundred"),
        ("es", date(2026, 3, 3), "tres de marzo de dos mil veintiséis"),
        ("de", date(2026, 3, 3), "dritter März zwei tausend sechsundzwanzig"),
        ("de", date(1989, 11, 9), "neunter November neunzehn hundert neunundachtzig"),
        ("hi", date(2026, 3, 1), "पहली मार्च दो हज़ार छब्बीस"),
        ("xx", date(2026, 3, 3), "2026-03-03"),
    ],
)
def test_dates(language, day, words):
    assert " ".join(say_date(day, language)) == words


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_numbers_up_to_ten_thousand_are_different(language):
    said = {tuple(say_number(str(number), language)) for number in range(10_000)}
    assert len(said) == 10_000


@pytest.mark.parametrize("language", LANGUAGES)
@given(number=st.integers(0, LARGEST - 1))
def test_every_word_of_a_number_is_in_the_vocabulary(language, number):
    assert set(say_number(f"-{number}.5", language)) <= GRAMMARS[language].vocabulary


@pytest.mark.parametrize("language", LANGUAGES)
@given(cents=st.integers(-(10**13), 10**13))
def test_every_word_of_an_amount_is_in_the_vocabulary(language, cents):
    grammar = GRAMMARS[language]
    for currency in grammar.currencies:
        assert set(say_amount(Decimal(cents) / 100, currency, language)) <= grammar.vocabulary


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_a_date_is_in_the_vocabulary(language):
    days = [date(1890, 1, 1) + timedelta(days=7 * week) for week in range(8_000)]
    days += [date(2024, 1, 1) + timedelta(days=day) for day in range(366)]
    assert {word for day in days for word in say_date(day, language)} <= GRAMMARS[language].vocabulary


@given(st.text(max_size=40), st.sampled_from([*LANGUAGES, "xx"]))
def test_no_text_raises(text, language):
    say_digits(text, language)
    say_number(text, language)
    language_of(text)


def test_the_language_of_a_tag():
    assert [language_of(tag) for tag in ("en-US", "EN_gb", "hi", "")] == ["en", "en", "hi", ""]
