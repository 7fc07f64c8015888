"""What a site has made of a file, as an export holds it: sealed, so that another time it is taken over unread.

The seal names each object by its SHA-256. So where the bytes in an archive have those, they are the ones that were made
here, and a prompt with them is the same bytes again.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, ValidationError

from sessions_app.models import FileContent
from sessions_app.transfer.seals import sealed, unsealed

CONTENT = "content"
"""What the seal is for."""


class MadeContent(BaseModel):
    """The columns of a content that say what was made of a file. Its text is an object like the others."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    digest: str
    kept: str
    size: int
    stored_size: int
    media_type: str
    suffix: str
    width: int | None
    height: int | None
    pages: int | None
    thumbnail: str
    images: list[str]
    image_type: str
    text_digest: str
    text_characters: int
    notice: str

    @property
    def objects(self) -> list[str]:
        """The names of its objects in the store, without what is given back."""
        return [name for name in dict.fromkeys([self.thumbnail, *self.images]) if name and name != self.kept]


def seal_content(content: FileContent) -> str:
    """Return what an export says of a content."""
    return sealed(CONTENT, MadeContent.model_validate(content).model_dump(mode="json"))


def made_content(text: str) -> MadeContent | None:
    """Return what was made of a file, None where this site has not said so."""
    try:
        return MadeContent.model_validate(unsealed(CONTENT, text))
    except ValidationError:
        return None
