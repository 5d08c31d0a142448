"""The pages' addresses, and a view that does nothing."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from beistand.web import urls


def bare(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("nothing")


urlpatterns = [*urls.urlpatterns, path("bare/", bare)]
handler400, handler403, handler404, handler500 = (
    urls.handler400,
    urls.handler403,
    urls.handler404,
    urls.handler500,
)
