"""Where clients look for a description of an API."""

from django.urls import path

from . import views

urlpatterns = [
    path("openapi.json", views.openapi_json, name="openapi"),
    path("docs", views.docs, name="api-docs"),
    path("docs/", views.docs),
]
