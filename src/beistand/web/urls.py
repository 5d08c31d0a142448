"""Every page's address."""

from django.urls import path

from beistand.web import appearance
from beistand.web.pages import access, errors, overview

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("log-in/", access.log_in, name="log-in"),
    path("log-out/", access.log_out, name="log-out"),
    path("appearance/", appearance.switch, name="appearance"),
]
handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.broken
