"""Static files under hashed names, the imports among the page's modules included, and without their comments.

With Django's own setting a module that was loaded under its hashed name imports the others under their plain ones,
which a browser may have kept from the version before.
"""

import re
from typing import Any

from django.core.files.base import ContentFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

OURS = ("sessions_app/js/", "sessions_app/css/")
_COMMENT = re.compile(rb"^[ \t]*(?://.*|/\*(?s:.*?)\*/[ \t]*)\n", re.MULTILINE)


class ModuleStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage, hashing `import … from "./x.js"` as well.

    Comments on lines of their own, the types among them, are a quarter of what a browser would load.
    """

    support_js_module_import_aggregation = True
    # One for each module in the longest chain of imports: a name has the hash of what is imported in it.
    max_post_process_passes = 30

    def _save(self, name: str, content: Any) -> str:
        if name.replace("\\", "/").startswith(OURS):
            content = ContentFile(without_comments(b"".join(content.chunks())))
        saved: str = super()._save(name, content)
        return saved


def without_comments(script: bytes) -> bytes:
    """Return a script or style sheet without the comments that stand on lines of their own."""
    return _COMMENT.sub(b"", script)
