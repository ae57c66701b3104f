"""What Django is made of here: apps, middleware, templates, entry points."""

from .core import BASE_DIR

INSTALLED_APPS = [
    "agentops_portal.apps.PortalConfig",  # first: its `migrate` replaces Django's
    "unfold.apps.BasicAppConfig",  # the look only: the site is projects/admin_site.py
    "unfold.contrib.filters",
    "unfold.contrib.import_export",  # before import_export: the look of its pages
    "projects.apps.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",  # "3 minutes ago", translated
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "import_export",
    "clickhouse_backend",
    "projects.apps.ProjectsConfig",
    "traces.apps.TracesConfig",
    "guardrails.apps.GuardrailsConfig",
]

MIDDLEWARE = [
    "agentops_portal.health.middleware.RequestMiddleware",  # first: its log line holds every answer
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "projects.api.middleware.PortalCorsMiddleware",  # before whatever may answer: preflights carry no credentials
    "projects.api.middleware.ApiMiddleware",
    "projects.middleware.PrivateMiddleware",  # before sessions: it sees the cookie that they set
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "projects.middleware.PreferencesMiddleware",
    "agentops_portal.outage.OutageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "traces.store.values.middleware.DecodingMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "django.template.context_processors.tz",
                "agentops_portal.context_processors.portal",
            ],
        },
    },
]

ROOT_URLCONF = "agentops_portal.urls"
ASGI_APPLICATION = "agentops_portal.asgi.application"

IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = True
