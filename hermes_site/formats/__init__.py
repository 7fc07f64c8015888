"""How dates are written, by language (settings.FORMAT_MODULE_PATH)."""
