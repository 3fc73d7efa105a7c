"""Lines of a summary: within 80 columns, and nothing of a text lost."""

from rramkit.cli.rows import COLUMNS, rows


def test_long_texts_are_broken_between_words_under_one_another():
    words = [f"word{k}" for k in range(30)]
    lines = rows([("name", " ".join(words)), ("other", "short")], width=10).splitlines()
    assert max(map(len, lines)) <= COLUMNS and len(lines) == 4
    assert [line[:11] for line in lines] == ["name       ", " " * 11, " " * 11, "other      "]
    assert [word for line in lines[:-1] for word in line[11:].split()] == words


def test_a_path_is_never_broken_and_a_name_without_text_stands_alone():
    path = "/".join(["folder"] * 20)
    assert rows([("weights", path), ("", "")], width=8).replace("\n", "").split() == ["weights", path]
