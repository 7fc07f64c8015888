"""The site's settings, but that all of its pages are under a prefix, as in a project of somebody else's."""

from hermes_site.settings import *  # noqa: F403

ROOT_URLCONF = "tests.browser.prefixed_urls"
