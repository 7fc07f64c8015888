# ruff: noqa: RUF001 - the writing of other languages is what this is about
"""Bold, italic and struck text beside writing without spaces; everything else as CommonMark has it."""

import pytest
from markdown_it import MarkdownIt

from tests.web.pages import line


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("**注意：**正文", "<strong>注意：</strong>正文"),
        ("**“引用”**的", "<strong>“引用”</strong>的"),
        ("中文**加粗。**中文", "中文<strong>加粗。</strong>中文"),
        ("中文**（加粗）**", "中文<strong>（加粗）</strong>"),
        ("中文**(bold)**中文", "中文<strong>(bold)</strong>中文"),
        ("**注意:**正文", "<strong>注意:</strong>正文"),
        ("*强调*，", "<em>强调</em>，"),
        ("这是*“强调”*的", "这是<em>“强调”</em>的"),
        ("然后~~删除。~~结束", "然后<s>删除。</s>结束"),
        ("これは**「重要」**です", "これは<strong>「重要」</strong>です"),
        ("**ハイパーテキストコーヒーポット制御プロトコル(HTCPCP)**とは", None),
        ("**이 용어(This term)**를 강조", "<strong>이 용어(This term)</strong>를 강조"),
        ("**`code`**を", "<strong><code>code</code></strong>を"),
        ("我可以**这个`code`**吗", "我可以<strong>这个<code>code</code></strong>吗"),
        ("***重要！***です", "<em><strong>重要！</strong></em>です"),
        ("__注意：__ 正文", "<strong>注意：</strong> 正文"),
        ("葛󠄀**（こちら）**が", "葛󠄀<strong>（こちら）</strong>が"),
        ("**หมายเหตุ:**ข้อความ", "<strong>หมายเหตุ:</strong>ข้อความ"),
        ("**មតិ៖**អត្ថបទ", "<strong>មតិ៖</strong>អត្ថបទ"),
        ("**ملاحظة:** نص", "<strong>ملاحظة:</strong> نص"),
        ("**ध्यान दें।** यह", "<strong>ध्यान दें।</strong> यह"),
    ],
)
def test_emphasis_beside_punctuation(written: str, expected: str | None) -> None:
    assert line(written) == (expected or written.replace("**", "<strong>", 1).replace("**", "</strong>", 1))


@pytest.mark.parametrize(
    "written",
    ["a * b * c", "snake_case_name", "5*3", "**Note:**text", 'a**"b"**c', "** a **", "文 ** 文 **", "文_文_文"],
)
def test_what_is_no_emphasis_stays_as_written(written: str) -> None:
    assert line(written).replace("&quot;", '"') == written


COMMONMARK = MarkdownIt("commonmark", {"html": False}).enable("strikethrough")
ALPHABET = ("*", "**", "_", "~~", " ", "a", ".", "(", ")", '"', "é", "“", "ж", "ع")


def test_other_writing_is_read_as_commonmark_does() -> None:
    for first in ALPHABET:
        for second in ALPHABET:
            for third in ALPHABET:
                written = f"a{first}{second}b{third}c*d* **e**"
                expected = COMMONMARK.renderInline(written).replace("<del>", "<s>").replace("</del>", "</s>")
                assert line(written) == expected.replace("&quot;", '"')
