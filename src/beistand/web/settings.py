"""Django's settings. Accounts and sessions live in the agent: there is no model and no database here (docs/adr)."""

from pathlib import Path
from typing import Any

from beistand.web.state import hosts, secret_key, state_folder

_HERE = Path(__file__).parent
_STATE = state_folder()

DEBUG = False
SECRET_KEY = secret_key(_STATE)
ALLOWED_HOSTS = hosts()
ROOT_URLCONF = "beistand.web.urls"
WSGI_APPLICATION = "beistand.web.wsgi.application"
INSTALLED_APPS: list[str] = []
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "beistand.web.api.answering.api",
    "beistand.web.middleware.headers",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "beistand.web.middleware.AgentMiddleware",
    "beistand.web.middleware.leading_back",
]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [_HERE / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "beistand.web.context.page",
            ],
            "libraries": {"say": "beistand.web.templatetags.say"},
        },
    }
]

# Language by cookie, else by browser, else English.
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LANGUAGE_COOKIE_NAME = "__Host-language"
LANGUAGE_COOKIE_SECURE = True
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
USE_TZ = True
TIME_ZONE = None
"""The machine's own: times on pages are the appliance's local time."""

STATIC_URL = "/static/"
STATIC_ROOT = _HERE / "static"
WHITENOISE_MAX_AGE = 365 * 24 * 3600
"""The address of a file carries its digest (`asset`), so it never changes."""

# Signed, in the browser: nobody is kept from the click by a disk that is full. The agent ends sessions.
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
SESSION_COOKIE_NAME = "__Host-session"
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_NAME = "__Host-csrf"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "beistand.web.failures.csrf_failed"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
# No HSTS: the certificate is self-signed, and with HSTS a browser offers no way past the warning.
SECURE_HSTS_SECONDS = 0
SILENCED_SYSTEM_CHECKS = ["security.W004"]

DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "beistand.web.uploading.TooLarge",
]
"""What is larger is read and dropped: nobody fills a disk here. The upload of a seed has a handler of its own."""

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"journal": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"journal": {"class": "logging.StreamHandler", "formatter": "journal"}},
    # Refusals are no news, and what broke is told with its reference by web/failures.py.
    "loggers": {"django.request": {"level": "CRITICAL"}, "django.security": {"level": "CRITICAL"}},
    "root": {"handlers": ["journal"], "level": "WARNING"},
}
LOGGING_CONFIG = "logging.config.dictConfig"
