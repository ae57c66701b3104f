"""What orchestrators and monitoring ask."""

from django.urls import path

from . import views

# Answered whatever happens to PostgreSQL: nothing on the way may ask it.
PATHS = frozenset({"/health", "/ready", "/metrics"})

urlpatterns = [
    path("health", views.health, name="health"),
    path("ready", views.ready, name="ready"),
    path("metrics", views.metrics, name="metrics"),
]
