"""Images and files in what programs send, by OpenAI's official client: kept as files, known again, told back."""

from __future__ import annotations

import base64
import io
import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from openai import APIStatusError, BadRequestError
from PIL import Image

from tests.databases import Database
from tests.extraction import samples
from tests.files.client import Files
from tests.limited import add_profile
from tests.llm.talking import extends
from tests.openai_api.conftest import MODEL, Program
from tests.providers.fixtures import Provider
from tests.providers.script import Answer

PICTURE = samples.picture(size=(300, 200))
LETTER = samples.pdf("What the letter says is that the sea is deep and old there.")


def _noise() -> bytes:
    """A picture of some 200 kB."""
    buffer = io.BytesIO()
    Image.effect_noise((600, 400), 50).save(buffer, "PNG")
    return buffer.getvalue()


NOISE = _noise()


def data_url(content: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def image(content: bytes, media_type: str = "image/png") -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": data_url(content, media_type)}}


def file(content: bytes, name: str = "letter.pdf", media_type: str = "application/pdf") -> dict[str, Any]:
    return {"type": "file", "file": {"file_data": data_url(content, media_type), "filename": name}}


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def user(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": list(parts)}


def assistant(said: str) -> dict[str, Any]:
    return {"role": "assistant", "content": said}


@pytest.fixture
def answers(model: Provider) -> None:
    """Has the model answer A1, A2 and so on."""
    model.script(*(Answer(words=[f"A{number}"]) for number in range(1, 7)))


def shown(program: Program) -> list[tuple[str, list[str]]]:
    """Texts and names of files of the messages of a user's only session."""
    [session] = program.sessions()
    with program.page() as page:
        opened = page.call("session.open", session_id=session["id"], limit=200)["result"]
    return [(each["text"], [file["name"] for file in each.get("files", [])]) for each in opened["messages"]]


def kept(program: Program) -> int:
    """How many files there are of the user."""
    owner = "(SELECT id FROM auth_user WHERE username = %s)"
    database = Database(program.site.database.url)
    [(count,)] = database.run(f"SELECT count(*) FROM sessions_app_userfile WHERE owner_id = {owner}", program.user)
    return int(count)


@pytest.mark.usefixtures("answers")
def test_images_and_files_are_kept_and_known_again(program: Program, model: Provider) -> None:
    first = user(text("Look"), image(PICTURE), file(LETTER))
    program.say(first)
    program.say(first, assistant("A1"), user(text("Q2")))
    program.say(first, assistant("A1"), user(text("Q2")), assistant("A2"), user(image(NOISE)))
    assert shown(program) == [
        ("Look", ["image.png", "letter.pdf"]),
        ("A1", []),
        ("Q2", []),
        ("A2", []),
        ("", ["image.png"]),
        ("A3", []),
    ]
    assert kept(program) == 3
    for earlier, later in itertools.pairwise(model.bodies):
        assert extends(later, earlier)
    assert b"the sea is deep and old there" in model.bodies[0]
    assert b"data:image/png;base64," in model.bodies[0]


@pytest.mark.thorough
@pytest.mark.usefixtures("answers")
def test_another_image_in_the_history_is_an_edit(program: Program, model: Provider) -> None:
    said: list[Any] = [user(text("Q1")), assistant("A1")]
    program.say(*said[:1])
    program.say(*said, user(text("Look"), image(PICTURE)))
    program.say(*said, user(text("Look"), image(NOISE)))
    assert shown(program)[2:] == [("Look", ["image.png"]), ("A3", [])]
    assert len(program.sessions()) == 1
    assert extends(model.bodies[2], model.bodies[0])
    assert kept(program) == 2


@pytest.mark.thorough
@pytest.mark.usefixtures("answers")
def test_a_response_has_images_and_files(program: Program, model: Provider) -> None:
    content = [
        {"type": "input_text", "text": "Look"},
        {"type": "input_image", "detail": "low", "image_url": data_url(NOISE, "image/png")},
        {"type": "input_file", "filename": "letter.pdf", "file_data": data_url(LETTER, "application/pdf")},
    ]
    asked: Any = [{"role": "user", "content": content}]
    client = program.client()
    first = client.responses.create(model=MODEL, input=asked)
    items = client.responses.input_items.list(first.id).data
    told: Any = items[0]
    assert [part.type for part in told.content] == ["input_image", "input_file", "input_text"]
    assert told.content[1].filename == "letter.pdf"
    owner = Files(program.site, program.user)
    assert owner.ask("GET", told.content[0].image_url).headers["Content-Type"] == "image/png"
    assert owner.ask("GET", told.content[1].file_url).body == LETTER
    client.responses.create(model=MODEL, input="More", previous_response_id=first.id)
    assert extends(model.bodies[1], model.bodies[0])


@pytest.mark.usefixtures("answers")
def test_what_was_told_of_files_is_taken_back(program: Program, model: Provider) -> None:
    client = program.client()
    asked: Any = [{"role": "user", "content": [{"type": "input_image", "image_url": data_url(PICTURE, "image/png")}]}]
    first = client.responses.create(model=MODEL, input=asked)
    [item] = client.responses.input_items.list(first.id).data
    history: Any = [item.model_dump(exclude_none=True), {"role": "assistant", "content": "A1"}]
    client.responses.create(model=MODEL, input=[*history, {"role": "user", "content": "More"}])
    assert len(program.sessions()) == 1
    assert extends(model.bodies[1], model.bodies[0])
    assert kept(program) == 1
    address = item.model_dump()["content"][0]["image_url"]
    program.say(user({"type": "image_url", "image_url": {"url": address}}), assistant("A1"), user(text("More")))
    assert (len(program.sessions()), kept(program)) == (1, 1)


@pytest.mark.usefixtures("answers")
def test_an_uploaded_file_is_named_by_its_id(program: Program, model: Provider) -> None:
    shape = Files(program.site, program.user).add(LETTER, "mine.pdf")
    program.say(user({"type": "file", "file": {"file_id": shape["id"]}}))
    assert shown(program)[0] == ("", ["mine.pdf"])
    assert kept(program) == 1
    assert b"deep and old" in model.bodies[0]


@pytest.mark.thorough
@pytest.mark.usefixtures("answers")
def test_a_conversation_begins_with_files(program: Program, model: Provider) -> None:
    client = program.client()
    letter = {"type": "input_file", "filename": "letter.pdf", "file_data": data_url(LETTER, "application/pdf")}
    items: Any = [{"type": "message", "role": "user", "content": [letter]}]
    conversation = client.conversations.create(items=items)
    client.responses.create(model=MODEL, input="What does it say?", conversation=conversation.id)
    assert shown(program)[0] == ("", ["letter.pdf"])
    assert b"deep and old" in model.bodies[0]


@pytest.mark.usefixtures("answers")
@pytest.mark.thorough
def test_names_are_kept_without_what_deceives(program: Program) -> None:
    names = {
        "../../etc/passwd.txt": "passwd.txt",
        "evil\u202etxt.exe": "eviltxt.exe",
        "a\0b.txt": "ab.txt",
        "x" * 5_000 + ".txt": "x" * 251 + ".txt",
        "": "file.txt",
    }
    program.say(user(*(file(b"text of %d" % number, name, "text/plain") for number, name in enumerate(names))))
    assert shown(program)[0][1] == list(names.values())


@pytest.mark.thorough
@pytest.mark.usefixtures("answers")
def test_the_same_request_twice_at_once_keeps_its_file_once(program: Program) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(program.say, [user(image(NOISE))] * 2))
    database = Database(program.site.database.url)
    owner = "(SELECT id FROM auth_user WHERE username = %s)"
    sql = f"SELECT count(*) FROM sessions_app_filecontent WHERE state = 'ready' AND owner_id = {owner}"
    assert database.run(sql, program.user) == [(1,)]


REMOTE = "https://example.com/a.png"
REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "a remote image": ({"type": "image_url", "image_url": {"url": REMOTE}}, "fetches nothing", "image_url.url"),
    "an image of the provider's own": (
        {"type": "image_url", "image_url": {"url": "gs://b/a.png"}},
        "fetches nothing",
        "image_url.url",
    ),
    "no base64": ({"type": "image_url", "image_url": {"url": "data:image/png;base64,???"}}, "not base64", ".url"),
    "long and no base64": (
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{'A' * 9001}?"}},
        "not base64",
        "url",
    ),
    "text in the URL": ({"type": "image_url", "image_url": {"url": "data:text/plain,hello"}}, "data URL", ".url"),
    "an empty file": (file(b""), "empty", "file_data"),
    "no image": (image(b"MZ" + bytes(5_000)), "", "image_url"),
    "a truncated photograph": (image(samples.picture("JPEG", (900, 900))[:2_000], "image/jpeg"), "", "image_url"),
    "no file": ({"type": "file", "file": {"filename": "a.pdf"}}, "required", "file_data"),
    "an id of nobody's": ({"type": "file", "file": {"file_id": "file-abc"}}, "no such file", "file_id"),
    "sound": ({"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}, "Sound", ".type"),
    "a null": ({"type": "image_url", "image_url": None}, "required", "image_url"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_taken_is_refused_with_its_place(program: Program, model: Provider, name: str) -> None:
    part, word, param = REFUSED[name]
    with pytest.raises(BadRequestError) as refused:
        program.say(user(text("Q1"), part))
    assert word in refused.value.message
    assert param in (refused.value.param or "")
    assert (program.sessions(), kept(program), model.requests) == ([], 0, [])


@pytest.mark.usefixtures("answers")
def test_what_fails_later_leaves_no_file_before_it(program: Program) -> None:
    with pytest.raises(BadRequestError):
        program.say(user(image(PICTURE), image(b"MZ" + bytes(5_000))))
    assert (program.sessions(), kept(program)) == ([], 0)


def test_only_users_have_files(program: Program) -> None:
    for role in ("system", "assistant"):
        with pytest.raises(BadRequestError) as refused:
            program.say({"role": role, "content": [image(PICTURE)]}, user(text("Q1")))
        assert refused.value.param == "messages[0].content[0].type"


def test_too_many_files_are_refused(program: Program) -> None:
    with pytest.raises(BadRequestError, match="20"):
        program.say(user(*[image(PICTURE)] * 21))
    turns: list[Any] = [each for _ in range(11) for each in (user(*[image(PICTURE)] * 19), assistant("A"))]
    with pytest.raises(BadRequestError, match="200"):
        program.say(*turns, user(text("Q")))


def test_foreign_files_are_as_if_they_were_missing(program: Program) -> None:
    program.site.database.add_user(stranger := f"{program.user}-stranger")
    shape = Files(program.site, stranger).add(LETTER)
    for part in (
        {"type": "file", "file": {"file_id": shape["id"]}},
        {"type": "image_url", "image_url": {"url": shape["url"]}},
    ):
        with pytest.raises(BadRequestError, match="no such file"):
            program.say(user(part))


@pytest.mark.thorough
def test_a_model_without_pictures_says_so(program: Program, model: Provider) -> None:
    name = f"Blind {program.user}"
    add_profile(program.site.database, name, takes_images=False)
    messages: Any = [user(image(PICTURE))]
    with pytest.raises(BadRequestError, match="no pictures"):
        program.client().chat.completions.create(model=name, messages=messages)
    assert (program.sessions(), kept(program), model.requests) == ([], 0, [])


@pytest.fixture
def small_site(start_site: Callable[..., Any], loopback: Provider, tmp_path: Path) -> Any:
    """A site that takes files of 1 MB, and 2 MB of each user."""
    env = {"OPENAI_BASE_URL": loopback.base_url, "OPENAI_API_KEY": "loopback", "HERMES_MODEL": "openai-chat:loopback"}
    return start_site(HERMES_MAX_FILE="1MB", HERMES_FILE_QUOTA="2MB", **env)


@pytest.mark.thorough
def test_files_that_are_too_large_are_refused_with_the_bound(small_site: Any) -> None:
    program = Program(small_site, "owner")
    texts = [file(bytes([65 + number]) * 900_000, f"{number}.txt", "text/plain") for number in range(3)]
    for parts, told in (
        ([file(b"A" * 1_000_001, "a.txt", "text/plain")], "at most 1 MB"),
        (texts, "at most 2 MB together"),
    ):
        with pytest.raises(APIStatusError, match=told) as refused:
            program.say(user(*parts))
        assert refused.value.status_code == 413
    program.say(user(texts[0]))
    with pytest.raises(APIStatusError, match="MB") as full:
        program.say(user(texts[1]))
    assert (full.value.status_code, full.value.code) == (429, "insufficient_quota")
