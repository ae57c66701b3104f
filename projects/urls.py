"""Addresses of sign-in, account, projects and keys."""

from django.contrib.auth.views import LogoutView
from django.urls import include, path

from . import joining, recovery, views

account_urls = [
    path("", views.account, name="account"),
    path("password/", views.account_password, name="account-password"),
]

project_urls = [
    path("", views.project_list, name="project-list"),
    path("<uuid:project_id>/keys/", views.key_list, name="key-list"),
    path("<uuid:project_id>/keys/create/", views.key_create, name="key-create"),
    path("<uuid:project_id>/keys/<uuid:key_id>/revoke/", views.key_revoke, name="key-revoke"),
]

urlpatterns = [
    path("", views.home, name="home"),
    path("login/", views.LoginView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("password-reset/", recovery.password_reset, name="password-reset"),
    path(
        "password-reset/<uidb64>/<token>/",
        recovery.PasswordResetConfirmView.as_view(),
        name="password-reset-confirm",
    ),
    path("signup/<uidb64>/<token>/", recovery.signup_confirm, name="signup-confirm"),
    path("invitations/<uuid:invitation_id>/<token>/", joining.join, name="join"),
    path("account/", include(account_urls)),
    path("projects/", include(project_urls)),
]
