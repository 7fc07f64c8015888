"""The headers that every answer has, whoever gives it: Django, the server itself, or its WebSocket library.

Django's own settings name the rest of them for its answers, django-csp the policy of its pages (settings.py).
"""

# What browsers let a page do. The site's pages write to the clipboard and make and show passkeys, nothing else of it.
_UNUSED = (
    *("accelerometer", "autoplay", "browsing-topics", "camera", "clipboard-read", "display-capture"),
    *("encrypted-media", "fullscreen", "gamepad", "geolocation", "gyroscope", "hid", "identity-credentials-get"),
    *("idle-detection", "keyboard-map", "local-fonts", "magnetometer", "microphone", "midi", "otp-credentials"),
    *("payment", "picture-in-picture"),
    *("screen-wake-lock", "serial", "storage-access", "sync-xhr", "usb", "window-management", "xr-spatial-tracking"),
)
_USED = ("clipboard-write", "publickey-credentials-create", "publickey-credentials-get")

EVERYWHERE = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join([*(f"{name}=()" for name in _UNUSED), *(f"{name}=(self)" for name in _USED)]),
}
"""Of all answers, Django's too."""

SERVER = {
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    **EVERYWHERE,
}
"""Of the answers that the server gives itself, all of them errors, as plain text."""
