"""Static files under hashed names, the imports among the page's modules included.

With Django's own setting a module that was loaded under its hashed name imports the others under their plain ones,
which a browser may have kept from the version before.
"""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class ModuleStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage, hashing `import … from "./x.js"` as well."""

    support_js_module_import_aggregation = True
