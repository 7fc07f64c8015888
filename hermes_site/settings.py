"""Django's settings, read from the environment and `.env` (docs: README, "Settings")."""

from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF

from hermes_site.environment import Environment
from hermes_site.logs import CLIENTS

BASE_DIR = Path(__file__).resolve().parent.parent
_env = Environment(BASE_DIR)

# Hermes Site's own

HERMES_MODEL = _env.text("HERMES_MODEL", "demo")
HERMES_TITLE_MODEL = _env.text("HERMES_TITLE_MODEL")
HERMES_WARM_BUDGET = _env.dollars("HERMES_WARM_BUDGET")
HERMES_PROVIDER_TIMEOUT = _env.seconds("HERMES_PROVIDER_TIMEOUT", 120, least=0.1)
HERMES_PROVIDER_LONGEST_WAIT = _env.seconds("HERMES_PROVIDER_LONGEST_WAIT", 600, least=0.1)
HERMES_TOOL_TIMEOUT = _env.seconds("HERMES_TOOL_TIMEOUT", 300, least=0.1)
HERMES_MAX_ANSWER = _env.whole("HERMES_MAX_ANSWER", 1_000_000, least=1)
HERMES_PROVIDER_RETRIES = _env.whole("HERMES_PROVIDER_RETRIES", 2, least=0)
HERMES_MAX_TEXT = _env.whole("HERMES_MAX_TEXT", 200_000, least=1)
HERMES_TURNS_PER_MINUTE = _env.whole("HERMES_TURNS_PER_MINUTE", 20, least=1)
HERMES_CONNECTIONS_PER_USER = _env.whole("HERMES_CONNECTIONS_PER_USER", 50, least=1)
HERMES_SESSIONS_PER_USER = _env.whole("HERMES_SESSIONS_PER_USER", 10_000, least=1)
HERMES_TEXT_QUOTA = _env.whole("HERMES_TEXT_QUOTA", 1_000_000_000, least=1)
HERMES_MAX_FILE = _env.size("HERMES_MAX_FILE", 25_000_000)
HERMES_MAX_IMPORT = _env.size("HERMES_MAX_IMPORT", 2_000_000_000)
HERMES_FILE_QUOTA = _env.size("HERMES_FILE_QUOTA", 1_000_000_000)
HERMES_SEARCH_URL = _env.server("HERMES_SEARCH_URL")
HERMES_WEB_PAGES = _env.choice("HERMES_WEB_PAGES", "off", "ask", "allowed")
HERMES_JOURNAL_DAYS = _env.whole("HERMES_JOURNAL_DAYS", 7, least=1)
HERMES_JOURNAL_FACTS = _env.whole("HERMES_JOURNAL_FACTS", 10_000, least=1)
HERMES_AUDIT_LOG = _env.switch("HERMES_AUDIT_LOG")
# Networks that webhooks may lead to although they are not public: the operator's own.
HERMES_WEBHOOK_NETWORKS = _env.networks("HERMES_WEBHOOK_NETWORKS")
HERMES_TURN_LEASE = _env.seconds("HERMES_TURN_LEASE", 15, least=1)
HERMES_DRAIN_GRACE = _env.seconds("HERMES_DRAIN_GRACE", 30, least=0)
HERMES_LOG = _env.choice("HERMES_LOG", "text", "json")
# Where traces go; the rest of OpenTelemetry's settings its own SDK reads.
OTEL_EXPORTER_OTLP_ENDPOINT = _env.server("OTEL_EXPORTER_OTLP_ENDPOINT")
if OTEL_EXPORTER_OTLP_ENDPOINT:
    _env.choice("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
HERMES_SHARING = _env.choice("HERMES_SHARING", "users", "everybody", "off")
HERMES_SIGNUP = _env.choice("HERMES_SIGNUP", "closed", "open")

# Single sign-on by OpenID Connect; more providers are rows in the admin.
OIDC_ISSUER = _env.server("OIDC_ISSUER")
OIDC_CLIENT_ID = _env.needed_with("OIDC_CLIENT_ID", "OIDC_ISSUER")
OIDC_CLIENT_SECRET = _env.text("OIDC_CLIENT_SECRET")
OIDC_NAME = _env.text("OIDC_NAME", urlsplit(OIDC_ISSUER).hostname or "")
OIDC_GROUPS_CLAIM = _env.text("OIDC_GROUPS_CLAIM", "groups")
OIDC_GROUPS = _env.words("OIDC_GROUPS")
OIDC_ONLY = _env.switch("OIDC_ONLY")

# EMAIL_HOST and the rest of Django's names. Without a mail server nobody is offered a new password by mail.
_mail = _env.mail("EMAIL_URL")
globals().update(_mail)
HERMES_SENDS_MAIL = bool(_mail)
# Seconds: what is read of a mailbox later is no way in.
PASSWORD_RESET_TIMEOUT = 24 * 60 * 60

# Addresses of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.
TRUSTED_PROXY = _env.networks("TRUSTED_PROXY")

# Database

# Milliseconds. A process that sleeps in a transaction loses it after a third of the lease, so whoever
# waits for its locks gets them in time, and recovery never waits the lease out.
_idle_timeout = int(min(HERMES_TURN_LEASE / 3, 5) * 1000)
_lock_timeout = int(min(max(HERMES_TURN_LEASE / 2, 2), 7.5) * 1000)


def _database() -> dict[str, Any]:
    config = _env.database("DATABASE_URL", BASE_DIR / "db.sqlite3")
    options = config.setdefault("OPTIONS", {})
    if config["ENGINE"].endswith(".sqlite3"):
        options |= {
            "transaction_mode": "IMMEDIATE",
            "timeout": _lock_timeout / 1000,  # seconds
            # FULL: what was acknowledged survives a power cut, which WAL's usual NORMAL does not promise.
            # What is deleted is overwritten, not only forgotten.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON",
        }
        return {**config, "CONN_MAX_AGE": None}
    options |= {
        # Beyond it the pauses between two attempts would grow longer than the outage was.
        "pool": {"min_size": 2, "max_size": 20, "timeout": 10, "reconnect_timeout": 10},
        # A server that vanished without a word is given up after some 20 seconds.
        "keepalives_idle": 5,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,
        # To compile a query (jit) takes longer than any of ours runs.
        "options": f"-c jit=off -c lock_timeout={_lock_timeout} -c idle_in_transaction_session_timeout={_idle_timeout}",
    }
    return config


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Doors

REDIS_URL = _env.redis("REDIS_URL")
_on_server = DATABASES["default"]["ENGINE"].endswith(".postgresql")
_several_processes = bool(REDIS_URL) or _on_server
SECRET_KEY = _env.secret("SECRET_KEY", BASE_DIR / ".secret_key", must_be_given=_several_processes)
# Earlier keys, and while processes are restarted one after the other also the one to come: good for reading only.
SECRET_KEY_FALLBACKS = _env.words("SECRET_KEY_FALLBACKS")
DEBUG = _env.switch("DEBUG")
ALLOWED_HOSTS = _env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = _env.origins("CSRF_TRUSTED_ORIGINS")
# Those of browser apps elsewhere that may use the APIs: with a token, never with the cookie.
HERMES_API_ORIGINS = _env.exact_origins("HERMES_API_ORIGINS")
SESSION_ENGINE = "sessions_app.accounts.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "sessions_app.accounts.stale.answer_stale_form"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
# A year; sent only where the request came by TLS, as TRUSTED_PROXY says. Other names of the domain are not ours.
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
# Of `check --deploy`: cookies are Secure where a request came by TLS (SecureCookies); to lead others there is the
# proxy's (deploy/nginx/https.conf); what is promised for a whole domain is its owner's.
SILENCED_SYSTEM_CHECKS = [f"security.{number}" for number in ("W005", "W008", "W012", "W016", "W021")]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        # Remote images would tell their host what was said; Django's admin draws its icons from data: URLs.
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        # Text becomes HTML in one place of the page's scripts: by the policy that js/markdown.js makes.
        "require-trusted-types-for": ["'script'"],
        "trusted-types": ["hermes-markdown"],
    }
}

# The way between processes

# Pub/sub knows no database numbers: the key keeps two sites on one Redis apart.
_prefix = f"hermes-{sha256(SECRET_KEY.encode()).hexdigest()[:16]}"
CHANNEL_LAYERS: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "hermes_site.redis_layer.RedisLayer",
        "CONFIG": {"url": REDIS_URL, "prefix": _prefix},
    }
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
# Of django-allauth, what the accounts' own pages are made with: its own pages have no address here.
SOCIALACCOUNT_ADAPTER = "sessions_app.accounts.providers.adapter.ProvidersAdapter"
SOCIALACCOUNT_STORE_TOKENS = False
ACCOUNT_EMAIL_VERIFICATION = "none"
MFA_ADAPTER = "sessions_app.accounts.factors.adapter.FactorsAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "chat"
LOGOUT_REDIRECT_URL = "login"

# Wiring

INSTALLED_APPS = [
    # First: the admin of ours takes their pages out of it again.
    "allauth.account",
    "allauth.socialaccount",
    "allauth.mfa",
    "hermes_site",
    "sessions_app",
    "sessions_app.accounts",
    "channels",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    # What sets headers comes before all that may answer by itself: files, a foreign host.
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "hermes_site.middleware.SiteHeaders",
    "hermes_site.middleware.PolicyOfPage",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "hermes_site.middleware.SecureCookies",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "sessions_app.accounts.middleware.SayWhoActs",
    "sessions_app.accounts.middleware.NoteLogins",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
ROOT_URLCONF = "hermes_site.urls"
ASGI_APPLICATION = "hermes_site.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "sessions_app.accounts.context.mail",
                "sessions_app.accounts.context.tool_servers",
                "sessions_app.accounts.context.deletions",
            ]
        },
    }
]

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
# Where uploads are kept: beside the database, where that is a file.
_beside = BASE_DIR if _on_server else Path(DATABASES["default"]["NAME"]).parent
STORAGES = {
    "files": _env.file_store("HERMES_FILES", _beside / "files"),
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "sessions_app.web.storage.ModuleStaticFilesStorage"},
}
# The files are the same at every address; no other site needs to read them.
WHITENOISE_ALLOW_ALL_ORIGINS = False

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = "hermes_site.formats"
USE_TZ = True

LOGGING_CONFIG = "logging.config.dictConfig"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "quiet": {"()": "hermes_site." + ("json_logs.JsonLines" if HERMES_LOG == "json" else "logs.QuietFormatter")}
    },
    "filters": {"outsiders": {"()": "hermes_site.logs.OutsidersAreNoFault"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "quiet",
            "filters": ["outsiders"],
            # A process that serves makes objects of what else is written to sys.stderr (json_logs.py).
            "stream": "ext://sys.__stderr__" if HERMES_LOG == "json" else "ext://sys.stderr",
        }
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        # Django's own handlers (coloured console, mail to ADMINS) would print the exception's message.
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        # They tell of every handshake, request and retry at this level.
        "daphne": {"level": "WARNING"},
        **{name: {"level": "WARNING"} for name in CLIENTS},
        # It writes an error for whatever a tool server sends amiss, which the model is told, and who tries the server.
        "mcp": {"level": "CRITICAL"},
    },
}

# The sentences that hermes_site/checks.py stops the start with.
HERMES_SETTING_PROBLEMS = _env.problems
